//! What counts as the same call, and as the right answer.

use serde_json::Value;

use crate::Episode;

/// Whether two inputs mean the same arguments: spaces, the order of keys, and `2` or `2.0` do not matter.
pub(super) fn same_input(found: &str, wanted: &str) -> bool {
    match (serde_json::from_str::<Value>(found.trim()), serde_json::from_str::<Value>(wanted.trim())) {
        (Ok(found), Ok(wanted)) => same(&found, &wanted),
        _ => found.trim() == wanted.trim(),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| same(value, found)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// Whether an answer has the facts of the expected one: the words of it that came back from the tools, those of the
/// question left out. Where nothing came back there is nothing to check but that there is an answer.
pub(super) fn has_facts(answer: &str, episode: &Episode) -> bool {
    let found = words(answer);
    let seen: Vec<String> = episode.calls.iter().flat_map(|call| words(&call.observation)).collect();
    let asked = words(&episode.question);
    let expected = words(&episode.answer);
    let facts = expected.iter().filter(|word| seen.contains(word) && !asked.contains(word) && is_fact(word));
    !answer.trim().is_empty() && facts.into_iter().all(|fact| found.contains(fact))
}

fn is_fact(word: &str) -> bool {
    word.chars().any(|letter| letter.is_ascii_digit()) || word.chars().count() > 3
}

/// Words and numbers in small letters. Chinese has no spaces: what stands between its characters is a word, too.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut wide = false;
    for letter in text.chars() {
        let is_inner = letter.is_alphanumeric() || ".-_%".contains(letter);
        let is_wide = letter >= '\u{2e80}';
        if !is_inner || is_wide != wide {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| is_inner) {
            word.extend(letter.to_lowercase());
        }
        wide = is_wide;
    }
    let words = words.iter().map(|word| word.trim_matches(|letter: char| ".-_%".contains(letter)));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Kind};

    #[test]
    fn inputs_are_compared_by_what_they_mean() {
        assert!(same_input(r#"{"a": 2.0, "b": "x"}"#, r#"{"b":"x","a":2}"#));
        assert!(!same_input(r#"{"a": "2"}"#, r#"{"a": 2}"#));
        assert!(!same_input(r#"{"a": 2, "b": 1}"#, r#"{"a": 2}"#));
        assert!(same_input("```py\nprint(1)\n```\n", "```py\nprint(1)\n```"));
    }

    #[test]
    fn an_answer_is_right_by_what_came_back() {
        let call = Call {
            thought: String::new(),
            tool: "weather".to_owned(),
            input: "{}".to_owned(),
            observation: r#"{"city": "Oslo", "celsius": 21.5}"#.to_owned(),
            mistake: false,
        };
        let episode = Episode {
            kind: Kind::Authored,
            question: "Weather in Oslo?".to_owned(),
            calls: vec![call],
            thought: String::new(),
            answer: "It is 21.5 degrees in Oslo.".to_owned(),
            files: Vec::new(),
        };
        assert!(has_facts("Right now: 21.5.", &episode));
        assert!(!has_facts("It is 21 degrees in Oslo.", &episode));
        assert!(!has_facts("", &episode));
    }

    #[test]
    fn numbers_are_found_in_chinese_and_in_times() {
        assert_eq!(words("“一”出现了3次。"), ["一", "出现了", "3", "次"]);
        assert_eq!(words("At 02:41, 21.5 % of 2026-11-24."), ["at", "02", "41", "21.5", "of", "2026-11-24"]);
    }
}
