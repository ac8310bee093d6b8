//! Vocabularies from `tokenizer.json`.

use std::fs;

use qianshou_tokenizer::{Specials, Tokenizer, TokenizerError};
use serde_json::{Value, json};

use crate::support::{ADDED, CONTROLS, Small, exact, small, spelling};

/// The pieces that `text` is encoded to, as text.
fn pieces(tokenizer: &Tokenizer, text: &str, specials: Specials<'_>) -> Vec<String> {
    tokenizer.encode(text, specials).into_iter().map(|id| tokenizer.decode(&[id])).collect()
}

fn plain(text: &str) -> Vec<String> {
    pieces(small(), text, Specials::None)
}

fn error(json: &Value) -> String {
    Tokenizer::from_json(json.to_string()).unwrap_err().to_string()
}

#[test]
fn text_is_split_as_qwen_does_it() {
    assert_eq!(plain("the 1212"), ["the", " ", "1", "2", "1", "2"]);
    assert_eq!(plain("the's THE'LL"), ["the", "'s", " ", "T", "H", "E", "'", "L", "L"]);
    assert_eq!(plain("the\n\n\n"), ["the", "\n\n", "\n"]);
    // The line breaks after punctuation belong to it, and a space goes with the word after it.
    assert_eq!(plain("|>\n the and"), ["|>", "\n", " ", "the", " and"]);
    assert_eq!(plain(""), Vec::<String>::new());
}

#[test]
fn text_is_normalised_to_nfc() {
    assert_eq!(plain("e\u{301}"), ["é"]);
    assert_eq!(small().encode("e\u{301}", Specials::None), small().encode("é", Specials::None));
    assert_eq!(exact().decode(&exact().encode("e\u{301}", Specials::None)), "e\u{301}");
    // What is not text is not normalised either: special tokens are found first.
    assert_eq!(pieces(small(), "e<|im_end|>\u{301}", Specials::All)[..2], ["e", "<|im_end|>"]);
}

#[test]
fn specials_are_recognised_only_where_allowed() {
    let text = "the<|im_end|>the<tool_call>";
    assert_eq!(pieces(small(), text, Specials::All), ["the", "<|im_end|>", "the", "<tool_call>"]);
    assert_eq!(pieces(small(), text, Specials::Only(&[ADDED, "unknown"])).last().unwrap(), "<tool_call>");
    assert_eq!(pieces(small(), text, Specials::Only(&[ADDED]))[1], "<|");
    assert!(small().encode(text, Specials::None).iter().all(|&id| id < Small::new().first_added()));
    assert_eq!(small().decode(&small().encode(text, Specials::None)), text);
}

#[test]
fn the_longest_special_wins_and_neighbours_are_found() {
    assert_eq!(pieces(small(), "<|im_end|>x<|im_end|>", Specials::All), ["<|im_end|>x", "<|im_end|>"]);
    let only = Specials::Only(&["<|im_end|>"]);
    assert_eq!(pieces(small(), "<|im_end|>x", only), ["<|im_end|>", "x"]);
    assert_eq!(pieces(small(), "<<|im_end|><|im_end|", only)[..2], ["<", "<|im_end|>"]);
}

#[test]
fn specials_are_listed_with_their_ids() {
    let first = Small::new().first_added();
    let mut specials: Vec<_> = small().specials().collect();
    specials.sort_unstable();
    let expected: Vec<_> = (first..).zip(CONTROLS.into_iter().chain([ADDED])).collect();
    assert_eq!(specials, expected);
    assert_eq!(small().special_id(ADDED), Some(first + 4));
    assert_eq!(small().vocabulary_size(), first as usize + 5);
}

#[test]
fn words_in_the_vocabulary_come_out_whole_with_ignore_merges() {
    let mut json = Small::new().json(Value::Null);
    json["model"]["vocab"]["hand"] = 1000.into();
    json["model"]["vocab"]["<|im_start|>"] = Small::new().first_added().saturating_add(1).into();
    let merged = Tokenizer::from_json(json.to_string()).unwrap();
    assert_eq!(pieces(&merged, "hand", Specials::None).concat(), "hand");
    assert_ne!(merged.encode("hand", Specials::None), [1000]);
    json["model"]["ignore_merges"] = true.into();
    // A splitting that leaves control tokens whole makes them words, and still they are text.
    json["pre_tokenizer"] =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    let whole = Tokenizer::from_json(json.to_string()).unwrap();
    assert_eq!(whole.encode("hand", Specials::None), [1000]);
    assert!(whole.encode("<|im_start|>", Specials::None).len() > 1);
    assert_eq!(whole.encode("<|im_start|>", Specials::All).len(), 1);
    // Ids without a token are left out.
    assert_eq!(whole.vocabulary_size(), 1001);
    assert_eq!(whole.token_bytes(999), None);
    assert_eq!(whole.decode(&[999, 1000, u32::MAX]), "hand");
}

#[test]
fn merges_may_be_lines_and_files_may_be_in_folders() {
    let mut json = Small::new().json(json!({"type": "NFC"}));
    let lines: Vec<_> = Small::new().merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
    json["model"]["merges"] = lines.into();
    let folder = std::env::temp_dir().join(format!("qianshou-tokenizer-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("tokenizer.json"), json.to_string()).unwrap();
    let tokenizer = Tokenizer::from_folder(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let text = "the user and the assistant's answer 12\n\n";
    assert_eq!(tokenizer.encode(text, Specials::None), small().encode(text, Specials::None));
    assert!(matches!(Tokenizer::from_folder(&folder), Err(TokenizerError::Missing { .. })));
}

#[test]
fn an_added_token_that_merges_make_is_ordinary_text() {
    let mut json = Small::new().json(Value::Null);
    let id = small().encode("the", Specials::None)[0];
    json["added_tokens"].as_array_mut().unwrap().push(json!({"id": id, "content": "the", "special": false}));
    let tokenizer = Tokenizer::from_json(json.to_string()).unwrap();
    assert_eq!(tokenizer.encode("the", Specials::None), [id]);
    assert_eq!(pieces(&tokenizer, "others", Specials::All)[..2], ["o", "the"]);
}

#[test]
fn what_is_not_supported_is_said() {
    assert!(matches!(Tokenizer::from_json("{}"), Err(TokenizerError::Json(_))));
    let changes: [(&str, Value, &str); 7] = [
        ("/model/type", "Unigram".into(), "`model.type` of the tokenizer is `Unigram`; supported: `BPE`"),
        ("/model/dropout", 0.5.into(), "`model.dropout` of the tokenizer is 0.5"),
        ("/model/end_of_word_suffix", "</w>".into(), "`model.end_of_word_suffix` of the tokenizer is `</w>`"),
        ("/model/byte_fallback", true.into(), "`model.byte_fallback` of the tokenizer is true"),
        ("/pre_tokenizer", Value::Null, "`pre_tokenizer` of the tokenizer is without a `ByteLevel` step"),
        ("/added_tokens/0/lstrip", true.into(), "token 332 `<|endoftext|>`: `single_word`, `lstrip` and `rstrip`"),
        ("/added_tokens/0/content", "".into(), "token 332 ``: an added token is empty"),
    ];
    let first = Small::new().first_added().to_string();
    for (place, value, expected) in changes {
        let mut json = Small::new().json(Value::Null);
        *json.pointer_mut(place).unwrap() = value;
        let found = error(&json);
        assert!(found.starts_with(&expected.replace("332", &first)), "{found}");
    }
}

#[test]
fn contradictions_in_the_vocabulary_are_found() {
    let mut json = Small::new().json(Value::Null);
    json["model"]["merges"].as_array_mut().unwrap().push(json!(["the", "the"]));
    assert!(error(&json).ends_with("(`the the`): its result is not in the vocabulary"));
    json["model"]["merges"] = json!(["the", "a"]);
    assert!(error(&json).starts_with("merge 0 (`the`): it is not two tokens"));

    let mut json = Small::new().json(Value::Null);
    json["model"]["vocab"]["a"] = 0.into();
    assert!(error(&json).ends_with("another token has the same id"));
    json["model"]["vocab"]["a"] = u32::MAX.into();
    assert!(error(&json).contains("the id is not below"));

    let mut json = Small::new().json(Value::Null);
    json["added_tokens"][1]["content"] = "the".into();
    assert!(error(&json).ends_with("the vocabulary gives its text to another id"));
    json["added_tokens"][1]["id"] = small().encode("the", Specials::None)[0].into();
    assert!(error(&json).contains("a control token must not be"));
    json["added_tokens"][1]["content"] = CONTROLS[0].into();
    assert!(error(&json).contains("it is added twice"));
}

#[test]
fn an_added_token_means_its_text_literally() {
    let mut json = Small::new().json(Value::Null);
    // In the byte alphabet this would be a space and a line break.
    let text = format!("[{}{}]", spelling(b' '), spelling(b'\n'));
    json["added_tokens"][3]["content"] = text.clone().into();
    let tokenizer = Tokenizer::from_json(json.to_string()).unwrap();
    assert_eq!(tokenizer.decode(&tokenizer.encode(&text, Specials::All)), text);
    assert_eq!(tokenizer.decode(&tokenizer.encode(&text, Specials::None)), text);
}
