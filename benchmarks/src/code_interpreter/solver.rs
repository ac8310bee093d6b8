//! Having an agent with an interpreter answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream;
use qianshou_agent::{Agent, AgentBuilder, AnyTool, CallRecord, Limits, Observation, ObservationKind, StepRecord};
use qianshou_chat::{
    ChatError, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason, ModelInfo, NativeCall, Replay,
    Usage,
};
use qianshou_interpreter::Interpreter;
use qianshou_prompts::Prompt;
use serde_json::{Value, json};

use super::CodeSample;
use super::notebook::Notebook;
use super::one_tool::OneTool;
use crate::solver::{read, run};
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
        let settings = settings.in_force(&[Prompt::CodeExamQuestionEn, Prompt::CodeExamQuestionZh]);
        Self { settings, interpreter }
    }

    /// The first reply that a question already holds, in the form in which the agent reads replies.
    fn opening(&self, step: &str, notebook: &Arc<Notebook>) -> Result<Vec<ChatEvent>, Fault> {
        let text = |text: &str| ChatEvent::Delta(Delta { text: text.to_owned(), ids: Vec::new() });
        if self.settings.format == CallFormat::React {
            return Ok(vec![text(step)]);
        }
        let agent = Agent::builder(Arc::new(Replay::new([]))).protocol(OneTool(self.settings.react()));
        let agent = agent.any_tool(Arc::clone(notebook) as Arc<dyn AnyTool>).build();
        let StepRecord { thought, calls, .. } = read(&agent.map_err(|error| Fault::of(&error, true))?, step);
        let Some(CallRecord { name, arguments: Some(arguments), .. }) = calls.into_iter().next() else {
            return Err(Fault::lasting(format!("the question already holds a step, but no code is in it: {step:?}")));
        };
        let call = NativeCall { id: String::new(), name, arguments: arguments.to_string() };
        Ok(vec![text(&thought), ChatEvent::Call(call)])
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
        let report = self.interpreter.python();
        let versions = report.imported.iter().map(|module| (&module.name, &module.version));
        let packages: BTreeMap<_, _> = versions.collect();
        json!({"solver": self.settings, "python": report.python.version, "packages": packages})
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let python = &self.interpreter.python().python;
        let python = format!("{} of {}", python.executable, python.prefix);
        let isolation = self.interpreter.isolation_report().to_string();
        [("python".to_owned(), python), ("isolation".to_owned(), isolation)].into()
    }

    async fn solve(&self, sample: &CodeSample, attempt: &Attempt) -> Result<Solution, Fault> {
        let notebook = Notebook::new(self.interpreter.clone(), &self.settings, sample);
        let notebook = Arc::new(notebook.map_err(|error| Fault::of(&error, true))?);
        let mut attempt = attempt.clone();
        // The step that the question already holds does not count.
        let given = usize::from(sample.opening.is_some());
        if let Some(opening) = &sample.opening {
            attempt.model = Arc::new(Opened::new(self.opening(opening, &notebook)?, attempt.model));
        }
        let agent = self.agent(sample, &attempt, Limits::default()).max_steps(sample.rounds.steps + given);
        let agent = agent.any_tool(Arc::clone(&notebook) as Arc<dyn AnyTool>).build();
        let agent = agent.map_err(|error| Fault::of(&error, true))?;
        let ends_with_error = sample.rounds.ends_with_error;
        let most = sample.rounds.executions.map(|executions| executions + given);
        let mut executions = 0;
        let is_over = move |observation: &Observation| {
            executions += usize::from(observation.kind == ObservationKind::Output);
            most.is_some_and(|most| executions >= most) || ends_with_error && is_error(&observation.text)
        };
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

/// A model whose first reply is given, but for its end.
struct Opened {
    opening: Mutex<Option<Vec<ChatEvent>>>,
    model: Arc<dyn ChatModel>,
}

impl Opened {
    fn new(opening: Vec<ChatEvent>, model: Arc<dyn ChatModel>) -> Self {
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
        let Some(mut events) = opening else {
            return self.model.stream(request).await;
        };
        // A native call ends the turn; text ends where the observation would begin.
        let is_call = events.iter().any(|event| matches!(event, ChatEvent::Call(_)));
        let finish = match request.stop.into_iter().next().filter(|_| !is_call) {
            Some(stop) => FinishReason::Stop(stop),
            None => FinishReason::EndOfTurn,
        };
        events.push(ChatEvent::End(End { finish, usage: Usage::default() }));
        Ok(Box::pin(stream::iter(events.into_iter().map(Ok))))
    }
}
