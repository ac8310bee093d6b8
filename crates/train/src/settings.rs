//! What a training is made of, apart from its data.

use serde::{Deserialize, Serialize};

use crate::{Lora, Schedule, TrainError};

/// The settings of a training. They are written beside its checkpoints; a training is resumed with the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Rank of the adapter, or `None` for full fine-tuning.
    pub rank: Option<usize>,
    /// α of the adapter: B · A is multiplied with α / rank.
    pub alpha: f64,
    /// The learning rate of each step.
    pub schedule: Schedule,
    /// Sequences a step.
    pub batch: usize,
    /// Decay of matrices.
    pub weight_decay: f64,
    /// The global norm that gradients are clipped to.
    pub clip: f64,
    /// Decides the first values of an adapter and the order of the data.
    pub seed: u64,
}

impl Settings {
    /// The adapter that is trained, if it is one.
    pub fn lora(&self) -> Option<Lora> {
        self.rank.map(|rank| Lora { rank, alpha: self.alpha })
    }

    /// Checks what no training could do.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the first one that cannot be used.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.rank == Some(0) {
            return Err(TrainError::setting("the rank", "it is 0; use 1 or more, or full fine-tuning"));
        }
        if self.batch == 0 || self.schedule.steps == 0 {
            return Err(TrainError::setting(
                "the size of the training",
                "steps and sequences a step have to be 1 or more",
            ));
        }
        if !(self.schedule.peak > 0.0 && self.clip > 0.0 && self.weight_decay >= 0.0 && self.alpha > 0.0) {
            return Err(TrainError::setting(
                "a rate",
                "learning rate, clip and α have to be above 0, the decay not below",
            ));
        }
        Ok(())
    }
}
