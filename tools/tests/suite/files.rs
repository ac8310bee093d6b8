use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use qianshou_agent::{AnyTool, Artifact, ToolContext, ToolError, ToolOutput};
use qianshou_tools::{ListFiles, ReadFile, WriteFile};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn called(tool: &dyn AnyTool, folder: &Path, arguments: Value) -> Result<ToolOutput, ToolError> {
    tool.call(arguments, &ToolContext::default().with_workspace(folder)).await
}

/// What the model reads.
async fn told(tool: &dyn AnyTool, folder: &Path, arguments: Value) -> String {
    called(tool, folder, arguments).await.map_or_else(|error| format!("error: {error}"), |output| output.text)
}

fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("data/empty")).unwrap();
    fs::write(folder.path().join("report.txt"), "one\ntwo\n").unwrap();
    fs::write(folder.path().join("data/sales.csv"), "a,b\n1,2\n").unwrap();
    folder
}

#[tokio::test]
async fn a_file_is_read_whole_or_by_lines() {
    let folder = workspace();
    let read = |arguments| told(&ReadFile, folder.path(), arguments);
    assert_eq!(read(json!({"path": "report.txt"})).await, "one\ntwo\n");
    assert_eq!(read(json!({"path": "./data/../report.txt"})).await, "one\ntwo\n");
    let lines = json!({"path": "data/sales.csv", "first_line": 2, "last_line": 2});
    assert_eq!(read(lines).await, "1,2\n[lines 2 to 2 of 2]");
    let zero = called(&ReadFile, folder.path(), json!({"path": "report.txt", "first_line": 0})).await;
    assert!(zero.is_err_and(|error| error.is_invalid_arguments()));
}

#[tokio::test]
async fn a_missing_file_is_told_with_what_there_is() {
    let folder = workspace();
    let cases = [
        ("reprot.txt", "error: there is no `reprot.txt`; did you mean `report.txt`?"),
        ("dta/sales.csv", "error: there is no `dta/sales.csv`; did you mean `data`?"),
        ("data/Sales.CSV", "error: there is no `data/Sales.CSV`; did you mean `data/sales.csv`?"),
        ("zzz", "error: there is no `zzz`; there is `data`, `report.txt`"),
        ("data/empty/x", "error: there is no `data/empty/x`; the folder is empty"),
        ("data", "error: `data` is a folder; list_files shows what is in it"),
        ("report.txt/x", "error: `report.txt/x` goes through a file as if that were a folder"),
        ("/etc/passwd", "error: paths are relative to the workspace: not `/etc/passwd`, but for example `etc/passwd`"),
        ("../x", "error: `../x` leads out of the workspace"),
        ("data/../../x", "error: `data/../../x` leads out of the workspace"),
        ("a\0b", "error: `a\0b` cannot be used"),
        ("", "error: `.` is a folder; list_files shows what is in it"),
    ];
    for (path, expected) in cases {
        assert_eq!(told(&ReadFile, folder.path(), json!({ "path": path })).await, expected, "{path}");
    }
}

#[tokio::test]
async fn only_paths_that_are_wrong_in_themselves_are_repairs() {
    let folder = workspace();
    for (path, repair) in [("../x", true), ("/x", true), ("x", false), ("data", false)] {
        let error = called(&ReadFile, folder.path(), json!({ "path": path })).await.unwrap_err();
        assert_eq!(error.is_invalid_arguments(), repair, "{path}");
    }
}

#[tokio::test]
async fn a_file_is_written_with_its_folders() {
    let folder = workspace();
    let written = called(&WriteFile, folder.path(), json!({"path": "a/b/c.txt", "content": "汉"})).await.unwrap();
    assert_eq!(written.text, "wrote `a/b/c.txt` with 3 bytes");
    assert_eq!(written.artifacts, [Artifact::File { path: PathBuf::from("a/b/c.txt") }]);
    assert_eq!(fs::read_to_string(folder.path().join("a/b/c.txt")).unwrap(), "汉");
    let again = json!({"path": "a/b/c.txt", "content": ""});
    assert_eq!(told(&WriteFile, folder.path(), again).await, "replaced `a/b/c.txt` with 0 bytes");
    assert_eq!(told(&ListFiles, folder.path(), json!({"path": "a/b"})).await, "a/b/c.txt (0 bytes)");
}

#[tokio::test]
async fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = workspace();
    let cases = [
        ("data", "error: `data` is a folder; name a file in it"),
        ("new/", "error: `new/` is a folder; name a file in it"),
        (".", "error: `.` is a folder; name a file in it"),
        ("report.txt/x", "error: `report.txt/x` goes through a file as if that were a folder"),
        ("../x", "error: `../x` leads out of the workspace"),
    ];
    let before = contents(folder.path());
    for (path, expected) in cases {
        let arguments = json!({"path": path, "content": "new"});
        assert_eq!(told(&WriteFile, folder.path(), arguments).await, expected, "{path}");
    }
    let long = json!({"path": "x", "content": "x".repeat(1 << 21)});
    let expected = "error: the content has 2097152 bytes; 1048576 are the most";
    assert_eq!(told(&WriteFile, folder.path(), long).await, expected);
    assert_eq!(contents(folder.path()), before);
}

#[tokio::test]
async fn a_listing_is_sorted_and_cut() {
    let folder = workspace();
    let list = |arguments| told(&ListFiles, folder.path(), arguments);
    assert_eq!(list(json!({})).await, "data/\nreport.txt (8 bytes)");
    assert_eq!(list(json!({"path": "data"})).await, "data/empty/\ndata/sales.csv (8 bytes)");
    assert_eq!(list(json!({"path": "data/empty"})).await, "the folder is empty");
    assert_eq!(list(json!({"path": "report.txt"})).await, "error: `report.txt` is a file; read_file reads it");
    assert_eq!(list(json!({"path": "dta"})).await, "error: there is no `dta`; did you mean `data`?");
    assert_eq!(list(json!({"path": ".."})).await, "error: `..` leads out of the workspace");
    for number in 0..210 {
        fs::write(folder.path().join(format!("data/empty/{number:03}")), "").unwrap();
    }
    let listing = list(json!({"path": "data/empty"})).await;
    assert!(listing.starts_with("data/empty/000 (0 bytes)\ndata/empty/001 (0 bytes)\n"), "{listing}");
    assert!(listing.ends_with("\ndata/empty/199 (0 bytes)\n[10 more are not shown]"), "{listing}");
}

#[tokio::test]
async fn without_a_workspace_there_are_no_files() {
    let error = AnyTool::call(&ListFiles, json!({}), &ToolContext::default()).await.unwrap_err();
    assert_eq!(error.text(), "this run has no workspace, so there are no files");
    let missing = Path::new("no/such/folder");
    assert_eq!(told(&ListFiles, missing, json!({})).await, "error: the workspace cannot be opened");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_not_waited_for() {
    let folder = workspace();
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let read = told(&ReadFile, folder.path(), json!({"path": "pipe"})).await;
    assert_eq!(read, "error: `pipe` is not a regular file");
    assert!(told(&ListFiles, folder.path(), json!({})).await.contains("pipe (not a regular file)"));
}

/// A second name of a file outside is not written through.
#[tokio::test]
async fn a_hard_link_is_replaced() {
    let outside = tempfile::tempdir().unwrap();
    let folder = workspace();
    fs::write(outside.path().join("secret"), "outside").unwrap();
    fs::hard_link(outside.path().join("secret"), folder.path().join("link")).unwrap();
    told(&WriteFile, folder.path(), json!({"path": "link", "content": "inside"})).await;
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "outside");
    assert_eq!(fs::read_to_string(folder.path().join("link")).unwrap(), "inside");
}

/// All files below a folder, by path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        }
        found.insert(entry.path(), fs::read(entry.path()).ok());
    }
    found
}

#[cfg(unix)]
mod confinement {
    use std::os::unix::fs::symlink;

    use super::*;

    const SECRET: &str = "7f3c-outside";

    /// A part of a path: names that are there, links, ways up, and anything else.
    fn part() -> impl Strategy<Value = String> {
        const KNOWN: [&str; 12] =
            ["..", ".", "", "inside", "deep", "up", "out", "root", "file", "chain", "secret", "w"];
        prop_oneof![8 => prop::sample::select(&KNOWN[..]).prop_map(str::to_owned), 1 => "\\PC{0,4}"]
    }

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(part(), 0..7).prop_map(|parts| parts.join("/"))
    }

    /// What a link may lead to. `OUT` stands for the folder above the workspace.
    fn target() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(&["OUT", "OUT/secret", "OUT/w", "/", "..", "../secret", "OUT/w/deep/../.."][..])
                .prop_map(str::to_owned),
            path(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Beside the workspace `w` lies a file; whatever path is asked for over whatever links, its
        /// content and name are never seen and nothing beside the workspace changes.
        #[test]
        fn nothing_outside_is_read_listed_or_written(
            path in path(),
            absolute in any::<bool>(),
            links in prop::collection::vec((prop::sample::select(&["up", "out", "root", "deep/up", "inside/chain"][..]), target()), 0..5),
        ) {
            let above = tempfile::tempdir().unwrap();
            let folder = above.path().join("w");
            fs::create_dir_all(folder.join("deep/inside")).unwrap();
            fs::create_dir_all(folder.join("inside")).unwrap();
            fs::write(folder.join("inside/file"), "inside").unwrap();
            fs::write(above.path().join("secret"), SECRET).unwrap();
            for (link, target) in links {
                let target = target.replace("OUT", above.path().to_str().unwrap());
                // Some names are taken and some targets no paths.
                let _ = symlink(target, folder.join(link));
            }
            let path = if absolute { format!("{}/{path}", above.path().display()) } else { path };
            let beside = |contents: BTreeMap<PathBuf, _>| -> BTreeMap<PathBuf, _> {
                contents.into_iter().filter(|(path, _)| !path.starts_with(&folder)).collect()
            };
            let before = beside(contents(above.path()));

            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let read = called(&ReadFile, &folder, json!({ "path": path })).await;
                prop_assert!(!read.is_ok_and(|output| output.text.contains(SECRET)));
                // The listing of the folder above would have the workspace itself in it.
                let listed = called(&ListFiles, &folder, json!({ "path": path })).await;
                let seen = |listing: &str| listing.contains("secret") || listing.lines().any(|line| line.ends_with("w/"));
                prop_assert!(!listed.is_ok_and(|output| seen(&output.text.replace(&path, ""))));
                let _ = called(&WriteFile, &folder, json!({"path": path, "content": "written"})).await;
                Ok(())
            })?;
            prop_assert_eq!(beside(contents(above.path())), before);
        }
    }
}
