//! All that a run is made of.

use qianshou_chat::{Capabilities, Message, Part, Role, Usage};
use serde::{Deserialize, Serialize};

use crate::{CallRecord, StopReason, TakenStep, ToolSpec, Turn, Warning};

/// All that a run is made of, to be saved and resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// What was asked, as it was asked.
    pub(crate) conversation: Vec<Message>,
    pub(crate) steps: Vec<TakenStep>,
    /// How many messages (after the system's) and steps are left out of prompts, from the oldest on.
    messages_left_out: usize,
    steps_left_out: usize,
    /// What is to be told with the next step.
    pub(crate) warnings: Vec<Warning>,
    pub(crate) repairs: usize,
    pub(crate) lost_replies: usize,
    pub(crate) finished: Option<StopReason>,
}

impl RunState {
    pub(crate) fn new(conversation: Vec<Message>) -> Self {
        Self {
            conversation,
            steps: Vec::new(),
            messages_left_out: 0,
            steps_left_out: 0,
            warnings: Vec::new(),
            repairs: 0,
            lost_replies: 0,
            finished: None,
        }
    }

    /// What was asked: the conversation that ends with the question.
    pub fn conversation(&self) -> &[Message] {
        &self.conversation
    }

    /// The steps so far.
    pub fn steps(&self) -> &[TakenStep] {
        &self.steps
    }

    /// The calls that wait for a decision.
    pub fn awaiting_decision(&self) -> impl Iterator<Item = &CallRecord> {
        self.open_calls().filter(|call| call.awaits_decision())
    }

    /// Why the run ended, if it has.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.finished
    }

    /// Tokens of all steps.
    pub fn usage(&self) -> Usage {
        self.steps.iter().fold(Usage::default(), |mut sum, step| {
            sum += step.record.usage;
            sum
        })
    }

    /// The final answer, or what there is of it.
    pub fn answer(&self) -> &str {
        self.steps.last().and_then(|step| step.record.answer.as_deref()).unwrap_or_default()
    }

    /// How many times the model was told to mend a call.
    pub fn repairs(&self) -> usize {
        self.repairs
    }

    /// What the next prompt is made of.
    pub(crate) fn turn<'a>(&'a self, tools: &'a [ToolSpec], capabilities: Capabilities) -> Turn<'a> {
        let system = self.conversation.iter().take_while(|message| message.role == Role::System).count();
        Turn {
            system: &self.conversation[..system],
            conversation: &self.conversation[system + self.messages_left_out..],
            steps: &self.steps[self.steps_left_out..],
            steps_left_out: self.steps_left_out,
            tools,
            capabilities,
        }
    }

    /// Leaves out the oldest turn, or else the oldest step, if there is one that may be: the question and
    /// the last step stay.
    pub(crate) fn leave_out_oldest(&mut self) -> bool {
        let kept = self.turn(&[], Capabilities::default()).conversation;
        let mut turns = (0..kept.len()).filter(|&index| kept[index].role == Role::User);
        let warning = if let Some(next_turn) = turns.nth(1) {
            self.messages_left_out += next_turn;
            Warning::TurnLeftOut
        } else if self.steps_left_out + 1 < self.steps.len() {
            self.steps_left_out += 1;
            Warning::StepLeftOut { step: self.steps_left_out }
        } else {
            return false;
        };
        self.warnings.push(warning);
        true
    }

    /// How many calls were made in the conversation.
    pub(crate) fn calls_before(&self) -> usize {
        let parts = self.conversation.iter().flat_map(|message| &message.content);
        let earlier = parts.filter(|part| matches!(part, Part::Result(_))).count();
        earlier + self.steps.iter().map(|step| step.record.calls.len()).sum::<usize>()
    }

    /// The calls of the last step that nothing has come back for.
    pub(crate) fn open_calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.steps.last().into_iter().flat_map(|step| step.record.open_calls())
    }

    pub(crate) fn calls_mut(&mut self) -> impl Iterator<Item = &mut CallRecord> {
        self.steps.last_mut().into_iter().flat_map(|step| &mut step.record.calls)
    }

    /// Whether the model's turn is next, as far as the calls go.
    pub(crate) fn waits_for_model(&self) -> bool {
        self.open_calls().next().is_none()
    }

    /// How many steps in a row, the last included, made the same calls with the same arguments.
    pub(crate) fn repeats(&self) -> usize {
        let calls = |step: &TakenStep| {
            step.record.calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect::<Vec<_>>()
        };
        let Some(last) = self.steps.last().map(calls) else {
            return 0;
        };
        if last.iter().any(|(_, arguments)| arguments.is_none()) {
            return 0;
        }
        self.steps.iter().rev().take_while(|step| calls(step) == last).count()
    }
}
