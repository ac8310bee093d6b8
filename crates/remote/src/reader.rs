//! Reading a reply: from the pieces that a server sends to the events of a chat model.

use qianshou_chat::{ChatErrorKind, ChatEvent, ChatRequest, Delta, End, FinishReason, StopScanner, Usage};

use crate::calls::Calls;
use crate::chunk::{self, Choice, Chunk};
use crate::endpoint::Endpoint;
use crate::failure::Fault;

/// What stands around the thinking that a server takes apart: what a local model of the family would write.
const THINKING: &str = "<think>\n";
const THOUGHT: &str = "\n</think>\n\n";

/// Reads one reply.
#[derive(Debug)]
pub(crate) struct Reader {
    stops: Vec<String>,
    scanner: StopScanner,
    /// Text that may be the beginning of a stop string, and what was emitted before it.
    held: String,
    emitted: usize,
    thinking: bool,
    calls: Calls,
    usage: Usage,
    /// Why the reply ended, once that is known; the usage may still follow.
    finish: Option<FinishReason>,
}

impl Reader {
    pub(crate) fn new(request: &ChatRequest) -> Self {
        let calls = request.messages.iter().map(|message| message.calls().count()).sum();
        Self {
            stops: request.stop.clone(),
            scanner: StopScanner::new(&request.stop),
            held: String::new(),
            emitted: 0,
            thinking: false,
            calls: Calls::new(calls),
            usage: Usage::default(),
            finish: None,
        }
    }

    /// Whether it is known why the reply ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.finish.is_some()
    }

    /// Takes one piece.
    pub(crate) fn read(&mut self, data: &str, endpoint: &Endpoint) -> Result<Vec<ChatEvent>, Fault> {
        let mut events = Vec::new();
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            // serde repeats what stands in the wrong place.
            let (problem, said) = (endpoint.shown(&error.to_string()), endpoint.said(data).text);
            Fault::new(ChatErrorKind::Failed, format!("sent what is no piece of a reply ({problem}): {said}"))
        })?;
        if chunk.error.is_some() || chunk.object.as_deref() == Some("error") {
            let said = endpoint.said(data);
            let fault = said.fault(None);
            return Err(Fault { message: format!("failed to answer: {}", said.text), ..fault });
        }
        if let Some(counts) = chunk.usage {
            self.usage = counts.into();
        }
        if let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            self.take(choice, endpoint, &mut events)?;
        }
        Ok(events)
    }

    /// Nothing more comes, for this reason. If it is known why the reply ended, that is enough.
    pub(crate) fn close(&mut self, reason: &str) -> Result<Vec<ChatEvent>, Fault> {
        let Some(finish) = self.finish.clone() else {
            let fault = Fault::new(ChatErrorKind::Unavailable, format!("broke off the reply: {reason}"));
            return Err(fault.retryable().with_hint("try again"));
        };
        let mut events = self.calls.finish();
        events.push(ChatEvent::End(End { finish, usage: self.usage }));
        Ok(events)
    }

    fn take(&mut self, mut choice: Choice, endpoint: &Endpoint, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let delta = choice.take_delta();
        if self.finish.is_some() {
            // We stopped at a stop string and waited for the usage, but the server writes on.
            if !delta.is_empty() {
                events.extend(self.close("it went on behind a stop string")?);
            }
            return Ok(());
        }
        if let Some(text) = delta.thinking() {
            if !std::mem::replace(&mut self.thinking, true) {
                self.push(THINKING, events);
            }
            self.push(text, events);
        }
        if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
            self.end_thinking(events);
            self.push(&text, events);
        }
        for call in delta.tool_calls.unwrap_or_default() {
            self.end_thinking(events);
            self.call(call, events);
        }
        if let Some(reason) = choice.finish_reason.as_deref().filter(|reason| !reason.is_empty()) {
            self.end_thinking(events);
            self.finish(reason, choice.stop_string(), endpoint, events)?;
        }
        Ok(())
    }

    fn end_thinking(&mut self, events: &mut Vec<ChatEvent>) {
        if std::mem::take(&mut self.thinking) {
            self.push(THOUGHT, events);
        }
    }

    /// Emits text as far as no stop string can begin in it.
    fn push(&mut self, text: &str, events: &mut Vec<ChatEvent>) {
        if self.finish.is_some() {
            return;
        }
        self.held.push_str(text);
        let found = self.scanner.push(text.as_bytes());
        let safe = self.held.floor_char_boundary(self.scanner.safe().saturating_sub(self.emitted));
        let rest = self.held.split_off(safe);
        self.emit(events);
        self.held = rest;
        if let Some(stop) = found.and_then(|found| self.stops.get(found.index)) {
            self.finish = Some(FinishReason::Stop(stop.clone()));
        }
    }

    /// Emits all that is held.
    fn emit(&mut self, events: &mut Vec<ChatEvent>) {
        let text = std::mem::take(&mut self.held);
        self.emitted += text.len();
        if !text.is_empty() {
            events.push(ChatEvent::Delta(Delta { text, ids: Vec::new() }));
        }
    }

    fn call(&mut self, call: chunk::CallDelta, events: &mut Vec<ChatEvent>) {
        if self.finish.is_none() {
            events.extend(self.calls.push(call));
        }
    }

    fn finish(
        &mut self,
        reason: &str,
        stop: Option<&str>,
        endpoint: &Endpoint,
        events: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        if self.finish.is_some() {
            return Ok(());
        }
        let stop = stop.and_then(|stop| self.stops.iter().find(|known| *known == stop));
        let finish = match reason {
            "stop" => stop.map_or(FinishReason::EndOfTurn, |stop| FinishReason::Stop(stop.clone())),
            "tool_calls" | "function_call" => FinishReason::EndOfTurn,
            "length" => FinishReason::Length,
            "abort" => FinishReason::Cancelled,
            "content_filter" => {
                let fault = Fault::new(ChatErrorKind::Failed, "withheld the reply: its content filter took offence");
                return Err(fault.with_hint("ask in other words, or another model"));
            }
            other => {
                let other = endpoint.shown(other);
                let message = format!("ended the reply for a reason that is not known here: `{other}`");
                return Err(Fault::new(ChatErrorKind::Failed, message));
            }
        };
        self.emit(events);
        self.finish = Some(finish);
        Ok(())
    }
}
