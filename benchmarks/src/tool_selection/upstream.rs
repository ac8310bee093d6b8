//! The official script's way to score, quirks and all (`eval/evaluate_plugin.py` of Qwen).
//!
//! Its quirks: the action is what stands between the first `Action:` and the first `Action Input:`, and a
//! keyword that is missing counts as standing before the last character of the reply, as Python's `find` has
//! it; an input that JSON5 cannot read is the empty text; a reply counts as a call only with `"\nAction: "` in
//! it. Every number that it gives is equal to the script's to the last digit.

use super::Pieces;
use super::python_text::{PythonText, normalised, strip};

/// What the script sees in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamReply {
    /// The action.
    pub action: String,
    /// The input, normalised; empty if it cannot be read.
    pub input: String,
    /// Whether the reply counts as a call.
    pub counts_as_call: bool,
}

/// Reads a reply as the script does.
pub fn read(reply: &str) -> UpstreamReply {
    let text = PythonText::new(&format!("{reply}\n"));
    let [action, input, observation] = ["Action:", "Action Input:", "Observation:"].map(|keyword| text.find(keyword));
    let length = |keyword: &str| keyword.len() as isize;
    let between = text.slice(input + length("Action Input:"), observation);
    UpstreamReply {
        action: strip(&text.slice(action + length("Action:"), input)).to_owned(),
        input: normalised(strip(&between)).unwrap_or_default(),
        counts_as_call: reply.contains("\nAction: "),
    }
}

/// Whether the tool is the right one: the reply counts as a call, and the actions are equal but for case.
pub fn selects_the_same(reply: &str, golden: &str) -> bool {
    let (reply, golden) = (read(reply), read(golden));
    reply.counts_as_call && reply.action.to_lowercase() == golden.action.to_lowercase()
}

/// How alike the inputs are, from 0 to 1.
pub fn input_likeness(reply: &str, golden: &str, pieces: &Pieces) -> f64 {
    pieces.rouge_l(&read(reply).input, &read(golden).input)
}
