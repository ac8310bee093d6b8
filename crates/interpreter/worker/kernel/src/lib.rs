//! The module that a warm Python imports. It serves the host's requests for sessions: each is a fork of
//! this Python, locked in, that runs cells for its supervisor.

#![cfg(target_os = "linux")]

mod cells;
mod channel;
mod checkpoint;
mod fork;
mod python;
mod selftest;
mod session;
mod template;
mod zygote;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The module: [`serve`](zygote::serve) alone.
#[pymodule]
mod qianshou_kernel_module {
    use pyo3::prelude::*;

    /// Imports `preload`, then forks a session for each request that comes on standard input.
    /// `program` is the descriptor of the supervisor's program.
    #[pyfunction]
    fn serve(python: Python<'_>, program: i32, preload: Vec<String>) -> PyResult<()> {
        crate::zygote::serve(python, program, preload).map_err(crate::to_python_error)
    }
}

/// The error of any part of this module; only ever shown.
type Failed = Box<dyn std::error::Error>;

fn to_python_error(error: Failed) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
