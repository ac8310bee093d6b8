//! Attention windows layer by layer (Qwen report 2.5).
//!
//! The report gives lower layers shorter windows, because they depend less on far tokens. No released code
//! has it, so no checkpoint asks for it: it is an option, off by default.

use std::fmt;
use std::str::FromStr;

use crate::ModelError;

/// How many tokens back the tokens of some layers see, in text form `0-11:1024,12-23:4096` or `5:512`:
/// layers counted from 0, then tokens, the seeing one included. Layers that are not named see everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionWindows {
    ranges: Vec<(usize, usize, usize)>,
}

impl AttentionWindows {
    /// The window of each of `layers` layers.
    ///
    /// # Errors
    /// [`ModelError::Windows`] when there is no such layer.
    pub(crate) fn of_layers(&self, layers: usize) -> Result<Vec<Option<usize>>, ModelError> {
        let mut windows = vec![None; layers];
        for &(first, last, tokens) in &self.ranges {
            let Some(range) = windows.get_mut(first..=last) else {
                let reason = format!("the model has the layers 0 to {}", layers - 1);
                return Err(ModelError::Windows { windows: self.to_string(), reason });
            };
            range.fill(Some(tokens));
        }
        Ok(windows)
    }
}

impl FromStr for AttentionWindows {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let parse = |part: &str| {
            let (layers, tokens) = part.trim().split_once(':')?;
            let (first, last) = layers.split_once('-').unwrap_or((layers, layers));
            let (first, last, tokens) = (first.parse().ok()?, last.parse().ok()?, tokens.parse().ok()?);
            (first <= last && tokens > 0).then_some((first, last, tokens))
        };
        let ranges: Option<Vec<_>> = text.split(',').map(parse).collect();
        ranges.map(|ranges| Self { ranges }).ok_or_else(|| ModelError::Windows {
            windows: text.to_owned(),
            reason: "expected FIRST-LAST:TOKENS or LAYER:TOKENS, several with commas, as in `0-11:1024`".to_owned(),
        })
    }
}

impl fmt::Display for AttentionWindows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last, tokens)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{first}-{last}:{tokens}")?;
        }
        Ok(())
    }
}
