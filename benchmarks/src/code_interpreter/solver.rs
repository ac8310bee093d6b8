//! Having an agent with an interpreter answer.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream;
use qianshou_agent::{AgentBuilder, AnyTool, Limits, Observation};
use qianshou_chat::{
    ChatError, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason, ModelInfo, Usage,
};
use qianshou_interpreter::Interpreter;
use qianshou_prompts::Prompt;
use serde_json::{Value, json};

use super::CodeSample;
use super::notebook::Notebook;
use super::one_tool::OneTool;
use crate::solver::run;
use crate::{Attempt, CallFormat, Fault, Solution, Solver, SolverSettings};

/// Has an agent answer with an interpreter in the sandbox.
#[derive(Debug)]
pub struct CodeInterpreterSolver {
    settings: SolverSettings,
    interpreter: Interpreter,
}

impl CodeInterpreterSolver {
    /// A solver over this interpreter.
    pub fn new(settings: SolverSettings, interpreter: Interpreter) -> Self {
        Self { settings, interpreter }
    }

    /// An agent that is asked in the exam's words, in the language of the question.
    fn agent(&self, sample: &CodeSample, attempt: &Attempt, limits: Limits) -> AgentBuilder {
        let prompts = &self.settings.prompts;
        let question = if sample.is_chinese { Prompt::CodeExamQuestionZh } else { Prompt::CodeExamQuestionEn };
        let prompts = prompts.clone().with(Prompt::ReactQuestion, prompts.text(question));
        let settings = SolverSettings { prompts, ..self.settings.clone() };
        let builder = settings.agent(attempt, limits);
        match settings.format {
            CallFormat::React => builder.protocol(OneTool(settings.react())),
            CallFormat::Native => builder.protocol(OneTool(settings.native())),
        }
    }

    /// The question with the names of its files before it, as the exam puts them.
    fn question(&self, sample: &CodeSample) -> String {
        let prompt = match (sample.files.len(), sample.is_chinese) {
            (0, _) => return sample.query.clone(),
            (_, true) => Prompt::CodeExamUploadedZh,
            (1, false) => Prompt::CodeExamUploadedEn,
            (_, false) => Prompt::CodeExamUploadedSeveralEn,
        };
        let names: Vec<_> = sample.files.iter().map(|(name, _)| name.as_str()).collect();
        let separator = self.settings.prompts.text(Prompt::CodeExamNamesSeparator);
        self.settings.prompts.fill(prompt, &[("names", &names.join(separator))]) + &sample.query
    }
}

#[async_trait]
impl Solver<CodeSample> for CodeInterpreterSolver {
    fn settings(&self) -> Value {
        json!({
            "solver": self.settings,
            "python": self.interpreter.python().python,
            "packages": self.interpreter.python().imported,
            "isolation": self.interpreter.isolation_report().to_string(),
        })
    }

    async fn solve(&self, sample: &CodeSample, attempt: &Attempt) -> Result<Solution, Fault> {
        let notebook = Notebook::new(self.interpreter.clone(), &self.settings, sample);
        let notebook = Arc::new(notebook.map_err(|error| Fault::of(&error, true))?);
        let mut attempt = attempt.clone();
        let mut steps = sample.rounds.steps;
        if let Some(opening) = &sample.opening {
            attempt.model = Arc::new(Opened::new(opening.clone(), attempt.model));
            steps += 1;
        }
        let agent = self.agent(sample, &attempt, Limits::default()).max_steps(steps);
        let agent = agent.any_tool(Arc::clone(&notebook) as Arc<dyn AnyTool>).build();
        let agent = agent.map_err(|error| Fault::of(&error, true))?;
        let ends_with_error = sample.rounds.ends_with_error;
        let is_over = move |observation: &Observation| ends_with_error && is_error(&observation.text);
        let solution = run(&agent, self.question(sample), is_over).await?;
        match notebook.fault().await {
            Some(fault) => Err(fault),
            None => Ok(solution),
        }
    }
}

/// What the official exam takes for an error.
pub(super) fn is_error(observation: &str) -> bool {
    observation.contains("error:") || observation.contains("Traceback")
}

/// A model whose first reply is given.
struct Opened {
    opening: Mutex<Option<String>>,
    model: Arc<dyn ChatModel>,
}

impl Opened {
    fn new(opening: String, model: Arc<dyn ChatModel>) -> Self {
        Self { opening: Mutex::new(Some(opening)), model }
    }
}

#[async_trait]
impl ChatModel for Opened {
    fn info(&self) -> ModelInfo {
        self.model.info()
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        self.model.count_tokens(request)
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(text) = opening else {
            return self.model.stream(request).await;
        };
        let stop = request.stop.first().cloned().unwrap_or_default();
        let end = End { finish: FinishReason::Stop(stop), usage: Usage::default() };
        let events = [ChatEvent::Delta(Delta { text, ids: Vec::new() }), ChatEvent::End(end)];
        Ok(Box::pin(stream::iter(events.map(Ok))))
    }
}
