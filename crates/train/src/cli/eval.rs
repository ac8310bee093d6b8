//! `eval`: runs a split through the real agent.

mod outcomes;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use qianshou_agent::{ReAct, ReActConstraint};
use qianshou_chat::ChatModel;
use qianshou_interpreter::Interpreter;
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, Engine};
use qianshou_train::{
    Ablation, Evaluation, Group, Outcome, Summary, ToolsAtWork, TrainError, chance, keep_evenly, read_groups,
};
use serde::Serialize;

use self::outcomes::OutcomeFile;
use super::{Failure, fingerprint, say};

/// What is taken from the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ablated {
    /// Names of tools say nothing.
    Names,
    /// Descriptions and parameters are shuffled among the tools of a prompt.
    Descriptions,
}

/// Measure a model.
#[derive(Debug, Args)]
pub(super) struct Eval {
    /// The model: a checkpoint folder or a `.gguf` file.
    #[arg(long, value_name = "PATH")]
    base: PathBuf,
    /// An adapter to merge in; without one the base is measured as it is.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
    /// The split: a file that `data` made.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// So many episodes, of every kind its share, always the same; all of them by default.
    #[arg(long, value_name = "N")]
    episodes: Option<usize>,
    /// Hold the model to nothing, neither to the names of tools nor to their schemas.
    #[arg(long)]
    unconstrained: bool,
    /// Take something from the model, to see whether it reads it: `names`, `descriptions`, or both with a comma.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    ablate: Vec<Ablated>,
    /// Leave Python out, where nothing isolates it: episodes that need it are skipped, and a call of it in another
    /// fails.
    #[arg(long)]
    no_python: bool,
    /// Append every outcome to a file, one a line; what is there already, of the same model, is not done again.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the figures to a file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show so many of the episodes that went wrong.
    #[arg(long, value_name = "N", default_value_t = 0)]
    failures: usize,
}

/// What outcomes depend on: a file of them goes on with the same only.
#[derive(Debug, Serialize)]
struct Conditions<'a> {
    base: &'a PathBuf,
    adapter: &'a Option<PathBuf>,
    data: &'a PathBuf,
    episodes: Option<usize>,
    constrained: bool,
    ablation: Ablation,
    python: bool,
    /// Of the base and the adapter: other files may be in the same places by now.
    fingerprint: String,
}

impl Eval {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.measure())
    }

    async fn measure(self) -> Result<(), Failure> {
        let groups = self.groups()?;
        let all: usize = groups.iter().map(|group| group.episodes.len()).sum();
        let (mut file, mut outcomes) = match &self.out {
            Some(path) => {
                let conditions = serde_json::to_value(self.conditions()?)?;
                let (file, outcomes) = OutcomeFile::open(path, &conditions, &groups)?;
                (Some(file), outcomes)
            }
            None => (None, Vec::new()),
        };
        let mut done = outcomes.len();
        if done > 0 {
            say(&format!("{done} of {all} episodes are done already"));
        }
        if done < all {
            let interpreter = if self.no_python { None } else { Some(Interpreter::builder().build().await?) };
            let ablated = self.ablation().is_some();
            let evaluation = Evaluation {
                model: &self.model()?,
                protocol: &self.protocol(),
                tools: if ablated { ToolsAtWork::Rehearsed } else { ToolsAtWork::Real(interpreter.as_ref()) },
            };
            let mut report = |outcome: &Outcome| -> Result<(), TrainError> {
                done += 1;
                if done.is_multiple_of(20) {
                    say(&format!("{done} of {all} episodes"));
                }
                file.as_mut().map_or(Ok(()), |file| file.push(outcome))
            };
            outcomes.extend(evaluation.run(&groups, outcomes.len(), &mut report).await?);
        }
        let summary = Summary::new(&outcomes);
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&summary)?;
            std::fs::write(path, text + "\n").map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        report::print(&summary, self.ablation().is_some().then(|| chance(&groups)))?;
        report::print_failures(&outcomes, self.failures)?;
        Ok(())
    }

    /// What is asked.
    fn groups(&self) -> Result<Vec<Group>, Failure> {
        let mut groups = read_groups(&self.data)?;
        if self.no_python {
            leave_python_out(&mut groups);
        }
        if let Some(wanted) = self.episodes {
            keep_evenly(&mut groups, wanted);
        }
        self.ablation().apply(&mut groups);
        Ok(groups)
    }

    fn model(&self) -> Result<Arc<dyn ChatModel>, Failure> {
        let adapter = self.adapter.as_deref().map(Adapter::open).transpose()?;
        Ok(Arc::new(Engine::load("model", Checkpoint::open(&self.base)?, ComputeDevice::cpu(), adapter)?))
    }

    fn protocol(&self) -> ReAct {
        let constraint = if self.unconstrained { ReActConstraint::Nothing } else { ReActConstraint::default() };
        ReAct::default().constrained(constraint)
    }

    fn ablation(&self) -> Ablation {
        Ablation {
            names: self.ablate.contains(&Ablated::Names),
            descriptions: self.ablate.contains(&Ablated::Descriptions),
        }
    }

    fn conditions(&self) -> Result<Conditions<'_>, Failure> {
        let mut fingerprint = fingerprint::of_files(&self.base)?;
        if let Some(adapter) = &self.adapter {
            fingerprint += &format!(" {}", fingerprint::of_files(adapter)?);
        }
        Ok(Conditions {
            base: &self.base,
            adapter: &self.adapter,
            data: &self.data,
            episodes: self.episodes,
            constrained: !self.unconstrained,
            ablation: self.ablation(),
            python: !self.no_python,
            fingerprint,
        })
    }
}

/// Drops the episodes that need Python. It stays among the tools of the others, so that a model has the same choice.
fn leave_python_out(groups: &mut Vec<Group>) {
    for group in groups.iter_mut() {
        group.episodes.retain(|episode| episode.calls.iter().all(|call| call.tool != "code_interpreter"));
    }
    groups.retain(|group| !group.episodes.is_empty());
}

#[cfg(test)]
mod tests {
    use qianshou_agent::ToolSpec;
    use qianshou_train::{Call, Episode, Kind};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_episodes_that_need_python_are_left_out_with_it() {
        let tool = |name: &str| ToolSpec::from_schema(name, json!({"type": "object"}));
        let call = |tool: &str| Call {
            thought: String::new(),
            tool: tool.to_owned(),
            input: String::new(),
            observation: String::new(),
            mistake: false,
        };
        let episode = |kind: Kind, tools: &[&str]| Episode {
            kind,
            question: String::new(),
            calls: tools.iter().map(|tool| call(tool)).collect(),
            thought: String::new(),
            answer: String::new(),
            files: Vec::new(),
        };
        let tools = vec![tool("calculator"), tool("code_interpreter")];
        let [python, arithmetic] =
            [episode(Kind::Python, &["code_interpreter"]), episode(Kind::Arithmetic, &["calculator"])];
        let [steps, none] = [episode(Kind::Steps, &["calculator", "code_interpreter"]), episode(Kind::NoNeed, &[])];
        let mut groups = vec![
            Group { tools: tools.clone(), episodes: vec![python.clone(), arithmetic.clone(), steps, none.clone()] },
            Group { tools: tools.clone(), episodes: vec![python] },
        ];
        leave_python_out(&mut groups);
        assert_eq!(groups, [Group { tools, episodes: vec![arithmetic, none] }]);
    }
}
