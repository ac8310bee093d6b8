//! A part of a split that stands for all of it.

use crate::{Group, Kind};

/// Keeps so many episodes, of every kind its share, spread evenly over the split; groups that lose all theirs go.
/// Nothing is drawn: the same episodes are kept each time.
pub fn keep_evenly(groups: &mut Vec<Group>, wanted: usize) {
    let kinds: Vec<Kind> = groups.iter().flat_map(|group| &group.episodes).map(|episode| episode.kind).collect();
    let all = kinds.len().max(1);
    let mut by_kind: Vec<usize> = (0..kinds.len()).collect();
    by_kind.sort_by_key(|&place| kinds[place]);
    let mut keep = vec![false; kinds.len()];
    for (number, place) in by_kind.into_iter().enumerate() {
        keep[place] = (number + 1) * wanted / all > number * wanted / all;
    }
    let mut keep = keep.into_iter();
    for group in groups.iter_mut() {
        group.episodes.retain(|_| keep.next().unwrap_or(false));
    }
    groups.retain(|group| !group.episodes.is_empty());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Episode;

    fn groups() -> Vec<Group> {
        let kinds = [(Kind::Authored, 37), (Kind::Python, 5), (Kind::Cannot, 20), (Kind::Time, 3)];
        let kinds = kinds.into_iter().flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
        let episode = |(number, kind): (usize, Kind)| Episode {
            kind,
            question: number.to_string(),
            calls: Vec::new(),
            thought: String::new(),
            answer: String::new(),
            files: Vec::new(),
        };
        let episodes: Vec<Episode> = kinds.enumerate().map(episode).collect();
        episodes.chunks(4).map(|chunk| Group { tools: Vec::new(), episodes: chunk.to_vec() }).collect()
    }

    #[test]
    fn every_kind_keeps_its_share() {
        let count = |groups: &[Group]| -> BTreeMap<Kind, usize> {
            let mut counts = BTreeMap::new();
            for episode in groups.iter().flat_map(|group| &group.episodes) {
                *counts.entry(episode.kind).or_default() += 1;
            }
            counts
        };
        for wanted in [1, 13, 30, 65] {
            let mut kept = groups();
            keep_evenly(&mut kept, wanted);
            let kept = count(&kept);
            assert_eq!(kept.values().sum::<usize>(), wanted);
            for (kind, all) in count(&groups()) {
                let share = all as f64 * wanted as f64 / 65.0;
                let found = kept.get(&kind).copied().unwrap_or_default() as f64;
                assert!((found - share).abs() < 1.0, "{kind:?}: {found} of {share}");
            }
        }
        let mut all = groups();
        keep_evenly(&mut all, 1000);
        assert_eq!(all, groups());
    }
}
