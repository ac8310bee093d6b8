//! What one forward pass computes: a prompt, and many episodes behind it.

use std::ops::Range;

/// Token ids of several episodes that begin with the same tokens.
///
/// The tokens that all episodes share stand once, at the front; each episode sees them and itself, as if it
/// stood behind them alone. A tool prompt is several times as long as an episode, so a packed sequence
/// computes a fraction of the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    ids: Vec<u32>,
    shared: usize,
    /// Where each episode stands in `ids`, behind the shared tokens.
    episodes: Vec<Range<usize>>,
    /// The rows whose next token is under loss, with that token.
    targets: Vec<(usize, u32)>,
}

/// The ids of one episode, from the first token of its prompt to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The ids.
    pub ids: Vec<u32>,
    /// Which of them the model has to write: as long as `ids`.
    pub learned: Vec<bool>,
}

impl Sequence {
    /// Packs episodes; what they share is found by comparing ids. `None` when nothing in them is learned.
    pub fn pack(episodes: &[Tokens]) -> Option<Self> {
        let first = episodes.first()?;
        let common = |ids: &[u32]| first.ids.iter().zip(ids).take_while(|(a, b)| a == b).count();
        // The last shared token predicts other things in each episode: it has to stand in each of them. The
        // same goes for what is learned.
        let open = |episode: &Tokens| {
            let learned = episode.learned.iter().position(|&learned| learned).unwrap_or(episode.ids.len());
            common(&episode.ids).min(learned).saturating_sub(1)
        };
        let shared = episodes.iter().map(open).min()?;
        let mut sequence =
            Self { ids: first.ids[..shared].to_vec(), shared, episodes: Vec::new(), targets: Vec::new() };
        for episode in episodes {
            let start = sequence.ids.len();
            sequence.ids.extend_from_slice(&episode.ids[shared..]);
            sequence.episodes.push(start..sequence.ids.len());
            let targets = (shared + 1..episode.ids.len()).filter(|&index| episode.learned[index]);
            sequence.targets.extend(targets.map(|index| (start + index - shared - 1, episode.ids[index])));
        }
        (!sequence.targets.is_empty()).then_some(sequence)
    }

    /// All tokens: the shared ones, then episode after episode.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// How many tokens all episodes share.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// Where each episode stands.
    pub fn episodes(&self) -> &[Range<usize>] {
        &self.episodes
    }

    /// The rows whose next token is under loss, with that token.
    pub fn targets(&self) -> &[(usize, u32)] {
        &self.targets
    }

    /// The position of each token in its own episode.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let of_episode = |episode: &Range<usize>| self.shared..self.shared + episode.len();
        (0..self.shared).chain(self.episodes.iter().flat_map(of_episode))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn tokens(ids: &[u32], learned_from: usize) -> Tokens {
        Tokens { ids: ids.to_vec(), learned: (0..ids.len()).map(|index| index >= learned_from).collect() }
    }

    #[test]
    fn what_episodes_share_stands_once() {
        let sequence = Sequence::pack(&[tokens(&[1, 2, 3, 4, 5], 3), tokens(&[1, 2, 3, 6, 7, 8], 4)]).unwrap();
        assert_eq!(sequence.ids(), [1, 2, 3, 4, 5, 3, 6, 7, 8]);
        assert_eq!(sequence.shared(), 2);
        assert_eq!(sequence.episodes(), [2..5, 5..9]);
        assert_eq!(sequence.targets(), [(2, 4), (3, 5), (6, 7), (7, 8)]);
        assert_eq!(sequence.positions().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 2, 3, 4, 5]);
    }

    #[test]
    fn a_token_that_is_learned_is_not_shared() {
        let sequence = Sequence::pack(&[tokens(&[1, 2, 3], 1), tokens(&[1, 2, 4], 1)]).unwrap();
        assert_eq!(sequence.shared(), 0);
        assert_eq!(sequence.targets(), [(0, 2), (1, 3), (3, 2), (4, 4)]);
    }

    #[test]
    fn nothing_to_learn_is_no_sequence() {
        assert_eq!(Sequence::pack(&[]), None);
        assert_eq!(Sequence::pack(&[tokens(&[1, 2], 2)]), None);
    }
}
