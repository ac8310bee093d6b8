//! Doing something regularly while something else goes on.

use std::{pin::pin, time::Duration};

/// Often enough for a progress bar, too seldom to cost anything.
const PERIOD: Duration = Duration::from_millis(100);

/// Awaits `work` and calls `each` at once, and then again every tenth of a second until it is done.
pub(in crate::base) async fn during<F: Future>(work: F, mut each: impl FnMut()) -> F::Output {
    let mut work = pin!(work);
    let mut interval = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            biased;
            output = &mut work => return output,
            _ = interval.tick() => each(),
        }
    }
}
