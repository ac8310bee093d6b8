//! The ReAct protocol of Qwen-Chat: thought, action and observation in one running text.
//!
//! The user's message holds tools, format and question; the model answers in one assistant message that
//! it continues after each observation. The rendered text equals that of the official example to the
//! byte, because models were trained on it. With history, the instruction stands in one turn only: the
//! only one, else the last but one. Turns are stripped as the training data was (line breaks at the
//! front, white space at the end), except parts that carry token ids, which never change.
//!
//! A model that cannot continue its own message (most remote ones) is asked as Qwen-Agent does it: the
//! steps so far follow the question, at the end of the user's message, and it goes on in a message of
//! its own.

mod grammar;
mod keyword;
mod reader;

use qianshou_chat::{ChatRequest, Message, Part, Role};
use qianshou_prompts::{Prompt, Prompts};

pub use self::grammar::ReActConstraint;
use self::grammar::react_grammar;
use self::reader::ReActReader;
use crate::{ArgumentsFormat, Protocol, StepReader, TakenStep, ToolSpec, Turn, Warning, python_json};

/// Qwen's ReAct prompt.
#[derive(Clone, Debug, Default)]
pub struct ReAct {
    prompts: Prompts,
    constraint: ReActConstraint,
}

/// Where in a text a reply begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// In a message of its own.
    MessageStart,
    /// Behind `Thought:`.
    AfterThought,
}

impl Position {
    fn of(turn: &Turn<'_>) -> Self {
        if turn.capabilities.continue_last && !turn.steps.is_empty() { Self::AfterThought } else { Self::MessageStart }
    }
}

impl ReAct {
    /// The protocol with these prompts.
    pub fn new(prompts: Prompts) -> Self {
        Self { prompts, ..Self::default() }
    }

    /// Sets what a model is held to when it can be; the default is names and inputs of the tools.
    #[must_use]
    pub fn constrained(mut self, constraint: ReActConstraint) -> Self {
        self.constraint = constraint;
        self
    }

    /// The messages before the first step.
    fn opening(&self, turn: &Turn<'_>) -> Vec<Message> {
        let questions: Vec<usize> =
            (0..turn.conversation.len()).filter(|&index| turn.conversation[index].role == Role::User).collect();
        let instructed = questions.get(questions.len().saturating_sub(2)).filter(|_| !turn.tools.is_empty());
        let render = |(index, message): (usize, &Message)| {
            if Some(&index) != instructed {
                return stripped(message);
            }
            let mut asked = stripped(&Message::new(message.role, self.instruction(&message.text(), turn.tools)));
            let images = message.content.iter().filter(|part| matches!(part, Part::Image(_)));
            asked.content.extend(images.cloned());
            asked
        };
        turn.system.iter().cloned().chain(turn.conversation.iter().enumerate().map(render)).collect()
    }

    fn instruction(&self, question: &str, tools: &[ToolSpec]) -> String {
        let lines: Vec<_> = tools.iter().map(|tool| self.tool_line(tool)).collect();
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
        let names = names.join(self.prompts.text(Prompt::ReactNamesSeparator));
        let values = [("tools", lines.join("\n\n")), ("names", names), ("question", question.to_owned())];
        self.prompts.fill(Prompt::ReactQuestion, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
    }

    fn tool_line(&self, tool: &ToolSpec) -> String {
        let arguments_format = self.prompts.text(match tool.arguments_format {
            ArgumentsFormat::Json => Prompt::ReactArgumentsJson,
            ArgumentsFormat::Code => Prompt::ReactArgumentsCode,
        });
        let values = [
            ("name", tool.name.as_str()),
            ("name_for_people", &tool.name_for_people),
            ("description", &tool.description),
            ("parameters", &python_json(&tool.parameters)),
            ("arguments_format", arguments_format),
        ];
        self.prompts.fill(Prompt::ReactTool, &values)
    }

    /// Appends a step to the message that the model continues. Its ids stay as they are.
    fn push_step(&self, message: &mut Message, step: &TakenStep) {
        step.reply.iter().for_each(|part| message.push(part.clone()));
        self.push_outcome(message, step);
    }

    /// Appends a step to the user's message, as text.
    fn push_text_of_step(&self, message: &mut Message, step: &TakenStep) {
        let text: String = step.reply.iter().map(Part::text).collect();
        let thought_stands_there = ends_with(message, "\nThought:");
        // The model may have written the keyword again, in its own message.
        let text = if thought_stands_there { text.trim_start().trim_start_matches("Thought:") } else { text.as_str() };
        let space = match (thought_stands_there, text.starts_with(char::is_whitespace)) {
            (true, false) => " ",
            (true, true) => "",
            (false, _) => "\n",
        };
        message.push_text(space);
        message.push_text(text.trim_end());
        self.push_outcome(message, step);
        message.push_text("\nThought:");
    }

    /// What follows a reply: its observations, or the end of the thinking that a stop string cut off.
    fn push_outcome(&self, message: &mut Message, step: &TakenStep) {
        let keyword = self.prompts.text(Prompt::ReactObservation);
        for observation in step.observations() {
            let line_break = if ends_with(message, "\n") { "" } else { "\n" };
            message.push_text(&format!("{line_break}{keyword}: "));
            message.push_text(observation);
        }
        if step.record.warnings.contains(&Warning::StoppedInThinking) {
            message.push_text("\n</think>\n");
        }
    }
}

impl Protocol for ReAct {
    fn name(&self) -> &str {
        "react"
    }

    fn request(&self, turn: &Turn<'_>) -> ChatRequest {
        let mut messages = self.opening(turn);
        let position = Position::of(turn);
        let continues = position == Position::AfterThought;
        if continues {
            let mut message = Message { role: Role::Assistant, content: Vec::new() };
            if turn.steps_left_out > 0 {
                message.push_text("Thought:");
            }
            for step in turn.steps {
                self.push_step(&mut message, step);
                message.push_text("\nThought:");
            }
            messages.push(message);
        } else if let Some(question) = messages.last_mut() {
            for step in turn.steps {
                self.push_text_of_step(question, step);
            }
        }
        let held = turn.capabilities.constraints && !turn.tools.is_empty();
        let constraint = match self.constraint {
            ReActConstraint::Names if held => Some(react_grammar(turn.tools, position, false, &self.prompts)),
            ReActConstraint::NamesAndInputs if held => Some(react_grammar(turn.tools, position, true, &self.prompts)),
            _ => None,
        };
        let keyword = self.prompts.text(Prompt::ReactObservation);
        let stop = vec![format!("{keyword}:"), format!("{keyword}:\n")];
        ChatRequest { messages, continue_last: continues, stop, constraint, ..ChatRequest::default() }
    }

    fn reader(&self, turn: &Turn<'_>) -> Box<dyn StepReader> {
        Box::new(ReActReader::new(Position::of(turn)))
    }

    fn no_action(&self) -> &str {
        self.prompts.text(Prompt::ReactNoAction)
    }

    fn history(&self, steps: &[TakenStep]) -> Vec<Message> {
        let mut message = Message { role: Role::Assistant, content: Vec::new() };
        for (index, step) in steps.iter().enumerate() {
            if index > 0 {
                message.push_text("\nThought:");
            }
            self.push_step(&mut message, step);
        }
        if message.content.is_empty() { Vec::new() } else { vec![message] }
    }
}

fn ends_with(message: &Message, end: &str) -> bool {
    message.content.last().is_some_and(|part| part.text().ends_with(end))
}

/// The message as the training data has it.
fn stripped(message: &Message) -> Message {
    let mut message = message.clone();
    if let Some(Part::Text(first)) = message.content.first_mut() {
        *first = first.trim_start_matches('\n').to_owned();
    }
    if let Some(Part::Text(last)) = message.content.last_mut() {
        last.truncate(last.trim_end().len());
    }
    message
}
