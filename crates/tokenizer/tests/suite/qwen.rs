//! Qwen 1, against the official code (see `../goldens/README.md`).

use std::iter;

use proptest::prelude::*;
use qianshou_chat::Message;
use qianshou_tokenizer::{ChatMl, Specials};
use serde::Deserialize;

use crate::goldens::{Text, lines};
use crate::properties::text;
use crate::support::{exact, qwen};

#[derive(Deserialize)]
struct Conversation {
    system: String,
    history: Vec<(String, String)>,
    query: String,
    raw_text: String,
    ids: Vec<u32>,
}

#[test]
fn strings_have_the_official_ids() {
    let strings: Vec<Text> = lines(include_str!("../goldens/qwen-strings.jsonl"));
    assert_eq!(strings.len(), 2050);
    for Text { text, ids_special, ids_plain } in &strings {
        assert_eq!(&qwen().encode(text, Specials::All), ids_special, "{text:?}");
        assert_eq!(&qwen().encode(text, Specials::None), ids_plain, "{text:?}");
        assert_eq!(qwen().decode(ids_special), qwen().decode(ids_plain));
    }
}

/// Where a conversation is longer than its window, the official code leaves out the oldest turns.
#[test]
fn conversations_have_the_official_ids() {
    let chatml = ChatMl::qwen(qwen()).unwrap();
    let cases: Vec<Conversation> = lines(include_str!("../goldens/qwen-conversations.jsonl"));
    assert_eq!(cases.len(), 200);
    let mut shortened = 0;
    for Conversation { system, history, query, raw_text, ids } in cases {
        let without = |left_out: usize| -> Vec<Message> {
            let turn = |(query, response): &(String, String)| {
                [Message::user(query.as_str()), Message::assistant(response.as_str())]
            };
            let turns = history[left_out..].iter().flat_map(turn);
            let system = Message::system(system.as_str());
            iter::once(system).chain(turns).chain([Message::user(query.as_str())]).collect()
        };
        let is_official = |left_out: &usize| chatml.render(&without(*left_out), false).unwrap() == raw_text;
        let left_out = (0..=history.len()).find(is_official);
        let left_out = left_out.unwrap_or_else(|| panic!("no part of the history gives {raw_text:?}"));
        assert_eq!(chatml.encode(&without(left_out), false).unwrap(), ids, "{raw_text:?}");
        shortened += usize::from(left_out > 0);
    }
    assert!(shortened > 20, "{shortened} histories were too long");
}

#[test]
fn the_vocabulary_is_read_whole() {
    assert_eq!(qwen().vocabulary_size(), 151_851);
    assert_eq!(qwen().specials().len(), 208);
    for (text, id) in [
        ("<|endoftext|>", 151_643),
        ("<|im_start|>", 151_644),
        ("<|im_end|>", 151_645),
        ("<|extra_0|>", 151_646),
        ("<|extra_204|>", 151_850),
    ] {
        assert_eq!(qwen().special_id(text), Some(id));
        assert_eq!(qwen().encode(text, Specials::All), [id]);
    }
    assert_eq!(qwen().token_bytes(151_851), None);
}

/// The official code normalises first, so a mark that combines with the last character of a special
/// token takes it apart.
#[test]
fn text_is_normalised_before_special_tokens_are_found() {
    let text = "<|im_end|>\u{338}";
    assert_eq!(qwen().decode(&qwen().encode(text, Specials::All)), "<|im_end|\u{226f}");
    assert_eq!(qwen().encode(text, Specials::All), qwen().encode(text, Specials::None));
}

#[test]
fn a_conversation_without_a_system_message_gets_that_of_qwen() {
    let chatml = ChatMl::qwen(exact()).unwrap();
    let without = [Message::user("Who are you?"), Message::assistant("I am")];
    let system = Message::system("You are a helpful assistant.");
    let with: Vec<Message> = iter::once(system).chain(without.iter().cloned()).collect();
    for continue_last in [false, true] {
        assert_eq!(chatml.encode(&without, continue_last), chatml.encode(&with, continue_last));
        assert_eq!(chatml.render(&without, continue_last), chatml.render(&with, continue_last));
    }
    // An empty one is one too.
    let empty = chatml.render(&[Message::system(""), Message::user("?")], false).unwrap();
    assert!(empty.starts_with("<|im_start|>system\n<|im_end|>\n<|im_start|>user\n?"), "{empty}");
}

#[test]
fn what_is_encoded_as_one_piece_is_up_to_the_family() {
    let messages = [Message::system("\nthe")];
    let apart = ChatMl::qwen(exact()).unwrap();
    let whole = ChatMl::new(exact()).unwrap();
    assert_eq!(apart.render(&messages, false), whole.render(&messages, false));
    let texts = |chatml: &ChatMl| -> Vec<_> {
        chatml.encode(&messages, false).unwrap()[1..5].iter().map(|id| exact().decode(&[*id])).collect()
    };
    assert_eq!(texts(&whole), ["system", "\n\n", "the", "<|im_end|>"]);
    assert_eq!(texts(&apart), ["system", "\n", "\n", "the"]);
}

/// The vocabulary is read before the property is tried, so that a missing file is not taken for a
/// counter-example.
#[test]
fn decoding_gives_the_normalised_text_back() {
    let tokenizer = qwen();
    proptest!(|(text in text())| {
        let ids = tokenizer.encode(&text, Specials::None);
        let once = tokenizer.decode(&ids);
        prop_assert_eq!(&tokenizer.encode(&once, Specials::None), &ids);
        prop_assert_eq!(&tokenizer.decode(&tokenizer.encode(&text, Specials::All)), &once);
        prop_assert!(tokenizer.specials().all(|(id, _)| !ids.contains(&id)));
        if text.is_ascii() {
            prop_assert_eq!(once, text);
        }
    });
}
