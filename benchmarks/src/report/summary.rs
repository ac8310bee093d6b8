//! What a log adds up to.

use std::collections::{BTreeMap, HashMap};

use crate::statistics::{Estimate, estimate, mean};
use crate::{Log, Measure, SampleRecord};

/// The measures of some samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which samples: a category, or all.
    pub name: String,
    /// How many samples.
    pub samples: usize,
    /// Their measures, in the order of [`Summary::measures`]; nothing where one does not apply.
    pub estimates: Vec<Option<Estimate>>,
}

/// What a log adds up to. Repetitions of a sample count as one value, their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The name of the model.
    pub model: String,
    /// What was measured.
    pub measures: Vec<Measure>,
    /// All samples, then each category, in the order in which they come.
    pub rows: Vec<Row>,
    /// How many samples each pair of classes has, by kind: `(expected, called)` of tools, and the like.
    pub labels: BTreeMap<String, BTreeMap<String, usize>>,
    /// How attempts ended.
    pub stops: BTreeMap<String, usize>,
    /// How many samples of the task there are.
    pub of: usize,
}

impl Summary {
    /// Adds up a log.
    pub fn of(log: &Log) -> Self {
        let measures = log.header.measures.clone();
        let mut categories: Vec<&str> = Vec::new();
        let mut samples: Vec<&SampleRecord> = log.samples.iter().collect();
        samples.sort_by_key(|record| (record.index, record.epoch));
        for record in &samples {
            if !categories.contains(&record.category.as_str()) {
                categories.push(&record.category);
            }
        }
        let all = Row::of("all", samples.iter().copied(), &measures);
        let of_category = |category: &&str| {
            Row::of(category, samples.iter().copied().filter(|record| record.category == **category), &measures)
        };
        let mut rows = vec![all];
        if categories.len() > 1 {
            rows.extend(categories.iter().map(of_category));
        }
        let mut labels: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let mut stops = BTreeMap::new();
        for record in samples {
            *stops.entry(record.stop.clone()).or_default() += 1;
            for (kind, class) in &record.verdict.labels {
                *labels.entry(kind.clone()).or_default().entry(class.clone()).or_default() += 1;
            }
        }
        Self { model: log.header.model.name.clone(), measures, rows, labels, stops, of: log.header.samples }
    }
}

impl Row {
    fn of<'a>(name: &str, records: impl Iterator<Item = &'a SampleRecord> + Clone, measures: &[Measure]) -> Self {
        let values = |measure: &Measure| {
            let by_sample = by_sample(records.clone(), &measure.name);
            estimate(&by_sample.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        let mut samples: Vec<usize> = records.clone().map(|record| record.index).collect();
        samples.dedup();
        Self { name: name.to_owned(), samples: samples.len(), estimates: measures.iter().map(values).collect() }
    }
}

/// The value of a measure for each sample that it applies to, in the order of the task: the mean over its
/// repetitions.
pub(super) fn by_sample<'a>(records: impl Iterator<Item = &'a SampleRecord>, measure: &str) -> Vec<(usize, f64)> {
    let mut values: HashMap<usize, Vec<f64>> = HashMap::new();
    for record in records {
        if let Some(value) = record.verdict.scores.get(measure) {
            values.entry(record.index).or_default().push(*value);
        }
    }
    let mut means: Vec<_> = values.into_iter().filter_map(|(index, values)| Some((index, mean(&values)?))).collect();
    means.sort_by_key(|(index, _)| *index);
    means
}
