//! Our own data, which the program brings along.

use std::path::Path;
use std::sync::Arc;

use crate::code_interpreter::{self, CodeSample};
use crate::tool_selection::{self, ToolSample};
use crate::{DataError, DataFile};

const TOOLS: &str = include_str!("../data/tools.jsonl");
const TOOL_SELECTION: &str = include_str!("../data/tool-selection.jsonl");
const CODE_INTERPRETER: &str = include_str!("../data/code-interpreter.jsonl");
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The samples of our own for tool selection, and their files.
///
/// # Errors
/// When the data were built with a fault in them.
pub fn tool_selection() -> Result<(Vec<ToolSample>, Vec<DataFile>), DataError> {
    let tools = (Path::new("tools.jsonl"), TOOLS.as_bytes());
    tool_selection::own::read(tools, (Path::new("tool-selection.jsonl"), TOOL_SELECTION.as_bytes()))
}

/// The tasks of our own for the code interpreter, and their files.
///
/// # Errors
/// When the data were built with a fault in them.
pub fn code_interpreter() -> Result<(Vec<CodeSample>, Vec<DataFile>), DataError> {
    let file = |name: &str| FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| Arc::from(*content));
    code_interpreter::own::read((Path::new("code-interpreter.jsonl"), CODE_INTERPRETER.as_bytes()), file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_are_whole() {
        let (Ok((choices, _)), Ok((tasks, _))) = (tool_selection(), code_interpreter()) else {
            panic!("{:?} {:?}", tool_selection().err(), code_interpreter().err())
        };
        assert!(choices.len() >= 200 && choices.iter().filter(|sample| !sample.needs_call).count() >= 60);
        assert!(tasks.len() >= 60 && tasks.iter().any(|task| !task.files.is_empty()));
    }
}
