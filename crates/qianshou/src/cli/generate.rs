//! `qianshou model generate`.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use futures_util::StreamExt as _;
use qianshou::ModelSpec;
use qianshou::chat::{ChatEvent, ChatModel, ChatRequest, Message, Sampling};

use super::constraint::ConstraintOptions;
use super::failure::Failure;
use super::progress::Bars;
use super::{RecordOption, RunOptions};

/// Continue a text, or with `--chat` answer it as a user's message.
#[derive(Debug, Args)]
pub(super) struct Generate {
    /// `tiny`, a checkpoint folder, a .gguf file, `remote:NAME@URL`, or `replay:FILE`.
    #[arg(value_name = "PATH")]
    model: ModelSpec,
    /// The text to go on from.
    #[arg(long)]
    prompt: String,
    /// Take the text as a user's message in the model's chat format.
    #[arg(long)]
    chat: bool,
    /// Most tokens to generate.
    #[arg(long, default_value_t = 128, value_name = "N")]
    max_tokens: usize,
    /// 0 is greedy.
    #[arg(long, value_name = "X")]
    temperature: Option<f32>,
    /// Keep the most likely tokens up to this probability.
    #[arg(long, value_name = "X")]
    top_p: Option<f32>,
    /// Keep this many most likely tokens.
    #[arg(long, value_name = "N")]
    top_k: Option<u32>,
    /// Penalty on tokens already seen; 1 is none.
    #[arg(long, value_name = "X")]
    repetition_penalty: Option<f32>,
    /// Makes sampling repeatable.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// End before this string; may be given several times.
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    #[command(flatten)]
    constraint: ConstraintOptions,
    #[command(flatten)]
    record: RecordOption,
    #[command(flatten)]
    run: RunOptions,
}

impl Generate {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let constraint = self.constraint.constraint()?;
        let model = self.load().await?;
        let request = ChatRequest {
            stop: self.stop.clone(),
            max_tokens: Some(self.max_tokens),
            sampling: Sampling {
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                repetition_penalty: self.repetition_penalty,
                seed: self.seed,
            },
            constraint,
            ..ChatRequest::new([Message::user(self.prompt.as_str())])
        };
        let start = Instant::now();
        let mut first = None;
        let mut stream = model.stream(request).await?;
        let mut stdout = anstream::stdout();
        while let Some(event) = stream.next().await {
            match event? {
                ChatEvent::Delta(delta) => {
                    first.get_or_insert_with(Instant::now);
                    write!(stdout, "{}", delta.text)?;
                    stdout.flush()?;
                }
                // Only remote models have native calls.
                ChatEvent::Call(_) | ChatEvent::Arguments(_) => {}
                ChatEvent::End(end) => {
                    writeln!(stdout)?;
                    let first = first.unwrap_or_else(Instant::now);
                    let prefill = (first - start).as_secs_f64();
                    let decode = first.elapsed().as_secs_f64();
                    writeln!(
                        anstream::stderr(),
                        "{} prompt tokens in {prefill:.2} s ({:.1} tokens/s), {} generated in {decode:.2} s ({:.1} tokens/s)",
                        end.usage.prompt(),
                        end.usage.computed as f64 / prefill,
                        end.usage.generated,
                        end.usage.generated.saturating_sub(1) as f64 / decode,
                    )?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn load(&self) -> Result<Arc<dyn ChatModel>, Failure> {
        self.record.check()?;
        let bars = Bars::default();
        let show = |progress| bars.show(progress);
        let options = self.run.options()?;
        let model = if self.chat {
            self.model.load(options, &show).await
        } else {
            self.model.load_completion(options, &show).await
        };
        bars.finish();
        self.record.around(model?)
    }
}
