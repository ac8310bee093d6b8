//! Episodes as the token ids that the agent would show the model, by the agent's own protocol.

use qianshou_agent::{CallRecord, Observation, ObservationKind, Protocol, StepRecord, TakenStep, ToolSpec, Turn};
use qianshou_chat::{Capabilities, ChatRequest, FinishReason, Generated, Message, Part, Role, Usage};
use qianshou_model::ChatEncoder;
use qianshou_tokenizer::{Specials, Tokenizer};

use super::{Call, Episode, Group};
use crate::{Sequence, Tokens, TrainError};

/// What a reply ends with: behind it the agent stops the model.
const STOP: &str = "Observation:";

/// Puts episodes into the ids of one model.
#[derive(Debug)]
pub struct Renderer<'a> {
    protocol: &'a dyn Protocol,
    encoder: ChatEncoder,
    tokenizer: Tokenizer,
    system: [Message; 1],
}

impl<'a> Renderer<'a> {
    /// A renderer for a model that is asked by this protocol (ReAct), with this system message.
    pub fn new(protocol: &'a dyn Protocol, encoder: ChatEncoder, tokenizer: Tokenizer, system: &str) -> Self {
        Self { protocol, encoder, tokenizer, system: [Message::system(system)] }
    }

    /// The episode's ids. What the model learns of them is its own text up to the word that stops it, and the end
    /// of its turn; never what it reads.
    ///
    /// # Errors
    /// When the chat format cannot express it.
    pub fn tokens(&self, tools: &[ToolSpec], episode: &Episode) -> Result<Tokens, TrainError> {
        let conversation = [Message::user(&episode.question)];
        let mut steps: Vec<TakenStep> = Vec::new();
        let mut tokens = Tokens { ids: Vec::new(), learned: Vec::new() };
        for call in &episode.calls {
            let reply = format!("Thought: {}\nAction: {}\nAction Input: {}\n", call.thought, call.tool, call.input);
            let reply = self.generated(&reply, steps.is_empty());
            let request = self.request(tools, &conversation, &steps);
            self.extend(&mut tokens, &request, false)?;
            self.extend(&mut tokens, &continued(request, &reply, true), !call.mistake)?;
            let keyword = tokens.ids.len();
            steps.push(taken(reply, call));
            self.extend(&mut tokens, &self.request(tools, &conversation, &steps), false)?;
            let stop = self.tokenizer.encode(STOP, Specials::None);
            let written = tokens.ids[keyword..].iter().zip(&stop).take_while(|(a, b)| a == b).count();
            tokens.learned[keyword..keyword + written].fill(!call.mistake);
        }
        let answer = format!("Thought: {}\nFinal Answer: {}", episode.thought, episode.answer);
        let request = self.request(tools, &conversation, &steps);
        self.extend(&mut tokens, &request, false)?;
        let answer = self.generated(&answer, steps.is_empty());
        self.extend(&mut tokens, &continued(request.clone(), &answer, true), true)?;
        // Behind a closed message stands the end of the turn, then the opening of another.
        let closed = self.encoder.encode(&continued(request, &answer, false))?;
        if let Some(&end) = closed.get(tokens.ids.len()) {
            tokens.ids.push(end);
            tokens.learned.push(true);
        }
        Ok(tokens)
    }

    /// The group as sequences of at most `length` tokens. Episodes that are longer alone are left out.
    ///
    /// # Errors
    /// When the chat format cannot express one.
    pub fn sequences(&self, group: &Group, length: usize) -> Result<Vec<Sequence>, TrainError> {
        let mut sequences = Vec::new();
        let mut packed: Vec<Tokens> = Vec::new();
        for episode in &group.episodes {
            packed.push(self.tokens(&group.tools, episode)?);
            let fits = Sequence::pack(&packed).is_none_or(|sequence| sequence.ids().len() <= length);
            if fits {
                continue;
            }
            let next = packed.pop();
            sequences.extend(Sequence::pack(&packed));
            packed = next.into_iter().filter(|tokens| tokens.ids.len() <= length).collect();
        }
        sequences.extend(Sequence::pack(&packed));
        Ok(sequences)
    }

    fn request(&self, tools: &[ToolSpec], conversation: &[Message], steps: &[TakenStep]) -> ChatRequest {
        let capabilities = Capabilities { continue_last: true, ..Capabilities::default() };
        self.protocol.request(&Turn {
            system: &self.system,
            conversation,
            steps,
            steps_left_out: 0,
            tools,
            capabilities,
        })
    }

    /// A reply as the model would generate it: behind an observation the keyword of its thought stands already.
    fn generated(&self, reply: &str, first: bool) -> Generated {
        let text = if first { reply } else { reply.strip_prefix("Thought:").unwrap_or(reply) };
        Generated { text: text.to_owned(), ids: self.tokenizer.encode(text, Specials::None) }
    }

    /// Appends what a longer prompt has beyond the tokens so far.
    fn extend(&self, tokens: &mut Tokens, request: &ChatRequest, learned: bool) -> Result<(), TrainError> {
        let ids = self.encoder.encode(request)?;
        let new = ids.get(tokens.ids.len()..).unwrap_or_default();
        tokens.ids.extend_from_slice(new);
        tokens.learned.resize(tokens.ids.len(), learned);
        Ok(())
    }
}

/// The request with a reply behind it, in the message that it continues or in one of its own.
fn continued(mut request: ChatRequest, reply: &Generated, open: bool) -> ChatRequest {
    if !request.continue_last {
        request.messages.push(Message { role: Role::Assistant, content: Vec::new() });
    }
    if let Some(message) = request.messages.last_mut() {
        message.push_generated(&reply.text, &reply.ids);
    }
    request.continue_last = open;
    request
}

/// The step as the agent keeps it.
fn taken(reply: Generated, call: &Call) -> TakenStep {
    let observation = Observation {
        kind: ObservationKind::Output,
        text: call.observation.clone(),
        diagnostics: None,
        artifacts: Vec::new(),
    };
    let record = CallRecord {
        id: String::new(),
        name: call.tool.clone(),
        input: call.input.clone(),
        arguments: None,
        stage: None,
        needs_approval: false,
        decision: None,
        observation: Some(observation),
    };
    TakenStep {
        reply: vec![Part::Generated(reply)],
        record: StepRecord {
            thought: call.thought.clone(),
            answer: None,
            calls: vec![record],
            no_action: None,
            warnings: Vec::new(),
            usage: Usage::default(),
            finish: FinishReason::Stop(STOP.to_owned()),
        },
    }
}
