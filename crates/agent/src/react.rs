//! The ReAct protocol of Qwen-Chat: thought, action and observation in one running text.
//!
//! The user's message holds tools, format and question; the model answers in one assistant message that
//! it continues after each observation. The rendered text equals that of the official example to the
//! byte, because models were trained on it. With history, the instruction stands in one turn only: the
//! only one, else the last but one. Turns are stripped as the training data was (line breaks at the
//! front, white space at the end), except parts that carry token ids, which never change.

use qianshou_chat::{Message, Part, Role};
use qianshou_prompts::{Prompt, Prompts};

use crate::react_reader::ReActReader;
use crate::{ArgumentsFormat, Protocol, StepReader, ToolSpec, python_json};

/// Qwen's ReAct prompt with English keywords.
#[derive(Clone, Debug, Default)]
pub struct ReAct {
    prompts: Prompts,
    names_separator: Option<String>,
}

impl ReAct {
    /// The protocol with these prompts.
    pub fn new(prompts: Prompts) -> Self {
        Self { prompts, names_separator: None }
    }

    /// Sets what stands between the names of the tools, for a model that was trained on another form
    /// than the official one (`, `).
    #[must_use]
    pub fn names_joined_by(mut self, separator: impl Into<String>) -> Self {
        self.names_separator = Some(separator.into());
        self
    }

    fn instruction(&self, question: &str, tools: &[ToolSpec]) -> String {
        let lines: Vec<_> = tools.iter().map(|tool| self.tool_line(tool)).collect();
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
        let separator = self.names_separator.as_deref();
        let names = names.join(separator.unwrap_or_else(|| self.prompts.text(Prompt::ReactNamesSeparator)));
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
}

impl Protocol for ReAct {
    fn render(&self, conversation: &[Message], tools: &[ToolSpec]) -> Vec<Message> {
        let questions: Vec<usize> =
            (0..conversation.len()).filter(|&index| conversation[index].role == Role::User).collect();
        let instructed = questions.get(questions.len().saturating_sub(2)).filter(|_| !tools.is_empty());
        let render = |(index, message): (usize, &Message)| {
            if message.role == Role::System {
                message.clone()
            } else if Some(&index) == instructed {
                let mut asked = stripped(&Message::new(message.role, self.instruction(&message.text(), tools)));
                let images = message.content.iter().filter(|part| matches!(part, Part::Image(_)));
                asked.content.extend(images.cloned());
                asked
            } else {
                stripped(message)
            }
        };
        conversation.iter().enumerate().map(render).collect()
    }

    fn stop_strings(&self) -> Vec<String> {
        vec!["Observation:".to_owned(), "Observation:\n".to_owned()]
    }

    fn continues(&self) -> bool {
        true
    }

    fn reader(&self, messages: &[Message]) -> Box<dyn StepReader> {
        let continues = messages.last().is_some_and(|message| message.role == Role::Assistant);
        Box::new(ReActReader::new(continues))
    }

    fn observe(&self, messages: &mut Vec<Message>, observations: &[&str]) {
        if messages.last().is_none_or(|message| message.role != Role::Assistant) {
            messages.push(Message { role: Role::Assistant, content: Vec::new() });
        }
        let Some(message) = messages.last_mut() else {
            return;
        };
        for observation in observations {
            let at_line_start = message.text().ends_with('\n');
            message.push_text(if at_line_start { "Observation: " } else { "\nObservation: " });
            message.push_text(observation);
        }
        message.push_text("\nThought:");
    }
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
