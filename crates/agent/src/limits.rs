//! What a run may take.

use std::time::Duration;

use qianshou_chat::Usage;
use serde::{Deserialize, Serialize};

/// What a run may take. Each limit that ends a run has a [`StopReason`](crate::StopReason) of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// Replies of the model.
    pub steps: usize,
    /// Observations that ask the model to mend a call; the next fault ends the run.
    pub repairs: usize,
    /// Equal calls in a row; the last one is not run any more.
    pub repeated_actions: usize,
    /// Replies that broke off in the middle and are asked for again; the next one ends the run with the
    /// model's error.
    pub lost_replies: usize,
    /// Time from the first event to the last. Whoever drives the run keeps it.
    pub wall_clock: Option<Duration>,
    /// Tokens computed in prompts and generated, over all steps.
    pub tokens: Option<usize>,
    /// What the tokens of the run may cost.
    pub cost: Option<CostLimit>,
    /// Tokens of one reply.
    pub reply_tokens: Option<usize>,
    /// Tokens of the context window that are kept free for a reply; by default those of
    /// `reply_tokens`, or else a quarter of the window, at most 1024.
    pub reserved_tokens: Option<usize>,
    /// Characters of an observation that the model is shown.
    pub observation_characters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 8,
            repairs: 3,
            repeated_actions: 3,
            lost_replies: 2,
            wall_clock: None,
            tokens: None,
            cost: None,
            reply_tokens: None,
            reserved_tokens: None,
            observation_characters: 8000,
        }
    }
}

/// What tokens cost, in any currency, a million of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Prompt tokens from a cache.
    pub cached: f64,
    /// Prompt tokens that were computed.
    pub computed: f64,
    /// Generated tokens.
    pub generated: f64,
}

impl Prices {
    /// What these tokens cost.
    ///
    /// ```
    /// use qianshou_agent::Prices;
    /// use qianshou_chat::Usage;
    ///
    /// let prices = Prices { cached: 0.1, computed: 0.5, generated: 2.0 };
    /// let usage = Usage { cached: 10_000, computed: 2_000, generated: 500 };
    /// assert!((prices.of(&usage) - 0.003).abs() < 1e-12);
    /// ```
    pub fn of(&self, usage: &Usage) -> f64 {
        let cost = |tokens: usize, price: f64| tokens as f64 / 1e6 * price;
        cost(usage.cached, self.cached) + cost(usage.computed, self.computed) + cost(usage.generated, self.generated)
    }
}

/// A limit of what a run may cost. It is checked between steps, so that the last step may exceed it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostLimit {
    /// The limit, in the currency of the prices.
    pub most: f64,
    /// What tokens cost.
    pub prices: Prices,
}
