//! Where the base model is looked for and how it is fetched.

use std::{env, ffi::OsString, path::PathBuf};

use etcetera::BaseStrategy;

/// The index that is asked when no variable names another.
const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// Everything that [`locate_or_fetch`](super::locate_or_fetch) takes from its surroundings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// A file to use instead of a fetched one (`QIANSHOU_BASE`).
    pub base: Option<PathBuf>,
    /// The data folder (`QIANSHOU_HOME`, else `qianshou` in the platform's folder for user data).
    pub home: Option<PathBuf>,
    /// The Python command with its first arguments (`python3`).
    pub python: Vec<OsString>,
    /// The uv command with its first arguments, asked where Python has no pip (`uv`).
    pub uv: Vec<OsString>,
    /// The package index, asked by ourselves where there is neither pip nor uv (`PIP_INDEX_URL`,
    /// `UV_DEFAULT_INDEX`, `UV_INDEX_URL`). pip and uv read their own settings.
    pub index: String,
}

impl Settings {
    /// The settings that this process's environment asks for.
    pub fn from_env() -> Self {
        Self {
            base: variable("QIANSHOU_BASE").map(PathBuf::from),
            home: variable("QIANSHOU_HOME").map(PathBuf::from).or_else(platform_home),
            python: vec![if cfg!(windows) { "python".into() } else { "python3".into() }],
            uv: vec!["uv".into()],
            index: ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"]
                .into_iter()
                .filter_map(variable)
                .find_map(|value| value.into_string().ok())
                .unwrap_or_else(|| DEFAULT_INDEX.into()),
        }
    }
}

/// An environment variable; an empty one counts as absent.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Our folder in the platform's folder for user data, where the platform has one.
fn platform_home() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("qianshou"))
}
