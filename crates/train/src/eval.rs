//! A model put to the test: episodes through the real agent, with real tools.

mod ablation;
mod judge;
mod measures;
mod subset;
mod summary;

use std::fmt;
use std::sync::Arc;

use qianshou_agent::{Agent, AnyTool, ReAct, ToolSpec};
use qianshou_chat::{ChatModel, Sampling};
use qianshou_interpreter::Interpreter;
use qianshou_tools::{Calculator, CodeInterpreter, ListFiles, ReadFile};
use serde::{Deserialize, Serialize};

pub use self::ablation::{Ablation, chance};
use self::judge::{has_facts, same_input};
pub use self::measures::{Measure, Measures, measures};
pub use self::subset::keep_evenly;
pub use self::summary::Summary;
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
    /// The call that had to be made first, if any: name and input.
    pub expected: Option<(String, String)>,
    /// The first call: name and input.
    pub call: Option<(String, String)>,
    /// The first call is of the right tool; no call, where none is needed.
    pub selected: bool,
    /// Its arguments are right, too, all of them.
    pub exact: bool,
    /// All calls that the episode needs came back with what they should.
    pub observed: bool,
    /// The final answer has the facts of the expected one that tools told; where they told none, there is one.
    pub right: bool,
    /// The answer that was expected.
    pub expected_answer: String,
    /// The final answer.
    pub answer: String,
}

impl Outcome {
    /// What went wrong first, in a few words. Of Python only the answer counts: many programs print it.
    pub fn fault(&self) -> Option<&'static str> {
        match (&self.expected, &self.call) {
            (None, Some(_)) => Some("a call where none is needed"),
            (Some(_), None) => Some("no call"),
            (Some(_), Some(_)) if !self.selected => Some("another tool"),
            (Some(_), Some(_)) if !self.exact && !self.kind.is_python() => Some("other arguments"),
            _ if !self.right => Some("another answer"),
            _ => None,
        }
    }
}

/// What tools do when they are called.
#[derive(Clone, Copy, Debug)]
pub enum ToolsAtWork<'a> {
    /// Those that exist really run, Python where it can; the others tell what the episode says.
    Real(Option<&'a Interpreter>),
    /// All tell what the episode says, for tools that are not what they are said to be (see [`Ablation`]).
    Rehearsed,
}

/// An evaluation: a model, how it is asked, and what it is asked.
#[derive(Clone, Copy)]
pub struct Evaluation<'a> {
    /// The model.
    pub model: &'a Arc<dyn ChatModel>,
    /// How it is asked.
    pub protocol: &'a ReAct,
    /// What tools do.
    pub tools: ToolsAtWork<'a>,
}

impl fmt::Debug for Evaluation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Evaluation").field("tools", &self.tools).finish_non_exhaustive()
    }
}

impl Evaluation<'_> {
    /// Runs the episodes of groups in order, without the first `skip`, which were run before. `report` hears of each.
    ///
    /// # Errors
    /// When an agent cannot be built, or `report` fails. A run that fails counts as a wrong answer.
    pub async fn run(
        &self,
        groups: &[Group],
        skip: usize,
        report: &mut dyn FnMut(&Outcome) -> Result<(), TrainError>,
    ) -> Result<Vec<Outcome>, TrainError> {
        let episodes = groups.iter().flat_map(|group| group.episodes.iter().map(move |episode| (group, episode)));
        let mut outcomes = Vec::new();
        for (group, episode) in episodes.skip(skip) {
            let outcome = self.outcome(&group.tools, episode).await?;
            report(&outcome)?;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    async fn outcome(&self, specs: &[ToolSpec], episode: &Episode) -> Result<Outcome, TrainError> {
        let tools = specs.iter().map(|spec| tool(spec, episode, self.tools)).collect::<Result<Vec<_>, _>>()?;
        let workspace = workspace(&episode.files)?;
        let agent = Agent::builder(Arc::clone(self.model))
            .any_tools(tools)
            .protocol(self.protocol.clone())
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
            expected: wanted.first().map(|call| (call.tool.clone(), call.input.clone())),
            call: first.map(|call| (call.name.clone(), call.input.clone())),
            selected,
            exact,
            observed,
            right: has_facts(&answer, episode),
            expected_answer: episode.answer.clone(),
            answer,
        })
    }
}

/// The real tool where there is one. The clock tells the moment of the episode, so that its answer is known, and an
/// authored tool what was written for it, whatever it is called with.
fn tool(spec: &ToolSpec, episode: &Episode, at_work: ToolsAtWork<'_>) -> Result<Arc<dyn AnyTool>, TrainError> {
    let rehearsed = |name: &str| -> Arc<dyn AnyTool> {
        let calls = episode.calls.iter().filter(|call| call.tool == name && !call.mistake);
        Arc::new(Rehearsed::new(spec.clone(), calls.map(|call| call.observation.clone())))
    };
    let ToolsAtWork::Real(interpreter) = at_work else {
        return Ok(rehearsed(&spec.name));
    };
    Ok(match (spec.name.as_str(), interpreter) {
        ("calculator", _) => Arc::new(Calculator),
        ("read_file", _) => Arc::new(ReadFile),
        ("list_files", _) => Arc::new(ListFiles),
        ("code_interpreter", Some(interpreter)) => Arc::new(CodeInterpreter::new(interpreter.clone())?),
        (name, _) => rehearsed(name),
    })
}
