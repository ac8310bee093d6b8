//! The tasks, with what is their own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::base::Settings;
use qianshou::bench::code_interpreter::{self, CodeSample, Judge, VisionJudge};
use qianshou::bench::tool_selection::{self, Pieces, ToolSample, official};
use qianshou::bench::{DataError, DataFile, JUDGE_NAME, bfcl, embedded};
use qianshou::{LoadOptions, ModelSpec};

use super::run::BenchOptions;
use crate::cli::failure::Failure;
use crate::cli::python::PythonOptions;

pub(super) fn data_failure(error: DataError) -> Failure {
    Failure::new(&error, None)
}

/// The data of tool selection.
#[derive(Debug, Args)]
pub(in crate::cli) struct ToolSelectionData {
    /// Files of the official exam: those that need a call, then those that need none; or one file with both.
    /// By default our own data.
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub(super) data: Vec<PathBuf>,
    /// The vocabulary of Qwen (`qwen.tiktoken`), for the score of tool inputs.
    #[arg(long, value_name = "FILE")]
    pub(super) vocabulary: Option<PathBuf>,
}

impl ToolSelectionData {
    pub(super) fn samples(&self) -> Result<(Vec<ToolSample>, Vec<DataFile>), Failure> {
        let read = match self.data.as_slice() {
            [] => embedded::tool_selection(),
            [both] => official::read(both, official::Holds::Both).map(|(samples, file)| (samples, vec![file])),
            [positive, negative, ..] => {
                official::read(positive, official::Holds::Positive).and_then(|(mut samples, one)| {
                    let (more, other) = official::read(negative, official::Holds::Negative)?;
                    samples.extend(more);
                    Ok((samples, vec![one, other]))
                })
            }
        };
        read.map_err(data_failure)
    }

    pub(super) fn pieces(&self) -> Result<Option<Arc<Pieces>>, Failure> {
        let pieces = self.vocabulary.as_ref().map(Pieces::from_file).transpose();
        Ok(pieces.map_err(|error| Failure::new(&error, None))?.map(Arc::new))
    }
}

/// Does it choose the right tool, and none where none is needed?
#[derive(Debug, Args)]
pub(in crate::cli) struct ToolSelection {
    #[command(flatten)]
    data: ToolSelectionData,
    #[command(flatten)]
    bench: BenchOptions,
}

impl ToolSelection {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let (samples, data) = self.data.samples()?;
        let task = tool_selection::task(samples, data, self.bench.settings()?, self.data.pieces()?);
        self.bench.run(&task).await
    }
}

/// The data of the code interpreter.
#[derive(Debug, Args)]
pub(in crate::cli) struct CodeInterpreterData {
    /// The file of the official exam, with its folder of upload files beside it or named by `--uploads`. By
    /// default our own data.
    #[arg(long, value_name = "FILE")]
    pub(super) data: Option<PathBuf>,
    /// The folder of upload files.
    #[arg(long, value_name = "FOLDER", requires = "data")]
    pub(super) uploads: Option<PathBuf>,
    /// GSM8K's test set instead, by which the exam measures whether mathematics is right.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(super) gsm8k: Option<PathBuf>,
}

impl CodeInterpreterData {
    pub(super) fn samples(&self) -> Result<(Vec<CodeSample>, Vec<DataFile>), Failure> {
        let read = match (&self.data, &self.gsm8k) {
            (Some(data), _) => {
                let beside = data.with_file_name("upload_file");
                code_interpreter::official::read(data, self.uploads.as_ref().unwrap_or(&beside))
            }
            (None, Some(gsm8k)) => code_interpreter::official::read_gsm8k(gsm8k),
            (None, None) => embedded::code_interpreter(),
        };
        read.map_err(data_failure)
    }
}

/// Does the Python that it writes run, and do what it should?
#[derive(Debug, Args)]
pub(in crate::cli) struct CodeInterpreter {
    #[command(flatten)]
    data: CodeInterpreterData,
    /// A vision model that judges plots, as in `remote:qwen-vl-plus@URL`; its verdicts are kept beside the log.
    #[arg(long, value_name = "SPEC")]
    judge: Option<ModelSpec>,
    #[command(flatten)]
    python: PythonOptions,
    #[command(flatten)]
    bench: BenchOptions,
}

impl CodeInterpreter {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let (samples, data) = self.data.samples()?;
        let judge = match &self.judge {
            Some(spec) => {
                let model = spec.load(LoadOptions::default(), &|_| {}).await?;
                Some(judge(spec.to_string(), Some(model), &self.bench)?)
            }
            None => None,
        };
        let interpreter = self.python.start(None).await?;
        let task = code_interpreter::task(samples, data, self.bench.settings()?, interpreter, judge);
        self.bench.run(&task).await
    }
}

fn judge(
    name: String,
    model: Option<Arc<dyn qianshou::chat::ChatModel>>,
    bench: &BenchOptions,
) -> Result<Arc<dyn Judge>, Failure> {
    std::fs::create_dir_all(bench.folder())?;
    let judge = VisionJudge::open(name, model, bench.prompts()?, &bench.folder().join(JUDGE_NAME));
    Ok(Arc::new(judge.map_err(|error| Failure::new(&error, None))?))
}

/// The data of the leaderboard.
#[derive(Debug, Args)]
pub(in crate::cli) struct BfclData {
    /// The package's folder `data`; by default it is fetched once with pip.
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
    /// Which categories; by default all that are supported.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) categories: Vec<String>,
}

impl BfclData {
    pub(super) fn samples(&self) -> Result<(Vec<bfcl::BfclSample>, Vec<DataFile>), Failure> {
        let categories: Vec<&str> = match self.categories.as_slice() {
            [] => bfcl::CATEGORIES.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        };
        if let Some(unknown) = categories.iter().find(|name| !bfcl::CATEGORIES.contains(*name)) {
            let hint = format!("the categories are {}", bfcl::CATEGORIES.join(", "));
            return Err(Failure::message(format!("there is no category {unknown:?}"), Some(&hint)));
        }
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => {
                let home = Settings::from_env().home.ok_or_else(|| {
                    Failure::message("there is no folder for user data", Some("name one with QIANSHOU_HOME"))
                })?;
                bfcl::fetch(&home.join("data")).map_err(|error| Failure::new(&error, None))?
            }
        };
        bfcl::read(&folder, &categories).map_err(data_failure)
    }
}

/// The Berkeley function-calling leaderboard.
#[derive(Debug, Args)]
pub(in crate::cli) struct Bfcl {
    #[command(flatten)]
    data: BfclData,
    #[command(flatten)]
    bench: BenchOptions,
}

impl Bfcl {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let (samples, data) = self.data.samples()?;
        let task = bfcl::task(samples, data, self.bench.settings()?);
        self.bench.run(&task).await
    }
}
