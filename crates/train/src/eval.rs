//! A model put to the test: episodes through the real agent, with real tools.

mod measures;

use std::sync::Arc;

use qianshou_agent::{Agent, AnyTool, ReAct, ToolSpec};
use qianshou_chat::{ChatModel, Sampling};
use qianshou_interpreter::Interpreter;
use qianshou_tools::{Calculator, CodeInterpreter, ListFiles, ReadFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::measures::{Measure, Measures, measures};
use crate::data::{Rehearsed, workspace};
use crate::{Episode, Group, Kind, TrainError};

/// Steps that an episode may take: the most that one needs, and the repairs.
const STEPS: usize = 6;

/// What a model did with one episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the episode tests.
    pub kind: Kind,
    /// What was asked.
    pub question: String,
    /// The tool that had to be called first, if any.
    pub expected: Option<String>,
    /// The first call: name and input.
    pub call: Option<(String, String)>,
    /// The first call is of the right tool; no call, where none is needed.
    pub selected: bool,
    /// Its arguments are right, too, all of them.
    pub exact: bool,
    /// All calls that the episode needs came back with what they should.
    pub observed: bool,
    /// The final answer has the facts of the expected one.
    pub right: bool,
    /// The final answer.
    pub answer: String,
}

/// Runs every episode of groups that `interpreter` and model can do, and reports each.
///
/// # Errors
/// When an agent cannot be built. A run that fails counts as a wrong answer.
pub async fn evaluate(
    model: &Arc<dyn ChatModel>,
    protocol: &ReAct,
    groups: &[Group],
    interpreter: Option<&Interpreter>,
    report: &mut dyn FnMut(&Outcome),
) -> Result<Vec<Outcome>, TrainError> {
    let mut outcomes = Vec::new();
    for group in groups {
        for episode in &group.episodes {
            let outcome = run(model, protocol, &group.tools, episode, interpreter).await?;
            report(&outcome);
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

async fn run(
    model: &Arc<dyn ChatModel>,
    protocol: &ReAct,
    specs: &[ToolSpec],
    episode: &Episode,
    interpreter: Option<&Interpreter>,
) -> Result<Outcome, TrainError> {
    let tools = specs.iter().map(|spec| tool(spec, episode, interpreter)).collect::<Result<Vec<_>, _>>()?;
    let workspace = workspace(&episode.files)?;
    let agent = Agent::builder(Arc::clone(model))
        .any_tools(tools)
        .protocol(protocol.clone())
        .sampling(Sampling::greedy())
        .max_steps(STEPS)
        .max_reply_tokens(400)
        .workspace(workspace.path())
        .build()?;
    let run = agent.run(episode.question.as_str()).await;
    let calls: Vec<_> = run.iter().flat_map(|answer| &answer.steps).flat_map(|step| &step.calls).collect();
    let wanted: Vec<_> = episode.calls.iter().filter(|call| !call.mistake).collect();
    let first = calls.first();
    let selected = first.map(|call| call.name.as_str()) == wanted.first().map(|call| call.tool.as_str());
    let exact = match (first, wanted.first()) {
        (Some(call), Some(wanted)) => selected && same_input(&call.input, &wanted.input),
        _ => selected,
    };
    let observed = wanted.iter().all(|wanted| {
        let told = |text: &str| text == wanted.observation;
        calls.iter().any(|call| call.name == wanted.tool && call.observation.iter().any(|seen| told(&seen.text)))
    });
    let answer = run.as_ref().map_or_else(|_| String::new(), |answer| answer.text.clone());
    Ok(Outcome {
        kind: episode.kind,
        question: episode.question.clone(),
        expected: wanted.first().map(|call| call.tool.clone()),
        call: first.map(|call| (call.name.clone(), call.input.clone())),
        selected,
        exact,
        observed,
        right: has_facts(&answer, episode),
        answer,
    })
}

/// The real tool where there is one. The clock tells the moment of the episode, so that its answer is known, and an
/// authored tool what was written for it, whatever it is called with.
fn tool(spec: &ToolSpec, episode: &Episode, interpreter: Option<&Interpreter>) -> Result<Arc<dyn AnyTool>, TrainError> {
    Ok(match (spec.name.as_str(), interpreter) {
        ("calculator", _) => Arc::new(Calculator),
        ("read_file", _) => Arc::new(ReadFile),
        ("list_files", _) => Arc::new(ListFiles),
        ("code_interpreter", Some(interpreter)) => Arc::new(CodeInterpreter::new(interpreter.clone())?),
        (name, _) => {
            let calls = episode.calls.iter().filter(|call| call.tool == name && !call.mistake);
            Arc::new(Rehearsed::new(spec.clone(), calls.map(|call| call.observation.clone())))
        }
    })
}

/// Whether two inputs mean the same arguments: spaces, the order of keys, and `2` or `2.0` do not matter.
fn same_input(found: &str, wanted: &str) -> bool {
    match (serde_json::from_str::<Value>(found.trim()), serde_json::from_str::<Value>(wanted.trim())) {
        (Ok(found), Ok(wanted)) => same(&found, &wanted),
        _ => found.trim() == wanted.trim(),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| same(value, found)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// Whether an answer has the facts of the expected one: the words of it that came back from the tools, those of the
/// question left out. Where nothing came back there is nothing to check but that there is an answer.
fn has_facts(answer: &str, episode: &Episode) -> bool {
    let found = words(answer);
    let seen: Vec<String> = episode.calls.iter().flat_map(|call| words(&call.observation)).collect();
    let asked = words(&episode.question);
    let expected = words(&episode.answer);
    let facts = expected.iter().filter(|word| seen.contains(word) && !asked.contains(word) && is_fact(word));
    !answer.trim().is_empty() && facts.into_iter().all(|fact| found.contains(fact))
}

fn is_fact(word: &str) -> bool {
    word.chars().any(|letter| letter.is_ascii_digit()) || word.chars().count() > 3
}

/// Words and numbers in small letters.
fn words(text: &str) -> Vec<String> {
    let inner = |letter: char| letter.is_alphanumeric() || ".:-_%".contains(letter);
    let words = text
        .split(|letter: char| !inner(letter))
        .map(|word| word.trim_matches(|letter: char| ".:-_%".contains(letter)));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

    #[test]
    fn inputs_are_compared_by_what_they_mean() {
        assert!(same_input(r#"{"a": 2.0, "b": "x"}"#, r#"{"b":"x","a":2}"#));
        assert!(!same_input(r#"{"a": "2"}"#, r#"{"a": 2}"#));
        assert!(!same_input(r#"{"a": 2, "b": 1}"#, r#"{"a": 2}"#));
        assert!(same_input("```py\nprint(1)\n```\n", "```py\nprint(1)\n```"));
    }

    #[test]
    fn an_answer_is_right_by_what_came_back() {
        let call = Call {
            thought: String::new(),
            tool: "weather".to_owned(),
            input: "{}".to_owned(),
            observation: r#"{"city": "Oslo", "celsius": 21.5}"#.to_owned(),
            mistake: false,
        };
        let episode = Episode {
            kind: Kind::Authored,
            question: "Weather in Oslo?".to_owned(),
            calls: vec![call],
            thought: String::new(),
            answer: "It is 21.5 degrees in Oslo.".to_owned(),
            files: Vec::new(),
        };
        assert!(has_facts("Right now: 21.5.", &episode));
        assert!(!has_facts("It is 21 degrees in Oslo.", &episode));
        assert!(!has_facts("", &episode));
    }
}
