//! What is shown of generated tokens, on a vocabulary of single bytes and some longer tokens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use qianshou_chat::Delta;
use qianshou_tokenizer::Tokenizer;

use super::VisibleText;

/// Longer tokens of the vocabulary, besides the 256 bytes.
const WORDS: [&str; 8] = ["Ob", "serv", "Observ", "ation", "ation:", "n: 4", "\nOb", "中"];

/// The printable stand-in that byte-level vocabularies use for a byte.
fn stand_in(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&other| !printable(other)).count();
    char::from_u32(256 + before as u32).unwrap()
}

fn tokenizer() -> Tokenizer {
    let bytes = (0..=255_u8).map(|byte| stand_in(byte).to_string());
    let words = WORDS.iter().map(|word| word.bytes().map(stand_in).collect());
    let vocabulary: serde_json::Map<String, serde_json::Value> =
        bytes.chain(words).enumerate().map(|(id, token): (usize, String)| (token, id.into())).collect();
    let json = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
        "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
        "model": { "type": "BPE", "vocab": vocabulary, "merges": [] },
    });
    Tokenizer::from_json(json.to_string()).unwrap()
}

/// Feeds the tokens and collects what is shown, up to a stop string or the end.
fn run(tokenizer: &Tokenizer, ids: &[u32], stops: &[&str]) -> (Vec<Delta>, Option<usize>) {
    let stops: Vec<String> = stops.iter().map(|&stop| stop.to_owned()).collect();
    let mut text = VisibleText::new(tokenizer, &stops);
    let mut deltas = Vec::new();
    for &id in ids {
        let stopped = text.push(id);
        deltas.extend(text.take_visible());
        if stopped.is_some() {
            return (deltas, stopped);
        }
    }
    deltas.extend(text.finish());
    (deltas, None)
}

fn joined(deltas: &[Delta]) -> String {
    deltas.iter().map(|delta| delta.text.as_str()).collect()
}

#[test]
fn a_stop_string_inside_a_token_keeps_the_whole_tokens_before_it() {
    let tokenizer = tokenizer();
    let word = |text: &str| 256 + WORDS.iter().position(|word| *word == text).unwrap() as u32;
    let ids = [u32::from(b'a'), word("\nOb"), word("serv"), word("ation:")];
    let (deltas, stopped) = run(&tokenizer, &ids, &["Observation:"]);
    assert_eq!(stopped, Some(0));
    let expected =
        [Delta { text: "a".to_owned(), ids: vec![u32::from(b'a')] }, Delta { text: "\n".to_owned(), ids: Vec::new() }];
    assert_eq!(deltas, expected);
}

#[test]
fn a_character_is_shown_when_its_last_byte_is_there() {
    let tokenizer = tokenizer();
    let ids: Vec<u32> = "é".bytes().map(u32::from).collect();
    let mut text = VisibleText::new(&tokenizer, &[]);
    text.push(ids[0]);
    assert!(text.take_visible().is_empty());
    text.push(ids[1]);
    assert_eq!(joined(&text.take_visible()), "é");
}

#[test]
fn an_incomplete_character_at_the_end_is_replaced() {
    let (deltas, _) = run(&tokenizer(), &[u32::from(b'x'), 0xe4], &[]);
    assert_eq!(joined(&deltas), "x\u{fffd}");
}

proptest! {
    /// Whatever tokens come: nothing of a stop string is shown, nothing before it is lost, and ids
    /// decode to the text they come with.
    #[test]
    fn stop_strings_never_leak(
        ids in prop::collection::vec(prop_oneof![
            3 => 256_u32..256 + WORDS.len() as u32,
            1 => prop::sample::select(b"Observation: \n4".to_vec()).prop_map(u32::from),
            1 => 0_u32..256,
        ], 0..40),
        stops in prop::sample::subsequence(vec!["Observation:", "Observation:\n", "serv", "n: 4", "\n"], 0..4),
    ) {
        let tokenizer = tokenizer();
        let (deltas, stopped) = run(&tokenizer, &ids, &stops);
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id).unwrap().to_vec()).collect();
        let first_end = (0..=bytes.len()).find(|&end| stops.iter().any(|stop| bytes[..end].ends_with(stop.as_bytes())));
        let visible = match first_end {
            None => &bytes[..],
            Some(end) => {
                let longest = stops.iter().filter(|stop| bytes[..end].ends_with(stop.as_bytes())).map(|stop| stop.len());
                &bytes[..end - longest.max().unwrap()]
            }
        };
        prop_assert_eq!(stopped.is_some(), first_end.is_some());
        prop_assert_eq!(joined(&deltas), String::from_utf8_lossy(visible));
        for delta in &deltas {
            if !delta.ids.is_empty() {
                prop_assert_eq!(&tokenizer.decode(&delta.ids), &delta.text);
            }
        }
    }
}
