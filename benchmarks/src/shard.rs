//! A share of a task, so that several machines make one run.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// Which share of the samples is made: every `count`-th one, from the `number`-th on.
///
/// ```
/// use qianshou_bench::Shard;
///
/// let shard: Shard = "2/3".parse()?;
/// let mine: Vec<usize> = (0..7).filter(|&index| shard.holds(index)).collect();
/// assert_eq!(mine, [1, 4]);
/// # Ok::<(), qianshou_bench::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: NonZeroUsize,
}

impl Shard {
    /// Whether the sample at this place, from 0, is in it.
    pub fn holds(self, index: usize) -> bool {
        index % self.count == self.number - 1
    }
}

impl Default for Shard {
    /// All samples.
    fn default() -> Self {
        Self { number: 1, count: NonZeroUsize::MIN }
    }
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write I/N with I from 1 to N, as in 1/3")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parsed = || {
            let (number, count) = text.split_once('/')?;
            let (number, count): (usize, NonZeroUsize) = (number.parse().ok()?, count.parse().ok()?);
            (1..=count.get()).contains(&number).then_some(Self { number, count })
        };
        parsed().ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_samples_out() {
        for count in 1..6 {
            for index in 0..40 {
                let shards = (1..=count).filter_map(|number| format!("{number}/{count}").parse::<Shard>().ok());
                assert_eq!(shards.filter(|shard| shard.holds(index)).count(), 1, "{index} of {count}");
            }
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError(text.to_owned())));
        }
    }
}
