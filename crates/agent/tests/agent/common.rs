//! What several tests are made of.

use qianshou_agent::{StepRecord, Turn};
use qianshou_chat::{Capabilities, FinishReason, Message, Role, Usage};

/// A model that can do everything.
pub(crate) const EVERYTHING: Capabilities =
    Capabilities { continue_last: true, constraints: true, native_tools: true, images: true };

/// A turn without tools and steps.
pub(crate) fn turn(conversation: &[Message]) -> Turn<'_> {
    let system = conversation.iter().take_while(|message| message.role == Role::System).count();
    Turn {
        system: &conversation[..system],
        conversation: &conversation[system..],
        steps: &[],
        steps_left_out: 0,
        tools: &[],
        capabilities: EVERYTHING,
    }
}

/// A step in which nothing was read.
pub(crate) fn empty_record() -> StepRecord {
    StepRecord {
        thought: String::new(),
        answer: None,
        calls: Vec::new(),
        no_action: None,
        warnings: Vec::new(),
        usage: Usage::default(),
        finish: FinishReason::EndOfTurn,
    }
}
