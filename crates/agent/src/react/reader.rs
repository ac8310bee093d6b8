//! Reading a ReAct reply as it comes.
//!
//! A keyword counts at the beginning of a line, as the template writes it. One reply is one step: it
//! holds one call or one answer. The rules for what models write:
//!
//! - **Thought**: text without a keyword is thought, and so is all of a `<think>` block at the beginning,
//!   whatever it holds. A stop string inside it ends the block ([`Warning::StoppedInThinking`]). Some chat
//!   templates open the block themselves: thought up to a line `</think>` is such a block. An action or an
//!   answer before that line counts, as only the line could tell that it was none.
//! - **Several actions before one input**: the last one counts ([`Warning::SeveralActions`]).
//! - **End of the input**: the next keyword line, or the end of the reply. What follows is dropped: an
//!   invented observation ([`Warning::InventedObservation`]), an answer
//!   ([`Warning::AnswerBesideAction`]) or anything else ([`Warning::TextAfterCall`]). So of several
//!   complete calls the first counts, as it was the only one written with all observations known.
//! - **Code fences**: within a fence in the input only `Observation` is a keyword, since the stop string
//!   cannot know of fences either.
//! - **Trailing prose** belongs to the input; reading the arguments leaves it out.
//! - **Missing input**: an action that is one word and ends the reply, or is followed by `Observation`,
//!   is a call without arguments ([`Warning::MissingInput`]). One that is followed by a thought or an
//!   answer is none ([`Warning::LooksLikeCall`]).
//! - **Answer**: everything after `Final Answer:`, to the end or to `Observation`. An action in it is
//!   text ([`Warning::LooksLikeCall`]).
//! - **No keyword at all**: the reply is the answer, unless it was cut off or looks like a call (an input
//!   without action, keywords in lower case or within a line, another protocol's tags); then there is
//!   neither call nor answer.
//! - **Half a stop word** at the end of an action or input (`Observ`) is dropped.

use qianshou_chat::FinishReason;

use super::Position;
use super::keyword::{Keyword, LineStart, classify};
use crate::trimmed::Trimmed;
use crate::{StepEvent, StepReader, Warning};

const THINK: &str = "<think>";
const END_OF_THINKING: &str = "</think>";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a `<think>` block.
    Thinking,
    Thought,
    /// The name of an action.
    Action,
    Input,
    Answer,
    /// The step is complete.
    Closed,
}

/// Reads one reply.
#[derive(Debug)]
pub(super) struct ReActReader {
    state: State,
    /// The beginning of a line, or of a tag, that is not decided yet.
    line: String,
    at_line_start: bool,
    /// Only white space has come so far.
    fresh: bool,
    /// Bytes taken so far, less those in `line`.
    read: usize,
    kept: Option<usize>,
    /// What closed the step, until a warning about the text after it was given.
    closed_by: Option<Keyword>,
    thinking: Trimmed,
    thought: Trimmed,
    name: String,
    input: Trimmed,
    /// Backticks in a row at the end of the input, and whether a fence is open.
    backticks: usize,
    fenced: bool,
    answer: Trimmed,
    has_call: bool,
    /// The first line that looks like a call but is none.
    suspect: Option<String>,
}

impl ReActReader {
    pub(super) fn new(position: Position) -> Self {
        Self {
            state: State::Thought,
            line: String::new(),
            at_line_start: position == Position::MessageStart,
            fresh: true,
            read: 0,
            kept: None,
            closed_by: None,
            thinking: Trimmed::default(),
            thought: Trimmed::default(),
            name: String::new(),
            input: Trimmed::default(),
            backticks: 0,
            fenced: false,
            answer: Trimmed::default(),
            has_call: false,
            suspect: None,
        }
    }

    /// Text that is no keyword.
    fn text(&mut self, text: &str, events: &mut Vec<StepEvent>) {
        self.read += text.len();
        self.fresh &= text.trim().is_empty();
        match self.state {
            State::Thinking => events.extend(self.thinking.push(text).map(StepEvent::Thought)),
            State::Thought => {
                let begins = self.thought.shown.is_empty() && !self.thinking.shown.is_empty();
                let text = self.thought.push(text);
                events.extend(text.map(|text| StepEvent::Thought(if begins { format!("\n{text}") } else { text })));
            }
            State::Action => self.name.push_str(text),
            State::Input => {
                self.watch_fences(text);
                events.extend(self.input.push(text).map(StepEvent::Arguments));
            }
            State::Answer => events.extend(self.answer.push(text).map(StepEvent::Answer)),
            State::Closed => self.after_the_end(text, events),
        }
    }

    fn watch_fences(&mut self, text: &str) {
        for byte in text.bytes() {
            self.backticks = if byte == b'`' { self.backticks + 1 } else { 0 };
            if self.backticks == 3 {
                self.fenced = !self.fenced;
                self.backticks = 0;
            }
        }
    }

    fn after_the_end(&mut self, text: &str, events: &mut Vec<StepEvent>) {
        if text.trim().is_empty() {
            return;
        }
        let warning = match self.closed_by.take() {
            None => return,
            Some(Keyword::Observation | Keyword::ChineseObservation) => Warning::InventedObservation,
            Some(Keyword::FinalAnswer) => Warning::AnswerBesideAction,
            Some(_) => Warning::TextAfterCall,
        };
        events.push(StepEvent::Warning(warning));
    }

    /// A keyword, with the text that it was written as.
    fn keyword(&mut self, keyword: Keyword, written: &str, events: &mut Vec<StepEvent>) {
        self.fresh = false;
        match (self.state, keyword) {
            (State::Closed, _) | (State::Thought, Keyword::Thought) => self.read += written.len(),
            (State::Thought | State::Answer, Keyword::ChineseObservation) => self.text(written, events),
            (State::Thought | State::Action, Keyword::FinalAnswer) => {
                self.abandon_action();
                self.state = State::Answer;
                self.read += written.len();
            }
            (State::Thought, Keyword::Action) => {
                self.state = State::Action;
                self.read += written.len();
            }
            (State::Thought, Keyword::ActionInput) => {
                self.suspect.get_or_insert_with(|| written.to_owned());
                self.text(written, events);
            }
            (State::Thought | State::Answer, Keyword::Observation) => self.close(keyword, written),
            (State::Action, Keyword::Thought) => {
                self.abandon_action();
                self.state = State::Thought;
                self.read += written.len();
            }
            (State::Action, Keyword::Action) => {
                let dropped = std::mem::take(&mut self.name).trim().to_owned();
                events.push(StepEvent::Warning(Warning::SeveralActions { dropped }));
                self.read += written.len();
            }
            (State::Action, Keyword::ActionInput) => {
                self.begin_call(events);
                self.state = State::Input;
                self.read += written.len();
            }
            (State::Action, Keyword::Observation | Keyword::ChineseObservation) => {
                self.call_without_input(events);
                self.close(keyword, written);
            }
            (State::Input, keyword) if !self.fenced || keyword == Keyword::Observation => self.close(keyword, written),
            (State::Input | State::Answer | State::Thinking, _) => self.text(written, events),
        }
    }

    fn close(&mut self, keyword: Keyword, written: &str) {
        self.kept = Some(self.read);
        self.closed_by = Some(keyword);
        self.state = State::Closed;
        self.read += written.len();
    }

    /// The name of the action is complete: the first line of it that is not empty.
    fn begin_call(&mut self, events: &mut Vec<StepEvent>) {
        let name = self.name.trim().lines().next().unwrap_or_default().trim().to_owned();
        self.has_call = true;
        events.push(StepEvent::Action(name));
    }

    fn call_without_input(&mut self, events: &mut Vec<StepEvent>) {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.contains(char::is_whitespace) {
            self.abandon_action();
            return;
        }
        events.push(StepEvent::Warning(Warning::MissingInput { name }));
        self.begin_call(events);
    }

    /// There was an action, but it came to nothing.
    fn abandon_action(&mut self) {
        if self.state == State::Action {
            let name = std::mem::take(&mut self.name);
            self.suspect.get_or_insert_with(|| format!("Action: {}", name.trim()));
        }
    }

    /// Looks for calls in a text that should hold none.
    fn look_for_calls(&mut self) {
        let text = if self.answer.shown.is_empty() { &self.thought.shown } else { &self.answer.shown };
        let looks_like_call = |line: &&str| {
            let lower = line.trim_start().to_lowercase();
            lower.contains("action input")
                || lower.starts_with("action:")
                || lower.starts_with("action：")
                || lower.contains("<tool_call>")
        };
        if self.suspect.is_none() {
            self.suspect = text.lines().find(looks_like_call).map(str::to_owned);
        }
    }

    /// Takes the first character of `rest`, at a place where a keyword or a tag may begin, and what of
    /// the text before it is decided by that. Returns what is left.
    fn decide<'a>(&mut self, rest: &'a str, events: &mut Vec<StepEvent>) -> &'a str {
        let length = rest.chars().next().map_or(0, char::len_utf8);
        self.line.push_str(&rest[..length]);
        let mut after = &rest[length..];
        let start = if self.at_line_start { classify(&self.line) } else { LineStart::Text };
        let tags = [(THINK, State::Thinking, self.fresh), (END_OF_THINKING, State::Thought, true)];
        for (tag, state, _) in tags.into_iter().filter(|(.., may_stand)| self.state == State::Thought && *may_stand) {
            if self.line == tag {
                self.tag(state);
                return after;
            }
            if tag.starts_with(&self.line) {
                return after;
            }
        }
        match start {
            LineStart::Open | LineStart::Bold(_) => {}
            LineStart::Keyword { keyword, length: written } => {
                // A bold keyword ends before the character that decided it.
                after = &rest[rest.len() - after.len() - (self.line.len() - written)..];
                let line = std::mem::take(&mut self.line);
                self.at_line_start = false;
                self.keyword(keyword, &line[..written], events);
            }
            LineStart::Text => {
                let line = std::mem::take(&mut self.line);
                self.at_line_start = line.ends_with('\n');
                self.text(&line, events);
            }
        }
        after
    }

    /// A tag of thinking, which `line` holds.
    fn tag(&mut self, state: State) {
        self.read += self.line.len();
        self.line.clear();
        self.state = state;
        self.suspect = None;
        // The chat template opened the block whose end this is.
        if !self.thought.shown.is_empty() {
            self.thinking = std::mem::take(&mut self.thought);
        }
        // What follows is as good as a message of its own.
        self.at_line_start = state == State::Thought;
        self.fresh = false;
    }

    /// Takes text of a `<think>` block, and returns what follows its end.
    fn think<'a>(&mut self, text: &'a str, events: &mut Vec<StepEvent>) -> &'a str {
        let mut shown = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            self.line.push(next);
            rest = &rest[next.len_utf8()..];
            if self.line == END_OF_THINKING {
                self.text(&shown, events);
                self.tag(State::Thought);
                return rest;
            }
            if !END_OF_THINKING.starts_with(&self.line) {
                // A tag begins nowhere but at its first character.
                let keep = if next == '<' { self.line.len() - 1 } else { self.line.len() };
                shown.extend(self.line.drain(..keep));
            }
        }
        self.text(&shown, events);
        rest
    }
}

impl StepReader for ReActReader {
    fn push(&mut self, text: &str) -> Vec<StepEvent> {
        let mut events = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if self.state == State::Thinking {
                rest = self.think(rest, &mut events);
            } else if self.at_line_start || self.fresh {
                rest = self.decide(rest, &mut events);
            } else {
                let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
                self.at_line_start = rest[..end].ends_with('\n');
                self.text(&rest[..end], &mut events);
                rest = &rest[end..];
            }
        }
        events
    }

    fn finish(&mut self, finish: &FinishReason) -> Vec<StepEvent> {
        let mut events = Vec::new();
        let line = std::mem::take(&mut self.line);
        let half_a_stop_word = matches!(self.state, State::Action | State::Input) && line.starts_with("Observ");
        match classify(&line) {
            LineStart::Bold(keyword) if self.at_line_start => self.keyword(keyword, &line, &mut events),
            _ if half_a_stop_word => {}
            _ => self.text(&line, &mut events),
        }
        let whole = matches!(finish, FinishReason::EndOfTurn | FinishReason::Stop(_));
        if self.state == State::Action && whole {
            self.call_without_input(&mut events);
        }
        if self.has_call {
            return events;
        }
        if self.state == State::Thinking {
            if matches!(finish, FinishReason::Stop(_)) {
                events.push(StepEvent::Warning(Warning::StoppedInThinking));
            }
            return events;
        }
        self.look_for_calls();
        if let Some(text) = self.suspect.take() {
            events.push(StepEvent::Warning(Warning::LooksLikeCall { text }));
        } else if self.answer.shown.is_empty()
            && self.state == State::Thought
            && *finish == FinishReason::EndOfTurn
            && !self.thought.shown.is_empty()
        {
            let thought = self.thought.shown.as_str();
            let said = ["Final Answer:", "Final Answer："].iter().find_map(|mark| thought.rsplit_once(mark));
            let answer = said.map_or(thought, |(_, answer)| answer).trim().to_owned();
            if !answer.is_empty() {
                events.push(StepEvent::Answer(answer));
            }
        }
        events
    }

    fn kept(&self) -> Option<usize> {
        self.kept
    }
}
