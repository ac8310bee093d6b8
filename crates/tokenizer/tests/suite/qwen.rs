//! Qwen 1, against the official code (see `../goldens/README.md`).

use proptest::prelude::*;
use qianshou_chat::{Generated, Message, Part, Role};
use qianshou_tokenizer::{ChatMl, ChatMlError, Specials, Turn};
use serde::Deserialize;

use crate::goldens::{Text, lines};
use crate::properties::text;
use crate::support::{exact, qwen};

#[derive(Deserialize)]
struct Conversation {
    system: String,
    history: Vec<(String, String)>,
    query: String,
    max_window_size: usize,
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

#[test]
fn conversations_have_the_official_ids() {
    let chatml = ChatMl::qwen(qwen()).unwrap();
    let cases: Vec<Conversation> = lines(include_str!("../goldens/qwen-conversations.jsonl"));
    assert_eq!(cases.len(), 200);
    let mut shortened = 0;
    for Conversation { system, history, query, max_window_size, raw_text, ids } in cases {
        let history: Vec<_> = history.into_iter().map(|(query, response)| Turn::new(query, response)).collect();
        let context = chatml.context(&system, &history, &Message::user(query), max_window_size).unwrap();
        assert_eq!(context.text, raw_text);
        assert_eq!(context.ids, ids, "{raw_text:?}");
        shortened += usize::from(context.kept < history.len());
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
fn generated_turns_keep_their_ids_in_the_context() {
    let chatml = ChatMl::qwen(qwen()).unwrap();
    let generated = Part::Generated(Generated { text: "hi".to_owned(), ids: vec![71, 72] });
    let response = Message { role: Role::Assistant, content: vec![generated] };
    let history = [Turn { query: Message::user("Hello"), response }];
    let context = chatml.context("", &history, &Message::user("?"), 6144).unwrap();
    assert!(context.ids.windows(2).any(|pair| pair == [71, 72]));
    assert_eq!(context.kept, 1);
    let none = chatml.context("", &history, &Message::user("?"), 0).unwrap();
    assert_eq!(none.kept, 0);
    assert_eq!(none.text, "<|im_start|>system\n<|im_end|>\n<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n");
    let image = Part::Image(qianshou_chat::Image { media_type: String::new(), bytes: vec![] });
    let query = Message { role: Role::User, content: vec![image] };
    assert_eq!(chatml.context("", &history, &query, 9), Err(ChatMlError::Image { index: 0 }));
}

#[test]
fn what_is_encoded_as_one_piece_is_up_to_the_family() {
    let messages = [Message::user("\nthe")];
    let apart = ChatMl::qwen(exact()).unwrap();
    let whole = ChatMl::new(exact()).unwrap();
    assert_eq!(apart.render(&messages, false), whole.render(&messages, false));
    let texts = |chatml: &ChatMl| -> Vec<_> {
        chatml.encode(&messages, false).unwrap()[1..5].iter().map(|id| exact().decode(&[*id])).collect()
    };
    assert_eq!(texts(&whole), ["user", "\n\n", "the", "<|im_end|>"]);
    assert_eq!(texts(&apart), ["user", "\n", "\n", "the"]);
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
