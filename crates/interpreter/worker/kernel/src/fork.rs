//! Forks that Python knows of, by way of a process that borrows its memory.

#![expect(unsafe_code, reason = "Python's hooks around a fork and the borrowed memory have no safe wrapper")]

use std::convert::Infallible;
use std::io;

use pyo3::Python;
use pyo3::ffi::{PyOS_AfterFork_Child, PyOS_AfterFork_Parent, PyOS_BeforeFork};
use qianshou_interpreter_confine::borrow::{Borrowed, borrow};
use qianshou_interpreter_confine::system::{Fork, exit_now, fork};
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Where a fork goes on.
pub(crate) enum Side<T> {
    /// In the process that forked, with the number of the one in between.
    Original(Pid),
    /// In the copy, with what was prepared for it.
    Copy(T),
}

/// Has a process in between, in new namespaces if `flags` say so, `prepare` and then fork a copy of this
/// process, which goes on with what `begin` makes of what was prepared; the one in between goes on with `then`,
/// which becomes another program. What fails in between is for `complain`, and there is no copy then.
///
/// The process in between runs in this one's memory: all three must leave it as it was. `begin` runs in the copy
/// before Python knows of it, and must not use Python.
pub(crate) fn fork_between<T, B>(
    _: Python<'_>,
    flags: UnshareFlags,
    prepare: impl FnOnce() -> Result<T, crate::Failed>,
    begin: impl FnOnce(T) -> B,
    then: impl FnOnce(&T, Pid) -> Result<Infallible, crate::Failed>,
    complain: impl FnOnce(crate::Failed),
) -> io::Result<Side<B>> {
    let mut copy = None;
    let between = || {
        let forked = prepare().and_then(|prepared| match fork()? {
            Fork::Child => {
                // In the copy alone, whose memory is its own.
                copy = Some(begin(prepared));
                Ok(())
            }
            Fork::Parent(child) => then(&prepared, child).map(|never| match never {}),
        });
        if let Err(error) = forked {
            complain(error);
            exit_now(1);
        }
    };
    // SAFETY: the interpreter is attached, and the hooks are called as `os.fork` does: the first before,
    // and of the others the one for the side that this is. `between` returns in the copy alone: in the
    // process that it is called in, both ways on from the fork end in `exit_now` or another program.
    unsafe {
        PyOS_BeforeFork();
        let side = borrow(flags, between);
        if matches!(side, Ok(Borrowed::Descendant)) {
            PyOS_AfterFork_Child()
        } else {
            PyOS_AfterFork_Parent()
        }
        match (side?, copy) {
            (Borrowed::Lender(between), _) => Ok(Side::Original(between)),
            (Borrowed::Descendant, Some(begun)) => Ok(Side::Copy(begun)),
            // A copy has begun when it comes here.
            (Borrowed::Descendant, None) => exit_now(1),
        }
    }
}
