//! Listing folders of the workspace.

use std::path::Path;

use cap_std::fs::{Dir, DirEntry};
use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::{fault, in_workspace, relative};

/// The most entries of one listing.
const MAX_ENTRIES: usize = 200;

/// Lists the files in a folder of the workspace.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct ListFilesArgs {
    /// The folder; the whole workspace by default
    pub path: Option<String>,
}

/// Lists one folder, sorted: a path on each line as the other tools take it, files with their size in
/// bytes, folders with a slash, 200 at most. It lists nothing outside the workspace of the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListFiles;

impl Tool for ListFiles {
    type Args = ListFilesArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<ListFilesArgs>("list_files")
    }

    async fn call(&self, args: ListFilesArgs, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        in_workspace(context, move |root| {
            let path = relative(args.path.as_deref().unwrap_or("."))?;
            list(root, path).map(Into::into)
        })
        .await
    }
}

fn list(root: &Dir, path: &Path) -> Result<String, ToolError> {
    let unreadable = |error| fault(root, path, error);
    if root.metadata(path).map_err(unreadable)?.is_file() {
        return Err(ToolError::new(format!("`{}` is a file; read_file reads it", path.display())));
    }
    let entries = root.read_dir(path).map_err(unreadable)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if entries.is_empty() {
        return Ok("the folder is empty".to_owned());
    }
    entries.sort_by_cached_key(DirEntry::file_name);
    let mut lines: Vec<_> = entries.iter().take(MAX_ENTRIES).map(|entry| line(path, entry)).collect();
    if entries.len() > MAX_ENTRIES {
        lines.push(format!("[{} more are not shown]", entries.len() - MAX_ENTRIES));
    }
    Ok(lines.join("\n"))
}

fn line(folder: &Path, entry: &DirEntry) -> String {
    let path = folder.strip_prefix(".").unwrap_or(folder).join(entry.file_name());
    // A line break in a name would look like another entry.
    let path = path.to_string_lossy().replace(char::is_control, "\u{fffd}");
    match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => format!("{path}/"),
        Ok(metadata) if metadata.is_file() => format!("{path} ({} bytes)", metadata.len()),
        Ok(metadata) if metadata.is_symlink() => format!("{path} (a link)"),
        _ => format!("{path} (not a regular file)"),
    }
}
