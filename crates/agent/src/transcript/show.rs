//! Transcripts for people.

use std::fmt;

use qianshou_chat::{ChatEvent, ChatRequest, Exchange, Part};

use super::{Record, RecordedRun, StepOutcome};
use crate::{ArgumentStage, Observation, ObservationKind, StepRecord, python_json};

/// How much of a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What the model thought and did, and what came of it.
    #[default]
    Steps,
    /// Besides, what each prompt added to the one before, and each reply as it was generated.
    Exchanges,
}

/// What a paragraph is; a front end has a colour for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParagraphKind {
    /// The head of a run or of a step.
    Heading,
    /// What was asked.
    Question,
    /// What the model thought.
    Thought,
    /// A tool that it called.
    Action,
    /// What it called it with.
    Input,
    /// What came back.
    Observation,
    /// What came back and was no result.
    Fault,
    /// The final answer.
    Answer,
    /// Something odd.
    Warning,
    /// Numbers and circumstances.
    Note,
    /// What a prompt added.
    Prompt,
    /// A reply as it was generated.
    Reply,
}

/// A piece of a run for people: what it is, and the text, without line breaks of ours, indentation or
/// colour. `Display` gives the plainest layout of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    /// What it is.
    pub kind: ParagraphKind,
    /// What stands before the text; may be empty.
    pub label: String,
    /// The text; may have several lines.
    pub text: String,
}

impl fmt::Display for Paragraph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label.as_str() {
            "" => formatter.write_str(&self.text),
            label => write!(formatter, "{label}: {}", self.text),
        }
    }
}

impl RecordedRun {
    /// The run for people, in the order in which it happened.
    pub fn paragraphs(&self, detail: Detail) -> Vec<Paragraph> {
        let mut story = Story { detail, last_prompt: String::new(), last_at: self.at, paragraphs: Vec::new() };
        story.begin(self);
        for timed in &self.records {
            match &timed.record {
                Record::Exchange(exchange) => story.exchange(exchange),
                Record::Step(step) => story.step(step, timed.at),
                Record::Decision(decided) => {
                    let decision = serde_json::to_value(&decided.decision).unwrap_or_default();
                    story.add(ParagraphKind::Note, "decision", format!("{}: {}", decided.id, python_json(&decision)));
                }
                Record::Interrupt(interruption) => {
                    story.add(ParagraphKind::Warning, "interrupted", format!("{interruption:?}"));
                }
                // A step tells what its calls gave.
                Record::Call(_) => {}
                Record::End(end) => {
                    story.add(ParagraphKind::Answer, "answer", end.answer.clone());
                    let usage = end.usage;
                    let text = format!(
                        "{}; {} tokens reused, {} computed, {} generated; {} repairs",
                        end.stop_reason, usage.cached, usage.computed, usage.generated, end.repairs
                    );
                    story.add(ParagraphKind::Note, "end", text);
                }
            }
        }
        if self.end().is_none() {
            story.add(ParagraphKind::Warning, "end", "the transcript breaks off; the run can be resumed".to_owned());
        }
        story.paragraphs
    }
}

/// The paragraphs so far.
struct Story {
    detail: Detail,
    last_prompt: String,
    last_at: Option<u64>,
    paragraphs: Vec<Paragraph>,
}

impl Story {
    fn add(&mut self, kind: ParagraphKind, label: impl Into<String>, text: String) {
        if !text.is_empty() {
            self.paragraphs.push(Paragraph { kind, label: label.into(), text });
        }
    }

    fn begin(&mut self, run: &RecordedRun) {
        let header = &run.header;
        let tools: Vec<_> = header.tools.iter().map(|tool| tool.name.as_str()).collect();
        let tools = if tools.is_empty() { "no tools".to_owned() } else { format!("tools {}", tools.join(", ")) };
        let text = format!("{} by the protocol {}, {tools}", header.model.name, header.protocol);
        self.add(ParagraphKind::Heading, "run", text);
        let question = header.conversation.last().map(|message| message.text()).unwrap_or_default();
        self.add(ParagraphKind::Question, "question", question);
    }

    fn exchange(&mut self, exchange: &Exchange) {
        if self.detail == Detail::Exchanges {
            let prompt = prompt(&exchange.request);
            let (label, new) = match prompt.strip_prefix(&self.last_prompt) {
                Some(new) if !self.last_prompt.is_empty() => ("prompt, continued", new.to_owned()),
                _ => ("prompt", prompt.clone()),
            };
            self.add(ParagraphKind::Prompt, label, new);
            self.add(ParagraphKind::Reply, "reply", reply(exchange));
            self.last_prompt = prompt;
        }
        if let Some(error) = &exchange.error {
            self.add(ParagraphKind::Warning, "the model failed", error.message.clone());
        }
    }

    fn step(&mut self, StepOutcome { number, outcome }: &StepOutcome, at: Option<u64>) {
        let StepRecord { thought, answer: _, calls, no_action, warnings, usage, finish: _ } = outcome;
        let took = match (self.last_at, at) {
            (Some(last), Some(at)) => format!(", {} s", at.saturating_sub(last) as f64 / 1000.0),
            _ => String::new(),
        };
        self.last_at = at.or(self.last_at);
        let text = format!(
            "{number} ({} tokens reused, {} computed, {} generated{took})",
            usage.cached, usage.computed, usage.generated
        );
        self.add(ParagraphKind::Heading, "step", text);
        self.add(ParagraphKind::Thought, "thought", thought.clone());
        for warning in warnings {
            self.add(ParagraphKind::Warning, "warning", warning.to_string());
        }
        for call in calls {
            self.add(ParagraphKind::Action, "action", call.name.clone());
            self.add(ParagraphKind::Input, "input", call.input.clone());
            let read = match (&call.stage, &call.arguments) {
                (Some(ArgumentStage::Strict), _) | (None, _) | (_, None) => String::new(),
                (Some(stage), Some(arguments)) => format!("{stage:?}: {}", python_json(arguments)),
            };
            self.add(ParagraphKind::Note, "read as", read);
            self.observation(call.observation.as_ref());
        }
        self.observation(no_action.as_ref());
    }

    fn observation(&mut self, observation: Option<&Observation>) {
        let Some(Observation { kind, text, diagnostics, artifacts }) = observation else {
            return;
        };
        let good = *kind == ObservationKind::Output;
        self.add(if good { ParagraphKind::Observation } else { ParagraphKind::Fault }, "observation", text.clone());
        self.add(ParagraphKind::Note, "diagnostics", diagnostics.clone().unwrap_or_default());
        if !artifacts.is_empty() {
            self.add(ParagraphKind::Note, "artifacts", artifacts.len().to_string());
        }
    }
}

/// All that the model was given, message by message.
fn prompt(request: &ChatRequest) -> String {
    let messages = request.messages.iter().map(|message| {
        let results = message.content.iter().map(|part| match part {
            Part::Call(call) => format!("[{}: {} {}]", call.id, call.name, call.arguments),
            Part::Image(image) => format!("[{}, {} bytes]", image.media_type, image.bytes.len()),
            part => part.text().to_owned(),
        });
        format!("[{}]\n{}\n", message.role.as_str(), results.collect::<String>())
    });
    let text: String = messages.collect();
    // A message that is continued has no end yet.
    if request.continue_last { text.trim_end_matches('\n').to_owned() } else { text }
}

/// The reply as it came.
fn reply(exchange: &Exchange) -> String {
    let pieces = exchange.events.iter().map(|event| match event {
        ChatEvent::Delta(delta) => delta.text.clone(),
        ChatEvent::Call(call) => format!("[{}: {} {}", call.id, call.name, call.arguments),
        ChatEvent::Arguments(arguments) => arguments.clone(),
        ChatEvent::End(end) => format!("[{:?}]", end.finish),
    });
    pieces.collect()
}
