//! A run's steps for people, on stderr, as they come.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use qianshou::agent::{Decision, Event};

/// Writes events line by line; what kind a line is, its label and its colour tell.
pub(super) struct Steps<Output> {
    output: Output,
    /// The kind of text that the current line holds.
    line: Option<Line>,
}

/// A kind of text in a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Thought,
    Action,
    Input,
    Observation,
    Warning,
    Usage,
}

impl Line {
    fn label(self) -> &'static str {
        match self {
            Self::Thought => "Thought: ",
            Self::Action => "Action: ",
            Self::Input => "Action Input: ",
            Self::Observation => "Observation: ",
            Self::Warning => "Warning: ",
            Self::Usage => "",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Thought | Self::Usage => Style::new().dimmed(),
            Self::Action | Self::Input => AnsiColor::Cyan.on_default(),
            Self::Observation => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
        }
    }
}

impl<Output: Write> Steps<Output> {
    pub(super) fn new(output: Output) -> Self {
        Self { output, line: None }
    }

    /// Shows one event.
    pub(super) fn show(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::ThoughtDelta { text } => self.text(Line::Thought, text),
            Event::Action { name, .. } => self.line(Line::Action, name),
            Event::ArgumentsDelta { text, .. } => self.text(Line::Input, text),
            Event::Observation { observation, .. } => self.line(Line::Observation, &observation.text),
            Event::Warning { warning } => self.line(Line::Warning, &warning.to_string()),
            Event::StepUsage { usage, .. } => {
                let (cached, computed, generated) = (usage.cached, usage.computed, usage.generated);
                self.line(Line::Usage, &format!("[{cached} cached + {computed} computed, {generated} generated]"))
            }
            Event::AnswerWasThought => self.line(Line::Warning, "that was a thought and no answer; the model goes on"),
            Event::Decided { decision: Decision::Deny { reason }, .. } => self.line(Line::Warning, reason),
            // The answer is not a step; it goes elsewhere.
            Event::AnswerDelta { .. } | Event::Finished { .. } => self.end_line(),
            // Events of no interest to people, and those that a later version adds.
            _ => Ok(()),
        }
    }

    /// Goes on with a line of this kind, or begins one.
    fn text(&mut self, line: Line, text: &str) -> io::Result<()> {
        let style = line.style();
        if self.line != Some(line) {
            // White space between two kinds of text separates them; it belongs to neither.
            let text = text.trim_start();
            if text.is_empty() {
                return Ok(());
            }
            self.end_line()?;
            write!(self.output, "{style}{}{text}{style:#}", line.label())?;
            self.line = Some(line);
        } else {
            write!(self.output, "{style}{text}{style:#}")?;
        }
        self.output.flush()
    }

    /// A line that is there as a whole.
    fn line(&mut self, line: Line, text: &str) -> io::Result<()> {
        self.end_line()?;
        let style = line.style();
        writeln!(self.output, "{style}{}{text}{style:#}", line.label())?;
        self.output.flush()
    }

    fn end_line(&mut self) -> io::Result<()> {
        if self.line.take().is_some() { writeln!(self.output) } else { Ok(()) }
    }
}
