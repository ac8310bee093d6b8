//! Forks that Python knows of, without the warning that its own `os.fork` gives when threads run.

#![expect(unsafe_code, reason = "Python's hooks around a fork have no safe wrapper")]

use std::io;

use pyo3::Python;
use pyo3::ffi::{PyOS_AfterFork_Child, PyOS_AfterFork_Parent, PyOS_BeforeFork};
use qianshou_interpreter_confine::system::{self, Fork};

/// Forks this process; the child goes on with this thread alone.
pub(crate) fn fork(_: Python<'_>) -> io::Result<Fork> {
    // SAFETY: the interpreter is attached, and the three hooks are called as `os.fork` does: the first
    // before, and of the others the one for the side that this is.
    unsafe {
        PyOS_BeforeFork();
        let side = system::fork();
        if matches!(side, Ok(Fork::Child)) {
            PyOS_AfterFork_Child()
        } else {
            PyOS_AfterFork_Parent()
        }
        side
    }
}
