//! Writing text files of the workspace.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, OpenOptions};
use qianshou_agent::{Artifact, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::{fault, in_workspace, relative};

/// The longest text, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Writes a text file in the workspace; what was in it before is replaced.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct WriteFileArgs {
    /// The path in the workspace, for example notes/plan.md
    pub path: String,
    /// The whole text of the file
    pub content: String,
}

/// Writes a whole file, up to 1 MiB, and the folders that lead to it. The file is there at once or not at
/// all. It writes nothing outside the workspace of the run: links are replaced, not followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteFile;

impl Tool for WriteFile {
    type Args = WriteFileArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<WriteFileArgs>("write_file")
    }

    async fn call(&self, args: WriteFileArgs, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        if args.content.len() > MAX_BYTES {
            let length = args.content.len();
            return Err(ToolError::invalid_arguments(format!(
                "the content has {length} bytes; {MAX_BYTES} are the most"
            )));
        }
        in_workspace(context, move |root| {
            let path = relative(&args.path)?;
            let replaced = write(root, path, &args.content)?;
            let verb = if replaced { "replaced" } else { "wrote" };
            let told = format!("{verb} `{}` with {} bytes", path.display(), args.content.len());
            Ok(ToolOutput::from(told).with_artifact(Artifact::File { path: path.to_owned() }))
        })
        .await
    }
}

/// Writes the file, and tells whether there was one already.
fn write(root: &Dir, path: &Path, content: &str) -> Result<bool, ToolError> {
    let unwritable = |error| fault(root, path, error);
    let is_folder = || ToolError::invalid_arguments(format!("`{}` is a folder; name a file in it", path.display()));
    let name = path.file_name().filter(|_| !path.as_os_str().to_string_lossy().ends_with('/')).ok_or_else(is_folder)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    root.create_dir_all(folder).map_err(unwritable)?;
    // From here on nothing depends on the path but on the folder that it led to.
    let folder = root.open_dir(folder).map_err(unwritable)?;
    let before = folder.symlink_metadata(name).ok();
    if before.as_ref().is_some_and(|metadata| metadata.is_dir()) {
        return Err(is_folder());
    }
    // A file of its own first: a name may be a link to another file, or another name of one.
    let draft = draft_name();
    let written = folder
        .open_with(&draft, OpenOptions::new().write(true).create_new(true))
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| folder.rename(&draft, &folder, name));
    if let Err(error) = written {
        let _ = folder.remove_file(&draft);
        return Err(unwritable(error));
    }
    Ok(before.is_some())
}

/// A name that no other call uses.
fn draft_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(".qianshou-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
