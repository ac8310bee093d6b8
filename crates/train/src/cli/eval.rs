//! `eval`: runs a split through the real agent.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use qianshou_agent::{ReAct, ReActConstraint};
use qianshou_chat::ChatModel;
use qianshou_interpreter::Interpreter;
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, Engine};
use qianshou_train::{Outcome, evaluate, measures, read_groups};

use super::{Failure, say};

/// Measure a model.
#[derive(Debug, Args)]
pub(super) struct Eval {
    /// The model: a checkpoint folder or a `.gguf` file.
    #[arg(long, value_name = "PATH")]
    base: PathBuf,
    /// An adapter to merge in.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
    /// The split: a file that `data` made.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// So many episodes, spread evenly over the split; all of them by default.
    #[arg(long)]
    episodes: Option<usize>,
    /// Hold the model to nothing, neither to the names of tools nor to their schemas.
    #[arg(long)]
    unconstrained: bool,
    /// What stands between the names of the tools, for an adapter that was trained on another form.
    #[arg(long, value_name = "TEXT")]
    names_separator: Option<String>,
    /// Leave Python out, where nothing isolates it: its episodes are skipped.
    #[arg(long)]
    no_python: bool,
    /// Write every outcome to a file, one a line.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Eval {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.measure())
    }

    async fn measure(self) -> Result<(), Failure> {
        let adapter = self.adapter.as_deref().map(Adapter::open).transpose()?;
        let engine = Engine::load("model", Checkpoint::open(&self.base)?, ComputeDevice::cpu(), adapter)?;
        let model: Arc<dyn ChatModel> = Arc::new(engine);
        let interpreter = if self.no_python { None } else { Some(Interpreter::builder().build().await?) };
        let mut groups = read_groups(&self.data)?;
        let offered = |group: &qianshou_train::Group| group.tools.iter().any(|spec| spec.name == "code_interpreter");
        groups.retain(|group| interpreter.is_some() || !offered(group));
        if let Some(wanted) = self.episodes {
            spread(&mut groups, wanted);
        }
        let constraint = if self.unconstrained { ReActConstraint::Nothing } else { ReActConstraint::default() };
        let mut protocol = ReAct::default().constrained(constraint);
        if let Some(separator) = &self.names_separator {
            protocol = protocol.names_joined_by(separator);
        }
        let mut file = self.out.as_deref().map(std::fs::File::create).transpose()?;
        let mut done = 0;
        let mut failed = None;
        let mut report = |outcome: &Outcome| {
            done += 1;
            if done % 20 == 0 {
                say(&format!("{done} episodes"));
            }
            if let Some(file) = &mut file
                && let Err(error) =
                    serde_json::to_string(outcome).map_err(Into::into).and_then(|line| writeln!(file, "{line}"))
            {
                failed = Some(error);
            }
        };
        let outcomes = evaluate(&model, &protocol, &groups, interpreter.as_ref(), &mut report).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        print_measures(&outcomes)?;
        Ok(())
    }
}

/// Keeps so many episodes, evenly spread.
fn spread(groups: &mut [qianshou_train::Group], wanted: usize) {
    let all: usize = groups.iter().map(|group| group.episodes.len()).sum();
    let mut number = 0;
    for group in groups {
        group.episodes.retain(|_| {
            number += 1;
            number * wanted / all.max(1) > (number - 1) * wanted / all.max(1)
        });
    }
}

fn print_measures(outcomes: &[Outcome]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| kind | selection | exact call | answer, given the observation | right to the answer |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for (kind, measures) in measures(outcomes) {
        let name = serde_json::to_value(kind).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} |",
            measures.selection, measures.exact, measures.answer, measures.whole
        )?;
    }
    Ok(())
}
