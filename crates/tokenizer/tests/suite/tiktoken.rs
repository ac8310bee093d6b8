//! Vocabularies from `qwen.tiktoken`, against merging by rank as it is defined.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use qianshou_gguf::Gguf;
use qianshou_tokenizer::{Specials, Tokenizer, TokenizerError};

use crate::gguf::writer::Writer;
use crate::support::{qwen, qwen_file, spelling};

type Ranks = HashMap<Vec<u8>, u32>;

/// A word by its ranks: whole where it has one, else the neighbours of lowest rank are joined, the
/// leftmost first, for as long as there are any.
fn reference(ranks: &Ranks, word: &[u8]) -> Vec<u32> {
    let mut parts: Vec<&[u8]> = if ranks.contains_key(word) { vec![word] } else { word.chunks(1).collect() };
    loop {
        let joined = |at: usize| ranks.get(&parts[at..at + 2].concat()).copied();
        let lowest = (1..parts.len()).filter_map(|end| Some((joined(end - 1)?, end - 1))).min();
        let Some((_, at)) = lowest else {
            return parts.iter().map(|part| ranks[*part]).collect();
        };
        let start: usize = parts[..at].iter().map(|part| part.len()).sum();
        let length = parts[at].len() + parts[at + 1].len();
        parts.splice(at..at + 2, [&word[start..start + length]]);
    }
}

fn write(tokens: &[Vec<u8>]) -> String {
    (0..).zip(tokens).map(|(rank, token): (u32, _)| format!("{} {rank}\n", STANDARD.encode(token))).collect()
}

fn ranks(tokens: &[Vec<u8>]) -> Ranks {
    tokens.iter().cloned().zip(0..).collect()
}

fn bytes() -> Vec<Vec<u8>> {
    (0..=255).map(|byte| vec![byte]).collect()
}

/// Words over so few letters that tokens overlap in every way.
fn word(longest: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!['a', 'b', 'c', 'é']), 1..longest)
        .prop_map(|letters| letters.into_iter().collect())
}

/// Vocabularies of any order, with tokens that no merge can make among them.
fn vocabulary() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let token = prop_oneof![
        word(6).prop_map(String::into_bytes),
        prop::collection::vec(prop::sample::select(vec![b'a', b'b', 0xc3, 0xa9]), 2..5),
    ];
    prop::collection::hash_set(token, 0..40)
        .prop_map(|tokens| {
            let all: HashSet<Vec<u8>> = tokens.into_iter().chain(bytes()).collect();
            let mut all: Vec<_> = all.into_iter().collect();
            all.sort();
            all
        })
        .prop_shuffle()
}

proptest! {
    #[test]
    fn recovered_merges_do_what_ranks_do(tokens in vocabulary(), words in prop::collection::vec(word(24), 1..8)) {
        let tokenizer = Tokenizer::from_tiktoken(write(&tokens)).unwrap();
        let ranks = ranks(&tokens);
        for word in words {
            prop_assert_eq!(tokenizer.encode(&word, Specials::None), reference(&ranks, word.as_bytes()), "{}", word);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([A-Za-z0-9+/=]{0,6}[ \t]?[0-9]{0,3}[\r\n ]{0,2}){0,12}") {
        prop_assert!(Tokenizer::from_tiktoken(text).is_err());
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut: bool) {
        let mut text = write(&bytes()).into_bytes();
        let at = at.index(text.len());
        if cut { text.truncate(at) } else { text[at] = byte };
        let _ = Tokenizer::from_tiktoken(text);
    }
}

#[test]
fn official_ranks_do_what_recovered_merges_do() {
    let tokenizer = qwen();
    let ranks: Ranks = (0..151_643).map(|id| (tokenizer.token_bytes(id).unwrap().to_vec(), id)).collect();
    let letters = "[a-zA-Zäöüßéèа-яабвגדהابتनमस千手人工智能你好的是いうカナ가나]{1,24}";
    proptest!(|(word in letters)| {
        let word = tokenizer.decode(&tokenizer.encode(&word, Specials::None));
        prop_assume!(word.chars().all(char::is_alphabetic));
        prop_assert_eq!(tokenizer.encode(&word, Specials::None), reference(&ranks, word.as_bytes()), "{}", word);
    });
}

#[test]
fn a_word_with_a_rank_comes_out_whole() {
    let tokens = [bytes(), vec![b"abcd".to_vec(), b"bc".to_vec()]].concat();
    let tokenizer = Tokenizer::from_tiktoken(write(&tokens)).unwrap();
    // No merge leads to it, for `ab` and `cd` are no tokens; inside a longer word it does not come up.
    assert_eq!(tokenizer.encode("abcd", Specials::None), [256]);
    assert_eq!(tokenizer.encode("abcda", Specials::None), [97, 257, 100, 97]);
}

#[test]
fn special_tokens_follow_the_last_rank() {
    let tokenizer = Tokenizer::from_tiktoken(write(&[bytes(), vec![b"ab".to_vec()]].concat())).unwrap();
    assert_eq!(tokenizer.encode("<|endoftext|>ab<|im_end|>", Specials::All), [257, 256, 259]);
    assert_eq!(tokenizer.special_id("<|extra_204|>"), Some(257 + 207));
    assert_eq!(tokenizer.vocabulary_size(), 257 + 208);
}

#[test]
fn lines_may_come_in_any_order_and_end_in_any_way() {
    let mut lines: Vec<_> = write(&bytes()).lines().map(str::to_owned).collect();
    lines.reverse();
    let text = format!("\n{}\r\n\r\n", lines.join("\r\n"));
    let tokenizer = Tokenizer::from_tiktoken(text).unwrap();
    assert_eq!(tokenizer.encode("ab", Specials::None), [97, 98]);
}

#[test]
fn what_is_wrong_with_a_line_is_said() {
    let error = |line: &str| {
        let text = write(&bytes()) + line;
        Tokenizer::from_tiktoken(text).unwrap_err().to_string()
    };
    let long = STANDARD.encode([b'a'; 513]) + " 256";
    for (line, expected) in [
        ("YWI=", "line 257 of the `qwen.tiktoken`: expected a token in base64, a space, and its rank"),
        ("YWI= 256 x", "line 257 of the `qwen.tiktoken`: expected a token"),
        ("YW=I 256", "line 257 of the `qwen.tiktoken`: the token is not base64: "),
        ("= 256", "line 257 of the `qwen.tiktoken`: the token is not base64: "),
        ("YWI= -1", "line 257 of the `qwen.tiktoken`: the rank is not a whole number"),
        ("YWI= 99999999999999999999", "line 257 of the `qwen.tiktoken`: the rank is not a whole number"),
        ("YWI= 4000000000", "line 257 of the `qwen.tiktoken`: rank 4000000000 is too high: there are 257 tokens"),
        ("YWI= 7", "line 257 of the `qwen.tiktoken`: rank 7 is that of line 8 too"),
        ("YQ== 256", "line 257 of the `qwen.tiktoken`: its token is that of line 98 too"),
        (&long, "line 257 of the `qwen.tiktoken`: it is longer than 512 bytes"),
    ] {
        let error = error(line);
        assert!(error.starts_with(expected), "{error}");
    }
    let error = Tokenizer::from_tiktoken("").unwrap_err().to_string();
    assert!(error.starts_with("line 1 of the `qwen.tiktoken`: no token is the byte 0x00 alone"), "{error}");
    let text = write(&bytes());
    let cut = text.lines().take(200).collect::<Vec<_>>().join("\n");
    let error = Tokenizer::from_tiktoken(cut).unwrap_err().to_string();
    assert!(error.starts_with("line 200 of the `qwen.tiktoken`: no token is the byte 0xC8 alone"), "{error}");
}

#[test]
fn a_folder_may_hold_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let error = Tokenizer::from_folder(folder.path()).unwrap_err();
    assert!(matches!(error, TokenizerError::Missing { .. }));
    assert!(error.to_string().contains("neither a `tokenizer.json` nor a `qwen.tiktoken`"), "{error}");
    std::fs::write(folder.path().join("qwen.tiktoken"), write(&bytes())).unwrap();
    assert_eq!(Tokenizer::from_folder(folder.path()).unwrap().vocabulary_size(), 256 + 208);
    // The newer file is preferred.
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(matches!(Tokenizer::from_folder(folder.path()), Err(TokenizerError::Json(_))));
}

/// A GGUF of Qwen 1 as it is converted from a `qwen.tiktoken`: merges instead of ranks, the special
/// tokens in the list, and padding.
#[test]
fn a_gguf_of_qwen_has_the_same_ids() {
    let ranked = [&b"the"[..], b"he", b"th", b"\n\n", b"in", b"abcd"].map(<[u8]>::to_vec);
    let tokens = [bytes(), ranked.to_vec()].concat();
    let tiktoken = Tokenizer::from_tiktoken(write(&tokens)).unwrap();
    let spell = |token: &Vec<u8>| token.iter().map(|&byte| spelling(byte)).collect::<String>();
    let mut texts: Vec<_> = tokens.iter().map(spell).collect();
    let mut types = vec![1; texts.len()];
    let mut specials: Vec<_> = tiktoken.specials().collect();
    specials.sort_unstable();
    texts.extend(specials.iter().map(|(_, text)| (*text).to_owned()));
    types.resize(texts.len(), 3);
    texts.push("[PAD471]".to_owned());
    types.push(5);
    let file = Writer::default()
        .string("general.architecture", "qwen")
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "qwen2")
        .strings("tokenizer.ggml.tokens", &texts)
        .integers("tokenizer.ggml.token_type", &types)
        // `the` is made of `t` and `he` alone: there is no merge by which `abcd` could be made.
        .strings("tokenizer.ggml.merges", &["h e", "t h", "Ċ Ċ", "i n"])
        .finish();
    let gguf = Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).unwrap();
    assert!(gguf.specials().eq(tiktoken.specials()));
    for text in ["the thing", "abcd xabcdx", "he\n\nhe", "<|im_start|>the<|im_end|>\u{338}", "e\u{301}<|extra_3|>"] {
        for specials in [Specials::None, Specials::All] {
            assert_eq!(gguf.encode(text, specials), tiktoken.encode(text, specials), "{text}");
        }
    }
}

/// 151,643 ranks take a third of a second; the limit only catches what is far off.
#[test]
fn loading_is_fast() {
    let file = qwen_file();
    let start = Instant::now();
    Tokenizer::from_tiktoken(&file).unwrap();
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
