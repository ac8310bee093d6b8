//! Episodes are what the agent shows the model, token by token; needs the base model, which `cargo xtask test` fetches.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use qianshou_agent::{AnyTool as _, ReAct};
use qianshou_model::Checkpoint;
use qianshou_tools::Calculator;
use qianshou_train::{Call, Episode, Group, Kind, Renderer};

fn base() -> Checkpoint {
    let path = std::env::var_os("QIANSHOU_BASE")
        .expect("QIANSHOU_BASE is not set: run `cargo xtask test`, which fetches the base model");
    Checkpoint::open(&PathBuf::from(path)).unwrap()
}

fn episode(mistake: bool) -> Episode {
    let call = |expression: &str, observation: &str, mistake| Call {
        thought: "I compute.".to_owned(),
        tool: "calculator".to_owned(),
        input: format!("{{\"expression\": \"{expression}\"}}"),
        observation: observation.to_owned(),
        mistake,
    };
    Episode {
        kind: Kind::Arithmetic,
        question: "What is 6 times 7?".to_owned(),
        calls: vec![call("6 x 7", "no", mistake), call("6 * 7", "42", false)],
        thought: "I now know the final answer".to_owned(),
        answer: "It is 42.".to_owned(),
        files: Vec::new(),
    }
}

#[test]
fn the_model_s_own_text_is_learned_and_nothing_else() {
    let base = base();
    let tokenizer = base.tokenizer().unwrap();
    let protocol = ReAct::default();
    let encoder = base.chat_encoder(&tokenizer).unwrap();
    let renderer = Renderer::new(&protocol, encoder, tokenizer.clone(), "You are a helpful assistant.");
    let tools = [Calculator.spec()];
    let first = "Thought: I compute.\nAction: calculator\nAction Input: {\"expression\": \"6 x 7\"}\nObservation:";
    let second = " I compute.\nAction: calculator\nAction Input: {\"expression\": \"6 * 7\"}\nObservation:";
    let last = " I now know the final answer\nFinal Answer: It is 42.<|im_end|>";
    for (mistake, expected) in [(false, [first, second, last].concat()), (true, [second, last].concat())] {
        let tokens = renderer.tokens(&tools, &episode(mistake)).unwrap();
        let learned: Vec<u32> =
            tokens.ids.iter().zip(&tokens.learned).filter(|(_, learned)| **learned).map(|(&id, _)| id).collect();
        assert_eq!(tokenizer.decode(&learned), expected);
        let text = tokenizer.decode(&tokens.ids);
        let steps = [first, " no\nThought:", second, " 42\nThought:", last].concat();
        assert!(text.ends_with(&format!("<|im_start|>assistant\n{steps}")), "{text}");
        assert!(text.starts_with("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"), "{text}");
        assert!(text.contains("Question: What is 6 times 7?<|im_end|>"), "{text}");
    }
}

#[test]
fn a_group_is_packed_behind_its_prompt() {
    let base = base();
    let tokenizer = base.tokenizer().unwrap();
    let protocol = ReAct::default();
    let encoder = base.chat_encoder(&tokenizer).unwrap();
    let renderer = Renderer::new(&protocol, encoder, tokenizer, "You are a helpful assistant.");
    let ask = |number: usize| Episode { question: format!("What is {number} times 7?"), ..episode(false) };
    let group = Group { tools: vec![Calculator.spec()], episodes: (1..9).map(ask).collect() };
    let alone = renderer.tokens(&group.tools, &group.episodes[0]).unwrap().ids.len();
    let sequences = renderer.sequences(&group, alone + 200).unwrap();
    assert!(sequences.len() > 1);
    assert_eq!(sequences.iter().map(|sequence| sequence.episodes().len()).sum::<usize>(), 8);
    assert!(sequences.iter().all(|sequence| sequence.ids().len() <= alone + 200 && sequence.shared() > 150));
    assert_eq!(renderer.sequences(&group, 10).unwrap(), []);
}
