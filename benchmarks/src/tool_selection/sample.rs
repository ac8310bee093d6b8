//! A question with tools, and the calls that it needs.

use std::collections::BTreeMap;

use qianshou_agent::{ToolSpec, python_json};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Sample;

/// What the model is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolQuestion {
    /// A whole prompt with tools, format and question, as the official exam has it.
    Prompt(String),
    /// A question; the tools are offered by an agent.
    Question(String),
}

/// A call that is needed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Other values that are as good, by parameter; `null` says that it may be left out.
    #[serde(default)]
    pub accepted: BTreeMap<String, Vec<Value>>,
}

/// A question with tools.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSample {
    /// Its id.
    pub id: String,
    /// What it counts to in tables.
    pub category: String,
    /// What is asked.
    pub question: ToolQuestion,
    /// The tools that are offered.
    pub tools: Vec<ToolSpec>,
    /// The calls that are needed, in any order; none where no tool is.
    pub calls: Vec<ExpectedCall>,
    /// Whether a call is needed.
    pub needs_call: bool,
    /// The reply that the official script compares with.
    pub golden: String,
}

impl ToolSample {
    /// The reply of a model that makes this call first, or answers at once.
    pub(crate) fn golden_of(calls: &[ExpectedCall]) -> String {
        match calls.first() {
            Some(call) => {
                let input = python_json(&Value::Object(call.arguments.clone()));
                format!("Thought: I call a tool.\nAction: {}\nAction Input: {input}\nObservation: ", call.name)
            }
            None => "Thought: I need no tool.\nFinal Answer: ".to_owned(),
        }
    }
}

impl Sample for ToolSample {
    fn id(&self) -> &str {
        &self.id
    }

    fn category(&self) -> &str {
        &self.category
    }

    fn question(&self) -> &str {
        match &self.question {
            // The question is what a reader wants to see of a prompt of a thousand words.
            ToolQuestion::Prompt(prompt) => prompt.rsplit_once("\nQuestion: ").map_or(prompt, |(_, question)| question),
            ToolQuestion::Question(question) => question,
        }
    }

    fn expected(&self) -> String {
        if !self.needs_call {
            return "no call".to_owned();
        }
        let calls = self.calls.iter().map(|call| {
            let arguments = python_json(&Value::Object(call.arguments.clone()));
            format!("{}({arguments})", call.name)
        });
        calls.collect::<Vec<_>>().join(" and ")
    }
}
