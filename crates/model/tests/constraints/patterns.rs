//! Random regular expressions, against the `regex` crate.

use proptest::prelude::*;
use qianshou_chat::{ChatRequest, FinishReason, Sampling};
use regex::Regex;

use crate::engines;

/// A regular expression of which it is known how texts begin that it matches.
#[derive(Clone, Debug)]
enum Pattern {
    Text(&'static str),
    /// One character of a class.
    Class(&'static str),
    Sequence(Vec<Pattern>),
    Choice(Vec<Pattern>),
    /// At least so often, and at most, where there is a limit.
    Repeat(Box<Pattern>, u32, Option<u32>),
}

impl Pattern {
    fn regex(&self) -> String {
        let all = |patterns: &[Pattern]| patterns.iter().map(Pattern::regex).collect::<Vec<_>>();
        match self {
            Self::Text(text) => regex::escape(text),
            Self::Class(class) => (*class).to_owned(),
            Self::Sequence(parts) => all(parts).concat(),
            Self::Choice(parts) => format!("(?:{})", all(parts).join("|")),
            Self::Repeat(part, least, None) => format!("(?:{}){{{least},}}", part.regex()),
            Self::Repeat(part, least, Some(most)) => format!("(?:{}){{{least},{most}}}", part.regex()),
        }
    }

    /// A regular expression of all beginnings.
    fn beginnings(&self) -> String {
        let choices = match self {
            Self::Text(text) => {
                let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
                ends.map(|end| regex::escape(&text[..end])).collect()
            }
            Self::Class(class) => vec![String::new(), (*class).to_owned()],
            Self::Sequence(parts) => {
                let cut = |end: usize| Self::Sequence(parts[..end].to_vec()).regex() + &parts[end].beginnings();
                (0..parts.len()).map(cut).collect()
            }
            Self::Choice(parts) => parts.iter().map(Self::beginnings).collect(),
            Self::Repeat(part, _, most) => {
                let before = Self::Repeat(part.clone(), 0, most.map(|most| most - 1));
                vec![before.regex() + &part.beginnings()]
            }
        };
        format!("(?:{})", choices.join("|"))
    }
}

fn patterns() -> impl Strategy<Value = Pattern> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["a", "ab", "abba", "true", "\n", "/", "\"\\#", "千手", "千", "🙂🙂", "é"])
            .prop_map(Pattern::Text),
        prop::sample::select(vec!["[ab]", r"\d", "[^a-z]", ".", "(?s:.)", "[千万🙂]", r"\p{Greek}", r"\s", "(?i:k)"])
            .prop_map(Pattern::Class),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Pattern::Sequence),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Pattern::Choice),
            (inner, 0_u32..3, prop::option::of(0_u32..4)).prop_map(|(inner, least, more)| {
                Pattern::Repeat(Box::new(inner), least, more.map(|more| (least + more).max(1)))
            }),
        ]
    })
}

/// Whether `regex` matches `text` from its first to its last character.
pub(crate) fn matches(regex: &str, text: &str) -> bool {
    Regex::new(&format!(r"\A(?:{regex})\z")).unwrap().is_match(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_reply_matches_and_a_cut_one_begins_as_if_it_would(
        pattern in patterns(), sampling in engines::samplings(), kind in 0_usize..3, max_tokens in 1_usize..80,
    ) {
        let engine = engines::all()[kind];
        let regex = pattern.regex();
        let request = ChatRequest { sampling, max_tokens: Some(max_tokens), ..engines::regex(&regex) };
        let reply = engines::ask(engine, request).unwrap();
        let text = reply.text();
        match reply.finish {
            FinishReason::EndOfTurn => prop_assert!(matches(&regex, &text), "{regex:?} and {text:?}"),
            // The last character may have been cut as well.
            FinishReason::Length => {
                let text = text.trim_end_matches('\u{fffd}');
                prop_assert!(matches(&pattern.beginnings(), text), "{regex:?} and {text:?}");
            }
            ref other => prop_assert!(false, "{other:?}"),
        }
        prop_assert!(!engines::has_control(engine, &reply));
    }
}

#[test]
fn each_kind_of_vocabulary_comes_to_ends() {
    for engine in engines::all() {
        for regex in ["(?:ab|ba){1,3}", "[a-f]{3}", "\"(?:a|千手)\"", "(?s:.){2}"] {
            for seed in 0..10 {
                let sampling = Sampling { temperature: Some(1.0), seed: Some(seed), ..Sampling::default() };
                let reply = engines::ask(engine, ChatRequest { sampling, ..engines::regex(regex) }).unwrap();
                assert_eq!(reply.finish, FinishReason::EndOfTurn, "{regex}");
                assert!(matches(regex, &reply.text()), "{regex} and {:?}", reply.text());
            }
        }
    }
}
