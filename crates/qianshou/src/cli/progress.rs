//! Progress of a fetch on stderr.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use qianshou::base::Progress;

/// The bar of the stage under way. On anything but a terminal nothing is drawn.
#[derive(Debug, Default)]
pub(super) struct Bars {
    current: Mutex<Option<(String, ProgressBar)>>,
}

impl Bars {
    /// Shows a state, with a new bar for a new stage.
    pub(super) fn show(&self, progress: Progress) {
        let (label, bytes, total) = match progress {
            Progress::Waiting => ("waiting for another process that fetches the model".to_owned(), 0, None),
            Progress::Fetching { source, bytes, total } => {
                (format!("fetching the base model with {source}"), bytes, Some(total))
            }
            Progress::Unpacking { bytes, total } => ("unpacking".to_owned(), bytes, Some(total)),
            // A stage that is new to this program needs no bar.
            _ => return,
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(shown, _)| *shown != label) {
            if let Some((_, bar)) = current.take() {
                bar.finish_and_clear();
            }
            *current = Some((label.clone(), bar(label, total)));
        }
        if let Some((_, bar)) = current.as_ref() {
            bar.set_position(bytes);
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Some((_, bar)) = self.current.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(label: String, total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::new(total.unwrap_or(1)).with_message(label);
    let template = match total {
        Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
        None => "{msg}",
    };
    // A template that does not parse would show the default style.
    ProgressStyle::with_template(template).map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
