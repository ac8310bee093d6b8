//! Against the ids of `transformers` (see `../goldens/README.md`).

use qianshou_chat::{Message, Role};
use qianshou_tokenizer::{ChatMl, Specials};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support::base;

#[derive(Deserialize)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) ids_special: Vec<u32>,
    pub(crate) ids_plain: Vec<u32>,
}

#[derive(Deserialize)]
struct Prompt {
    #[serde(default)]
    messages: Vec<Turn>,
    prompt: String,
    prompt_ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Turn {
    role: Role,
    content: String,
}

pub(crate) fn lines<T: DeserializeOwned>(file: &str) -> Vec<T> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn strings() -> Vec<Text> {
    lines(include_str!("../goldens/strings.jsonl"))
}

/// Takes ChatML apart that ends with an open turn of the assistant.
fn messages(prompt: &str) -> Vec<Message> {
    let closed = prompt.strip_suffix("<|im_start|>assistant\n").unwrap();
    let turns = closed.split("<|im_start|>").skip(1);
    let message = |turn: &str| {
        let (role, content) = turn.strip_suffix("<|im_end|>\n").unwrap().split_once('\n').unwrap();
        Message::new(serde_json::from_value(role.into()).unwrap(), content)
    };
    turns.map(message).collect()
}

#[test]
fn strings_have_the_ids_of_transformers() {
    let strings = strings();
    assert_eq!(strings.len(), 684);
    for Text { text, ids_special, ids_plain } in &strings {
        assert_eq!(&base().encode(text, Specials::All), ids_special, "{text:?}");
        assert_eq!(&base().encode(text, Specials::None), ids_plain, "{text:?}");
        assert_eq!(&base().decode(ids_plain), text);
        assert_eq!(&base().decode(ids_special), text);
    }
}

#[test]
fn conversations_have_the_ids_of_transformers() {
    let chatml = ChatMl::new(base()).unwrap();
    let cases: Vec<Prompt> = lines(include_str!("../goldens/conversations.jsonl"));
    assert_eq!(cases.len(), 6);
    for Prompt { messages, prompt, prompt_ids } in cases {
        let messages: Vec<_> = messages.into_iter().map(|turn| Message::new(turn.role, turn.content)).collect();
        assert_eq!(chatml.render(&messages, false).unwrap(), prompt);
        assert_eq!(chatml.encode(&messages, false).unwrap(), prompt_ids, "{prompt}");
    }
}

#[test]
fn react_prompts_have_the_ids_of_transformers() {
    let chatml = ChatMl::new(base()).unwrap();
    let cases: Vec<Prompt> = lines(include_str!("../goldens/react-prompts.jsonl"));
    assert_eq!(cases.len(), 22);
    for Prompt { prompt, prompt_ids, .. } in cases {
        let messages = messages(&prompt);
        assert_eq!(chatml.render(&messages, false).unwrap(), prompt);
        assert_eq!(chatml.encode(&messages, false).unwrap(), prompt_ids, "{prompt}");
        assert_eq!(base().encode(&prompt, Specials::All), prompt_ids, "{prompt}");
    }
}

#[test]
fn the_base_vocabulary_is_read_whole() {
    assert_eq!(base().vocabulary_size(), 49_152);
    assert_eq!(base().specials().len(), 17);
    assert_eq!(base().special_id("<|im_end|>"), Some(2));
    assert_eq!(base().special_id("the"), None);
    assert_eq!(base().token_bytes(198), Some(b"\n".as_slice()));
    assert_eq!(base().token_bytes(49_152), None);
    assert_eq!(ChatMl::new(base()).unwrap().stop_ids(), [2, 1, 0]);
    assert_eq!(format!("{:?}", base()), "Tokenizer { vocabulary_size: 49152, specials: 17, .. }");
    // Bytes that this vocabulary has no token for are left out.
    assert_eq!(base().decode(&base().encode("a\u{4}b", Specials::None)), "ab");
}
