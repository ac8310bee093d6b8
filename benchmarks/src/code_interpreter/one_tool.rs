//! A protocol under which any name that a model gives to its action means the only tool there is, as in the
//! official exam.

use qianshou_agent::{BuildError, Protocol, StepEvent, StepReader, TakenStep, ToolSpec, Turn};
use qianshou_chat::{ChatRequest, FinishReason, Message, ModelInfo, NativeCall};

/// Another protocol, with the name of the first tool in place of every name that is read.
#[derive(Debug)]
pub(super) struct OneTool<P>(pub(super) P);

impl<P: Protocol> Protocol for OneTool<P> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, tools: &[ToolSpec], model: &ModelInfo) -> Result<(), BuildError> {
        self.0.check(tools, model)
    }

    fn request(&self, turn: &Turn<'_>) -> ChatRequest {
        self.0.request(turn)
    }

    fn reader(&self, turn: &Turn<'_>) -> Box<dyn StepReader> {
        let name = turn.tools.first().map(|tool| tool.name.clone());
        Box::new(Reader { reader: self.0.reader(turn), name })
    }

    fn no_action(&self) -> &str {
        self.0.no_action()
    }

    fn history(&self, steps: &[TakenStep]) -> Vec<Message> {
        self.0.history(steps)
    }
}

#[derive(Debug)]
struct Reader {
    reader: Box<dyn StepReader>,
    name: Option<String>,
}

impl Reader {
    fn named(&self, mut events: Vec<StepEvent>) -> Vec<StepEvent> {
        for event in &mut events {
            if let (StepEvent::Action(name), Some(only)) = (event, &self.name) {
                name.clone_from(only);
            }
        }
        events
    }
}

impl StepReader for Reader {
    fn push(&mut self, text: &str) -> Vec<StepEvent> {
        let events = self.reader.push(text);
        self.named(events)
    }

    fn push_call(&mut self, call: &NativeCall) -> Vec<StepEvent> {
        let events = self.reader.push_call(call);
        self.named(events)
    }

    fn push_arguments(&mut self, text: &str) -> Vec<StepEvent> {
        self.reader.push_arguments(text)
    }

    fn finish(&mut self, finish: &FinishReason) -> Vec<StepEvent> {
        let events = self.reader.finish(finish);
        self.named(events)
    }

    fn kept(&self) -> Option<usize> {
        self.reader.kept()
    }
}
