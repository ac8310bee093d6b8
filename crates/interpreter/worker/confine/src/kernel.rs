//! Around the process that will run hostile code: limits, Landlock, seccomp, in this order.

use std::path::PathBuf;

use qianshou_interpreter_protocol::{Fork, Tier};

use crate::failure::Failure;
pub use crate::seccomp::Filters;
use crate::seccomp::Kept;
use crate::{landlock, limits};

/// Locks this process and all that it will start in. There is no way back.
///
/// # Errors
/// The step that the system refused.
pub fn confine(fork: &Fork, filters: &Filters) -> Result<(), Failure> {
    limits::apply(fork)?;
    if fork.tier == Tier::Off {
        return Ok(());
    }
    let readable: Vec<PathBuf> = if fork.tier == Tier::Namespaces {
        vec![PathBuf::from("/")]
    } else {
        crate::outer::common().map(PathBuf::from).chain(fork.visible.iter().cloned()).collect()
    };
    let kept = landlock::apply(fork, &readable)?;
    filters.apply(if fork.tier == Tier::Namespaces { Kept::Signals } else { kept })
}
