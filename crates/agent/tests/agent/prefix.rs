//! What a prompt begins with never moves from one step to the next.

use proptest::prelude::*;
use qianshou_agent::{
    CallRecord, Native, Observation, ObservationKind, Protocol, ReAct, StepRecord, TakenStep, Turn, Warning,
};
use qianshou_chat::{Capabilities, Generated, Message, Part, Role};

use crate::common;

/// A piece of what a model was given, in a form that can be compared: ids where there are some, else characters.
fn encoded(message: &Message) -> Vec<(Role, u32)> {
    let ids = message.content.iter().flat_map(|part| match part {
        Part::Generated(generated) => generated.ids.clone(),
        Part::Call(call) => format!("{call:?}").chars().map(u32::from).collect(),
        part => part.text().chars().map(u32::from).collect(),
    });
    ids.map(|id| (message.role, id)).collect()
}

fn step() -> impl Strategy<Value = TakenStep> {
    let text = prop_oneof![
        Just("Thought: so\nAction: add\nAction Input: {}\n"),
        Just(" so\nAction: add\nAction Input: {}"),
        Just("Thought: \n"),
        Just("<think>so"),
        Just("<tool_call>\n{\"name\": \"add\"}\n</tool_call>"),
        Just(""),
    ];
    let kinds = prop_oneof![Just("text"), Just("generated"), Just("thinking")];
    (text, kinds, "\\PC{0,12}", 0_usize..3).prop_map(|(text, kind, observed, calls)| {
        let observation =
            Observation { kind: ObservationKind::Output, text: observed, diagnostics: None, artifacts: Vec::new() };
        let call = |index: usize| CallRecord {
            id: format!("call-{index}"),
            name: "add".to_owned(),
            input: "{}".to_owned(),
            arguments: None,
            stage: None,
            needs_approval: false,
            decision: None,
            observation: Some(observation.clone()),
        };
        let reply = match kind {
            "generated" => {
                Part::Generated(Generated { text: text.to_owned(), ids: text.bytes().map(u32::from).collect() })
            }
            _ => Part::Text(text.to_owned()),
        };
        let thinking = kind == "thinking";
        let record = StepRecord {
            thought: "so".to_owned(),
            calls: (0..if thinking { 0 } else { calls }).map(call).collect(),
            no_action: (calls == 0 && !thinking).then_some(observation.clone()),
            warnings: if thinking { vec![Warning::StoppedInThinking] } else { Vec::new() },
            ..common::empty_record()
        };
        TakenStep { reply: vec![reply], record }
    })
}

proptest! {
    #[test]
    fn a_prompt_is_a_beginning_of_the_next(
        steps in proptest::collection::vec(step(), 1..7),
        continue_last: bool,
        turns in 0_usize..3,
    ) {
        let history = (0..turns).flat_map(|_| [Message::user("q"), Message::assistant("a")]);
        let conversation: Vec<_> = [Message::system("s")].into_iter().chain(history).chain([Message::user("q?")]).collect();
        let capabilities = Capabilities { continue_last, ..common::EVERYTHING };
        let protocols: [&dyn Protocol; 2] = [&ReAct::default(), &Native::default()];
        for protocol in protocols {
            let prompts: Vec<Vec<_>> = (0..=steps.len())
                .map(|count| {
                    let turn = Turn { steps: &steps[..count], capabilities, ..common::turn(&conversation) };
                    protocol.request(&turn).messages.iter().flat_map(encoded).collect()
                })
                .collect();
            for pair in prompts.windows(2) {
                prop_assert!(pair[1].starts_with(&pair[0]), "{protocol:?}");
            }
        }
    }
}
