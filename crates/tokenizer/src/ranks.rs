//! Merges, recovered from the order of tokens.
//!
//! Some vocabularies say only which token goes before which. Merging then takes, again and again, the pair
//! of neighbours whose joined text is the token of the lowest rank, the leftmost of equal ones.
//!
//! One merge for each token says the same: the pair of which it is made when its own text is merged. For
//! when a token is made inside a longer text, no merge has crossed its borders, and those within them have
//! happened in the order in which they do in its text alone. A token whose text does not end as a pair
//! there cannot be made anywhere. In trained vocabularies both halves have lower ranks than the whole, but
//! nothing depends on that.

use std::collections::HashMap;

use tokenizers::models::bpe::MergeMap;

/// Tokens longer than this many bytes are refused: merging takes quadratic time.
pub(crate) const LONGEST: usize = 512;
/// What is said of those.
pub(crate) const TOO_LONG: &str = "it is longer than 512 bytes, so the file is probably damaged";

/// The merges of `tokens`, which are in order of rank. Merging begins with the tokens of one character.
pub(crate) fn merges(tokens: &[impl AsRef<str>]) -> Vec<(String, String)> {
    let tokens: Vec<&str> = tokens.iter().map(AsRef::as_ref).collect();
    let mut singles = HashMap::new();
    for (rank, token) in (0_u32..).zip(&tokens) {
        let mut characters = token.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            singles.insert(character, rank);
        }
    }
    let mut ranks = MergeMap::with_capacity(tokens.len());
    let mut word = Word::default();
    // All merges within a token make shorter ones.
    let mut by_length: Vec<_> = (0_u32..).zip(&tokens).collect();
    by_length.sort_by_key(|(_, token)| token.len());
    for (rank, token) in by_length {
        let symbols = token.chars().map(|character| singles.get(&character).copied());
        if word.begin(symbols, &ranks) {
            word.merge(&ranks);
            if let [left, right] = word.symbols[..] {
                ranks.insert((left, right), (rank, rank));
            }
        }
    }
    let mut merges: Vec<_> = ranks.into_iter().collect();
    merges.sort_unstable_by_key(|(_, (rank, _))| *rank);
    let text = |rank: u32| tokens[rank as usize].to_owned();
    merges.into_iter().map(|((left, right), _)| (text(left), text(right))).collect()
}

/// No merge.
const NONE: u32 = u32::MAX;

/// A text in the making. The buffers are used again for the next one.
#[derive(Default)]
struct Word {
    symbols: Vec<u32>,
    /// What each symbol and the next one are merged into, or `NONE`.
    joined: Vec<u32>,
}

impl Word {
    /// Starts with these symbols. False if one is missing or there are fewer than two.
    fn begin(&mut self, symbols: impl Iterator<Item = Option<u32>>, ranks: &MergeMap) -> bool {
        self.symbols.clear();
        for symbol in symbols {
            let Some(symbol) = symbol else {
                return false;
            };
            self.symbols.push(symbol);
        }
        self.joined.clear();
        self.joined.extend(self.symbols.windows(2).map(|pair| look_up(ranks, pair)));
        self.symbols.len() > 1
    }

    /// Merges until nothing can be merged.
    fn merge(&mut self, ranks: &MergeMap) {
        // The first of equal ranks is taken, which is the leftmost.
        while let Some((at, &rank)) = self.joined.iter().enumerate().min_by_key(|&(_, rank)| rank)
            && rank != NONE
        {
            self.symbols[at] = rank;
            self.symbols.remove(at + 1);
            self.joined.remove(at);
            for at in [at.wrapping_sub(1), at] {
                if let (Some(joined), Some(pair)) = (self.joined.get_mut(at), self.symbols.get(at..at.wrapping_add(2)))
                {
                    *joined = look_up(ranks, pair);
                }
            }
        }
    }
}

fn look_up(ranks: &MergeMap, pair: &[u32]) -> u32 {
    ranks.get(&(pair[0], pair[1])).map_or(NONE, |&(rank, _)| rank)
}
