//! How far a run is, on stderr.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use qianshou::bench::Progress;

/// A bar on a terminal; elsewhere a line for every twentieth of the run.
#[derive(Debug)]
pub(super) struct Shown {
    bar: ProgressBar,
    /// How many twentieths have been told.
    told: Mutex<Option<usize>>,
    at_terminal: bool,
}

impl Shown {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(1);
        let bar = match ProgressStyle::with_template("{wide_bar} {msg}") {
            Ok(style) => bar.with_style(style),
            // A template that does not parse would show the default style.
            Err(_) => bar,
        };
        Self { bar, told: Mutex::new(None), at_terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn show(&self, progress: &Progress) {
        if self.at_terminal {
            self.bar.set_length(progress.total as u64);
            self.bar.set_position(progress.done as u64);
            self.bar.set_message(progress.to_string());
            return;
        }
        let twentieths = progress.done * 20 / progress.total.max(1);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| twentieths > told) {
            *told = Some(twentieths);
            // With stderr closed there is nobody to tell.
            let _ = writeln!(anstream::stderr(), "{progress}");
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
