//! The folder of a run, and no way out of it.
//!
//! Paths come from a model. They are resolved below an open handle of the folder (`cap-std`), step by
//! step and by the operating system where it can (`openat2` on Linux), so that neither `..` nor a link
//! leads out, even one that is put there between a check and the use.

use std::io::{Error, ErrorKind};
use std::path::{Component, Path};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use qianshou_agent::{ToolContext, ToolError};

use crate::blocking::blocking;

/// How many names of a folder are told when one is missing.
const NAMES_TOLD: usize = 10;

/// Does `work` in the workspace of the run, on a thread that may wait for a disk.
pub(crate) async fn in_workspace<Done: Send + 'static>(
    context: &ToolContext,
    work: impl FnOnce(&Dir) -> Result<Done, ToolError> + Send + 'static,
) -> Result<Done, ToolError> {
    let folder = context.workspace().ok_or_else(|| {
        ToolError::new("this run has no workspace, so there are no files")
            .with_diagnostics("give the agent a folder with `AgentBuilder::workspace`")
    })?;
    let folder = folder.to_owned();
    blocking(move || {
        let root = Dir::open_ambient_dir(&folder, ambient_authority()).map_err(|error| {
            ToolError::new("the workspace cannot be opened")
                .with_diagnostics(folder.display().to_string())
                .with_source(error)
        })?;
        work(&root)
    })
    .await
}

/// The path that a model wrote.
///
/// # Errors
/// When it is absolute; what leads outside in other ways is found out when it is used.
pub(crate) fn relative(path: &str) -> Result<&Path, ToolError> {
    let path = Path::new(if path.is_empty() { "." } else { path });
    match path.components().next() {
        Some(Component::RootDir | Component::Prefix(_)) => {
            let inside = path.components().filter(|part| matches!(part, Component::Normal(_)));
            let inside = inside.collect::<std::path::PathBuf>();
            Err(ToolError::invalid_arguments(format!(
                "paths are relative to the workspace: not `{}`, but for example `{}`",
                path.display(),
                if inside.as_os_str().is_empty() { Path::new(".") } else { &inside }.display(),
            )))
        }
        _ => Ok(path),
    }
}

/// What to tell about a path that cannot be used.
pub(crate) fn fault(root: &Dir, path: &Path, error: Error) -> ToolError {
    let shown = path.display();
    match error.kind() {
        // `cap-std` reports a way out so; the operating system's own refusals have a number.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            ToolError::invalid_arguments(format!("`{shown}` leads out of the workspace"))
        }
        ErrorKind::NotFound => ToolError::new(format!("there is no `{shown}`{}", instead(root, path))),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            ToolError::new(format!("`{shown}` goes through a file as if that were a folder"))
        }
        _ => ToolError::new(format!("`{shown}` cannot be used")).with_source(error),
    }
}

/// What there is in place of a path that is not there: the nearest name in the deepest folder of it that
/// exists, else some of the names.
fn instead(root: &Dir, path: &Path) -> String {
    let existing = path.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || root.is_dir(folder));
    let folder = existing.unwrap_or(Path::new(""));
    let missing = path.strip_prefix(folder).ok().and_then(|rest| rest.components().next());
    let names = names(root, folder).unwrap_or_default();
    let beside = |name: &str| folder.join(name).display().to_string();
    if names.is_empty() {
        return "; the folder is empty".to_owned();
    }
    let wanted = missing.map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(name) = nearest(&wanted, &names) {
        return format!("; did you mean `{}`?", beside(name));
    }
    let told: Vec<_> = names.iter().take(NAMES_TOLD).map(|name| format!("`{}`", beside(name))).collect();
    let more = if names.len() > NAMES_TOLD { ", …" } else { "" };
    format!("; there is {}{more}", told.join(", "))
}

/// The names in a folder, sorted.
fn names(root: &Dir, folder: &Path) -> std::io::Result<Vec<String>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = root.read_dir(folder)?;
    let mut names: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort_unstable();
    Ok(names)
}

/// The name that looks most like `wanted`, if one does.
fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a String> {
    const ALIKE: f64 = 0.75;
    let likeness = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let scored = names.iter().map(|name| (likeness(name), name)).filter(|(score, _)| *score >= ALIKE);
    scored.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}
