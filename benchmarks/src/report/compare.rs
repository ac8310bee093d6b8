//! Two runs of one task, sample against sample.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::summary::by_sample;
use crate::statistics::{Difference, paired};
use crate::{Log, Measure};

/// Two runs, sample against sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The names of the models, before and after.
    pub models: [String; 2],
    /// Each measure that both have, with how much more of it the second run has.
    pub measures: Vec<(Measure, Difference)>,
    /// Samples that got worse by the first measure that applies to them, with the values before and after.
    pub regressed: Vec<Change>,
    /// Samples that got better.
    pub improved: Vec<Change>,
}

/// A sample whose score changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The sample.
    pub id: String,
    /// The measure.
    pub measure: String,
    /// Its values, before and after.
    pub values: [f64; 2],
}

/// Compares the samples that two logs share.
///
/// # Errors
/// When they are not of the same task and data, with what differs.
pub fn compare(before: &Log, after: &Log) -> Result<Comparison, String> {
    let (one, other) = (&before.header, &after.header);
    if (&one.task, one.task_version) != (&other.task, other.task_version) {
        let name = |header: &crate::Header| format!("{} (version {})", header.task, header.task_version);
        return Err(format!("one log is of {}, the other of {}", name(one), name(other)));
    }
    if one.data != other.data {
        return Err("the logs are of different data; compare runs over the same files".to_owned());
    }
    let measures = one.measures.iter().filter(|measure| other.measures.contains(measure));
    let mut comparison = Comparison {
        models: [one.model.name.clone(), other.model.name.clone()],
        measures: Vec::new(),
        regressed: Vec::new(),
        improved: Vec::new(),
    };
    let ids: HashMap<usize, &str> = before.samples.iter().map(|record| (record.index, record.id.as_str())).collect();
    let mut told = Vec::new();
    for measure in measures {
        let [first, second] = [before, after].map(|log| by_sample(log.samples.iter(), &measure.name));
        let second: HashMap<_, _> = second.into_iter().collect();
        let shared: Vec<_> =
            first.into_iter().filter_map(|(index, value)| Some((index, value, *second.get(&index)?))).collect();
        for &(index, one, other) in &shared {
            let gain = if measure.less_is_better { one - other } else { other - one };
            if gain != 0.0 && !told.contains(&index) {
                told.push(index);
                let id = ids.get(&index).copied().unwrap_or_default().to_owned();
                let change = Change { id, measure: measure.name.clone(), values: [one, other] };
                if gain < 0.0 { comparison.regressed.push(change) } else { comparison.improved.push(change) }
            }
        }
        let pairs: Vec<_> = shared.into_iter().map(|(_, one, other)| (one, other)).collect();
        comparison.measures.extend(paired(&pairs).map(|difference| (measure.clone(), difference)));
    }
    Ok(comparison)
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!("{} → {}\n\n", self.models[0], self.models[1]);
        let width = self.measures.iter().map(|(measure, _)| measure.title.chars().count()).max().unwrap_or(0);
        for (measure, Difference { estimate, p_value }) in &self.measures {
            let padding = width - measure.title.chars().count();
            let better = if measure.less_is_better { "less is better" } else { "more is better" };
            let [mean, low, high] = [estimate.mean, estimate.low, estimate.high].map(|value| value * 100.0);
            writeln!(
                text,
                "{}{:padding$}  {mean:+7.2} ({low:+.2} to {high:+.2})  p = {p_value:.4}  {better}, {} pairs",
                measure.title, "", estimate.count
            )?;
        }
        for (name, changes) in [("regressed", &self.regressed), ("improved", &self.improved)] {
            writeln!(text, "\n{name}: {}", changes.len())?;
            for Change { id, measure, values: [one, other] } in changes {
                writeln!(text, "  {id}  {measure} {one:.3} → {other:.3}")?;
            }
        }
        formatter.write_str(&text)
    }
}
