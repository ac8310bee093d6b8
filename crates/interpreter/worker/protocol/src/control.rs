//! Host to launcher and warm Python: how to start, and one fork a session.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::session::{Limits, Network};

/// How a session is locked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Namespaces and a root file system of its own, with Landlock and seccomp inside.
    Namespaces,
    /// Landlock and seccomp alone, where namespaces are refused.
    Landlock,
    /// Nothing but limits.
    Off,
}

/// The first message to the launcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// [`VERSION`](crate::VERSION) of the sender.
    pub version: u32,
    /// How to lock in.
    pub tier: Tier,
    /// The Python program.
    pub python: PathBuf,
    /// What Python runs; its arguments are the descriptors of the module and of the supervisor's program.
    pub bootstrap: String,
    /// The whole environment of the warm Python.
    pub environment: Vec<(String, String)>,
    /// Files and folders to show, read-only, beside what every system has.
    pub visible: Vec<PathBuf>,
    /// A folder of the host that is of no use when Python has ended.
    pub scratch: Option<PathBuf>,
    /// The control group whose groups sessions are in, of no use then either.
    pub group: Option<PathBuf>,
    /// The module's file.
    pub module: PathBuf,
    /// Modules to import beforehand.
    pub preload: Vec<String>,
}

/// What the warm Python says once, when it has imported what it was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warm {
    /// Ready to fork.
    Ready(WarmReport),
    /// A step of locking it in was refused.
    NotConfined(String),
    /// It cannot go on.
    Failed(String),
}

/// What the warm Python found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WarmReport {
    /// Which Python this is.
    pub python: PythonFacts,
    /// Imported beforehand.
    pub imported: Vec<ModuleImport>,
    /// Asked for, and not installed.
    pub missing: Vec<String>,
    /// Asked for, installed, and broken.
    pub failed: Vec<String>,
    /// The font for Chinese text in plots, if there is one.
    pub cjk_font: Option<String>,
}

/// Version and place of a Python.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PythonFacts {
    /// For example `3.11.7`.
    pub version: String,
    /// The program.
    pub executable: String,
    /// The environment that it belongs to.
    pub prefix: String,
}

/// A module imported beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleImport {
    /// For example `numpy`.
    pub name: String,
    /// Its version, if it tells.
    pub version: Option<String>,
    /// How long the import took.
    pub milliseconds: f64,
}

/// Asks the warm Python for a session. The session's socket travels with this message, and behind it the entrance
/// of the session's control group if it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fork {
    /// How to lock in; the same as the launcher's.
    pub tier: Tier,
    /// The workspace; a folder of the host where there is no file system of the session's own.
    pub workspace: PathBuf,
    /// What Landlock leaves readable.
    pub visible: Vec<PathBuf>,
    /// The bounds of the session.
    pub limits: Limits,
    /// What the session may reach.
    pub network: Network,
    /// Whether it has a control group.
    pub has_group: bool,
    /// Whether that bounds its processes, so that nothing else has to count them.
    pub group_bounds_processes: bool,
}

/// What a supervisor is told when it starts, as its first argument; the second is the kernel's process.
/// The first four are descriptors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supervise {
    /// The session's socket to the host.
    pub host: i32,
    /// The socket to the kernel.
    pub kernel: i32,
    /// The read end of the kernel's standard output.
    pub stdout: i32,
    /// The read end of the kernel's standard error.
    pub stderr: i32,
    /// The session.
    pub fork: Fork,
}
