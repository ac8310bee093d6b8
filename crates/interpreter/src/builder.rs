//! How to have an interpreter.

use std::path::PathBuf;
use std::time::Duration;

use qianshou_interpreter_protocol::{Limits, Network, Tier};

use crate::error::InterpreterError;
use crate::interpreter::Interpreter;
use crate::isolation::Isolation;

const MEBIBYTE: u64 = 1 << 20;

/// What is imported beforehand, where it is installed.
const PRELOADED: [&str; 5] = ["numpy", "pandas", "matplotlib.pyplot", "sympy", "scipy"];

/// Options of an [`Interpreter`]; the defaults are safe.
#[derive(Clone, Debug)]
#[must_use]
pub struct InterpreterBuilder {
    pub(crate) python: Option<PathBuf>,
    pub(crate) preload: Vec<String>,
    pub(crate) isolation: Isolation,
    pub(crate) tier: Option<Tier>,
    pub(crate) network: Network,
    pub(crate) limits: Limits,
    pub(crate) verify_anew: bool,
}

impl Default for InterpreterBuilder {
    fn default() -> Self {
        Self {
            python: None,
            preload: PRELOADED.map(String::from).to_vec(),
            isolation: Isolation::default(),
            tier: None,
            network: Network::Off,
            verify_anew: false,
            limits: Limits {
                cell_milliseconds: 30_000,
                grace_milliseconds: 1_000,
                memory_bytes: 2048 * MEBIBYTE,
                workspace_bytes: 512 * MEBIBYTE,
                workspace_files: 16_384,
                file_bytes: 256 * MEBIBYTE,
                processes: 64,
                open_files: 256,
                output_bytes: 32 * 1024,
                flood_bytes: 64 * MEBIBYTE,
                display_bytes: 32 * MEBIBYTE,
            },
        }
    }
}

impl InterpreterBuilder {
    /// The Python program to use. Otherwise that of `VIRTUAL_ENV`, else of the
    /// [managed environment](crate::managed_environment), else `python3` on the path.
    pub fn python(mut self, program: impl Into<PathBuf>) -> Self {
        self.python = Some(program.into());
        self
    }

    /// Modules to import beforehand, instead of numpy, pandas, matplotlib, sympy and scipy. What is not
    /// installed is left out.
    pub fn preload<I: Into<String>>(mut self, modules: impl IntoIterator<Item = I>) -> Self {
        self.preload = modules.into_iter().map(Into::into).collect();
        self
    }

    /// How much isolation to insist on.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Locks in this way or not at all, instead of the best way that works; for tests.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Tries the isolation out even if that was done today under the same circumstances.
    pub fn verify_anew(mut self) -> Self {
        self.verify_anew = true;
        self
    }

    /// What cells may reach. Anything beyond their own loopback is not there yet.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Wall clock of a cell; 30 seconds by default.
    pub fn cell_time(mut self, time: Duration) -> Self {
        self.limits.cell_milliseconds = milliseconds(time);
        self
    }

    /// What a cell has to answer an interrupt before it is killed and rolled back; one second by default.
    pub fn grace(mut self, time: Duration) -> Self {
        self.limits.grace_milliseconds = milliseconds(time);
        self
    }

    /// Memory of all processes and files of a session together, in bytes; 2 GiB by default.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory_bytes = bytes;
        self
    }

    /// What is kept of each of stdout and stderr, in bytes: head and tail; 32 KiB by default.
    pub fn output(mut self, bytes: u64) -> Self {
        self.limits.output_bytes = bytes;
        self
    }

    /// Size of the workspace and number of files in it; 512 MiB and 16,384 by default.
    pub fn workspace(mut self, bytes: u64, files: u64) -> Self {
        self.limits.workspace_bytes = bytes;
        self.limits.workspace_files = files;
        self
    }

    /// Size of one file, in bytes; 256 MiB by default.
    pub fn file(mut self, bytes: u64) -> Self {
        self.limits.file_bytes = bytes;
        self
    }

    /// Processes and threads of a session at a time; 64 by default. Where there is neither a namespace nor a control group
    /// to count them in, these come on top of what the user runs when the session begins.
    pub fn processes(mut self, processes: u64) -> Self {
        self.limits.processes = processes;
        self
    }

    /// Starts Python, imports what is to be imported, and tries out the isolation.
    ///
    /// # Errors
    /// [`InterpreterError`]: no usable Python, less isolation than required, or an unsupported system.
    pub async fn build(self) -> Result<Interpreter, InterpreterError> {
        let bounds = [
            ("cell_time", self.limits.cell_milliseconds > 0, "longer than a millisecond"),
            ("memory", self.limits.memory_bytes >= 64 * MEBIBYTE, "64 MiB or more"),
            ("output", (16..=MEBIBYTE).contains(&self.limits.output_bytes), "from 16 bytes to 1 MiB"),
            ("workspace", self.limits.workspace_bytes >= MEBIBYTE, "1 MiB or more"),
            ("processes", self.limits.processes >= 8, "8 or more"),
        ];
        for (name, holds, rule) in bounds {
            if !holds {
                return Err(InterpreterError::Limit { name, rule });
            }
        }
        Interpreter::start(self).await
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
