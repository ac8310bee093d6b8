#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The embedded prompts, and folders that replace them.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use qianshou_prompts::{Prompt, PromptError, Prompts};

fn folder_with(name: &str, text: impl AsRef<[u8]>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    folder
}

/// An embedded prompt is its own replacement: the checks that hold for folders hold for it.
#[test]
fn the_embedded_files_pass_the_checks_for_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for prompt in Prompt::ALL {
        let folder = folder_with(prompt.path(), fs::read(root.join(prompt.path())).unwrap());
        assert_eq!(Prompts::with_folder(folder.path()).unwrap(), Prompts::embedded());
    }
}

#[test]
fn every_placeholder_of_an_embedded_prompt_is_used() {
    for &prompt in Prompt::ALL {
        for name in prompt.placeholders() {
            assert!(Prompts::embedded().text(prompt).contains(&format!("{{{name}}}")), "{prompt:?} {name}");
        }
    }
}

#[test]
fn a_file_of_the_same_name_replaces_the_embedded_one() {
    let folder = folder_with("observation/tool_failed.txt", "{error}?\r\n\n");
    let prompts = Prompts::with_folder(folder.path()).unwrap();
    assert_eq!(prompts.fill(Prompt::ToolFailed, &[("error", "no")]), "no?\n");
    assert_eq!(prompts.text(Prompt::System), "You are a helpful assistant.");
}

#[test]
fn wrong_folders_are_typed_errors() {
    let folder = folder_with("system/default.txt", "{who}");
    let error = Prompts::with_folder(folder.path()).unwrap_err();
    assert!(matches!(&error, PromptError::UnknownPlaceholder { name, .. } if name == "who"));
    assert!(error.to_string().contains("unknown placeholder {who}; it may use none"), "{error}");

    let folder = folder_with("system/defualt.txt", "hello");
    let error = Prompts::with_folder(folder.path()).unwrap_err();
    assert!(matches!(error, PromptError::UnknownFile { .. }));
    assert!(error.to_string().contains("system/default.txt"), "{error}");

    let folder = folder_with("system/default.txt", [0xff]);
    assert!(matches!(Prompts::with_folder(folder.path()), Err(PromptError::Unreadable { .. })));
    assert!(matches!(Prompts::with_folder("/no/such/folder"), Err(PromptError::Unreadable { .. })));
}

#[test]
fn the_forms_of_other_models_are_folders_of_prompts() {
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("forms");
    let forms: Vec<_> = fs::read_dir(forms).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!forms.is_empty());
    for form in forms {
        assert_ne!(Prompts::with_folder(&form).unwrap(), Prompts::embedded(), "{}", form.display());
    }
}

#[test]
fn other_files_are_left_alone() {
    let folder = folder_with("README.md", "{anything}");
    assert_eq!(Prompts::with_folder(folder.path()).unwrap(), Prompts::embedded());
}

/// The words of the code interpreter on which Qwen was trained, and the form of its observations.
#[test]
fn the_code_interpreter_speaks_as_in_training() {
    let prompts = Prompts::embedded();
    assert_eq!(prompts.text(Prompt::CodeInterpreterName), "代码解释器");
    assert_eq!(prompts.text(Prompt::CodeInterpreterDescription), "代码解释器，可用于执行Python代码。");
    assert_eq!(prompts.text(Prompt::CodeInterpreterCode), "待执行的代码");
    let section = prompts.fill(Prompt::CodeSection, &[("stream", "stdout"), ("text", "{text}")]);
    assert_eq!(section, "stdout:\n\n```\n{text}\n```");
    let figure = prompts.fill(Prompt::CodeFigure, &[("name", "fig-001"), ("path", "fig-001.png")]);
    assert_eq!(figure, "![fig-001](fig-001.png)");
}

proptest! {
    #[test]
    fn a_value_is_never_read_as_a_template(value in r"\{?[a-z_{}]{0,12}\}?", other in "[{}a-z]{0,8}") {
        let text = Prompts::embedded().fill(Prompt::ToolFailed, &[("name", &value), ("error", &other)]);
        prop_assert_eq!(text, format!("The tool {value} failed: {other}"));
    }
}
