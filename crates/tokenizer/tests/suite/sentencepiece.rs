//! Vocabularies of SentencePiece.

use qianshou_gguf::Gguf;
use qianshou_tokenizer::{Specials, Tokenizer};
use serde_json::{Value, json};

use crate::gguf::writer::{F32, Writer};

/// The words of the vocabulary, the most important first; each is made of earlier ones or characters.
const PIECES: [&str; 15] =
    ["▁t", "he", "▁the", "▁▁", "er", "ll", "ell", "ello", "▁H", "▁Hello", "</", "s>", "<s", "or", "▁▁▁▁"];
const CHARACTERS: &str = "▁theHlorsw<>/0x千";

/// All tokens in order of id: control, bytes, pieces, characters, and one that a user has added.
fn tokens() -> Vec<(String, i32, f32)> {
    let mut tokens = vec![("<unk>".to_owned(), 2, 0.0), ("<s>".to_owned(), 3, 0.0), ("</s>".to_owned(), 3, 0.0)];
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 6, 0.0)));
    let characters = CHARACTERS.chars().map(String::from);
    let texts = PIECES.map(str::to_owned).into_iter().chain(characters).enumerate();
    tokens.extend(texts.map(|(rank, text)| (text, 1, -(rank as f32))));
    tokens.push(("▁<PRE>".to_owned(), 4, 0.0));
    tokens
}

fn id(text: &str) -> u32 {
    tokens().iter().position(|(token, ..)| token == text).unwrap().try_into().unwrap()
}

fn ids(texts: &[&str]) -> Vec<u32> {
    texts.iter().map(|text| id(text)).collect()
}

/// As `tokenizer.json` has it: the merges are all pairs whose result is a token, in order of its score.
fn file() -> Value {
    let tokens = tokens();
    let known = |text: &str| tokens.iter().any(|(token, kind, _)| token == text && *kind != 6);
    let results = PIECES.into_iter().chain(["<s>", "</s>"]);
    let merges = results.flat_map(|whole| {
        let borders = whole.char_indices().map(|(at, _)| at).skip(1);
        borders.map(move |at| whole.split_at(at)).filter(|(left, right)| known(left) && known(right))
    });
    let merges: Vec<_> = merges.map(|(left, right)| format!("{left} {right}")).collect();
    let added = tokens.iter().enumerate().filter(|(_, (_, kind, _))| [2, 3, 4].contains(kind));
    let added: Vec<_> = added
        .map(|(id, (text, kind, _))| json!({"id": id, "content": text, "special": *kind != 4, "normalized": false}))
        .collect();
    let vocabulary: serde_json::Map<_, _> =
        tokens.iter().enumerate().map(|(id, (text, ..))| (text.clone(), id.into())).collect();
    json!({
        "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ]},
        "pre_tokenizer": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
                  "vocab": vocabulary, "merges": merges},
    })
}

fn json(change: impl FnOnce(&mut Value)) -> Tokenizer {
    let mut file = file();
    change(&mut file);
    Tokenizer::from_json(file.to_string()).unwrap()
}

fn gguf_file(change: impl FnOnce(&mut Vec<(String, i32, f32)>)) -> Writer {
    let mut tokens = tokens();
    change(&mut tokens);
    let texts: Vec<_> = tokens.iter().map(|(text, ..)| text).collect();
    let types: Vec<_> = tokens.iter().map(|(_, kind, _)| *kind).collect();
    let scores: Vec<_> = tokens.iter().flat_map(|(.., score)| score.to_le_bytes()).collect();
    Writer::default()
        .string("tokenizer.ggml.model", "llama")
        .strings("tokenizer.ggml.tokens", &texts)
        .integers("tokenizer.ggml.token_type", &types)
        .array("tokenizer.ggml.scores", F32, tokens.len() as u64, &scores)
}

fn gguf(writer: &Writer) -> Tokenizer {
    Tokenizer::from_gguf(&Gguf::parse(&writer.finish()).unwrap()).unwrap()
}

#[test]
fn both_files_give_the_same_ids() {
    for tokenizer in [json(|_| ()), gguf(&gguf_file(|_| ()))] {
        let plain = |text: &str| tokenizer.encode(text, Specials::None);
        assert_eq!(plain("Hello the"), ids(&["▁Hello", "▁the"]));
        // A space before the text makes two.
        assert_eq!(plain(" the"), ids(&["▁", "▁the"]));
        assert_eq!(plain("the   the"), ids(&["▁the", "▁▁", "▁the"]));
        assert_eq!(plain("千"), ids(&["▁", "千"]));
        // What the vocabulary does not know is spelled in bytes.
        assert_eq!(plain("手\n"), ids(&["▁", "<0xE6>", "<0x89>", "<0x8B>", "<0x0A>"]));
        assert_eq!(plain(""), Vec::<u32>::new());
        // Text is text: neither control tokens nor bytes.
        assert_eq!(plain("<s>"), ids(&["▁", "<", "s>"]));
        assert_eq!(plain("</s>"), ids(&["▁", "</", "s>"]));
        assert_eq!(tokenizer.decode(&plain("<0x00>")), " <0x00>");
        assert_eq!(
            tokenizer.encode("<s>Hello</s>the<unk>", Specials::All),
            ids(&["<s>", "▁Hello", "</s>", "▁the", "<unk>"])
        );
        assert_eq!(tokenizer.encode("▁<PRE>er", Specials::All), ids(&["▁<PRE>", "▁", "er"]));
        assert_eq!(tokenizer.decode(&ids(&["▁Hello", "<0xE6>", "<0x89>", "<0x8B>", "▁<PRE>"])), " Hello手▁<PRE>");
        assert!(tokenizer.is_sentencepiece());
    }
}

#[test]
fn newer_files_have_metaspace() {
    let metaspace = |scheme: &str| {
        json(|file| {
            file["normalizer"] = Value::Null;
            file["pre_tokenizer"] =
                json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false});
        })
    };
    let text = "the<s>the<s> the";
    let encode = |tokenizer: Tokenizer| tokenizer.encode(text, Specials::All);
    assert_eq!(encode(metaspace("first")), ids(&["▁the", "<s>", "t", "he", "<s>", "▁the"]));
    assert_eq!(encode(metaspace("always")), ids(&["▁the", "<s>", "▁the", "<s>", "▁the"]));
    assert_eq!(encode(metaspace("never")), ids(&["t", "he", "<s>", "t", "he", "<s>", "▁the"]));
    // The older way doubles the space.
    assert_eq!(encode(json(|_| ())), ids(&["▁the", "<s>", "▁the", "<s>", "▁", "▁the"]));
    let no_prefix = gguf_file(|_| ()).entry("tokenizer.ggml.add_space_prefix", 7, &[0]);
    assert_eq!(encode(gguf(&no_prefix)), ids(&["t", "he", "<s>", "t", "he", "<s>", "▁the"]));
}

#[test]
fn other_kinds_are_refused() {
    for (place, value, expected) in [
        ("/normalizer", json!({"type": "NFKC"}), "`normalizer` of the tokenizer is another one"),
        ("/normalizer/normalizers/0/prepend", json!("_"), "`normalizer` of the tokenizer is another one"),
        ("/normalizer/normalizers/1/content", json!("_"), "`normalizer` of the tokenizer is another one"),
        ("/pre_tokenizer", json!({"type": "Whitespace"}), "`pre_tokenizer` of the tokenizer is another one"),
        ("/model/byte_fallback", json!(false), "`pre_tokenizer` of the tokenizer is without a `ByteLevel` step"),
    ] {
        let mut file = file();
        *file.pointer_mut(place).unwrap() = value;
        let error = Tokenizer::from_json(file.to_string()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = |writer: Writer| Tokenizer::from_gguf(&Gguf::parse(&writer.finish()).unwrap()).unwrap_err().to_string();
    let long = "a".repeat(513);
    for (change, expected) in [
        (("q".to_owned(), 7, 0.0), "token 291 `q`: its type is none of those of a `llama` vocabulary"),
        (("q".to_owned(), 6, 0.0), "token 291 `q`: it is of the type of bytes (6)"),
        (("y".to_owned(), 1, f32::NAN), "token 291 `y`: its score is not a number"),
        (("he".to_owned(), 1, 0.0), "token 291 `he`: another token has the same text"),
        ((long.clone(), 1, 0.0), &format!("token 291 `{long}`: it is longer than 512 bytes")),
    ] {
        let error = error(gguf_file(|tokens| tokens.push(change)));
        assert!(error.starts_with(&expected.replace("291", &tokens().len().to_string())), "{error}");
    }
    let mut none = Writer::default().string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", &["a"]);
    none = none.integers("tokenizer.ggml.token_type", &[1]);
    assert!(
        error(none.clone())
            .ends_with("no metadata `tokenizer.ggml.scores`, where an array of 32-bit numbers is expected")
    );
    assert!(error(none.clone().u32("tokenizer.ggml.scores", 1)).contains("metadata `tokenizer.ggml.scores`"));
    assert!(error(none.array("tokenizer.ggml.scores", F32, 0, &[])).contains("1 tokens but 0 token types or scores"));
}
