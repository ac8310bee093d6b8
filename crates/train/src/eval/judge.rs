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

/// What says no, in small letters. "Without" and the like are left out: there are many other ways to say the same.
const DENIALS: [&str; 6] = ["no", "not", "none", "nothing", "neither", "cannot"];

/// Whether an answer has the facts of the expected one: the words of it that came back from the tools. Those of the
/// question are left out, unless they are all that came back. A denial has to be in both or in neither. Where nothing
/// came back there is nothing to check but that there is an answer.
pub(super) fn has_facts(answer: &str, episode: &Episode) -> bool {
    let found = words(answer);
    let seen: Vec<String> = episode.calls.iter().flat_map(|call| words(&call.observation)).collect();
    let asked = words(&episode.question);
    let expected = words(&episode.answer);
    let told = || expected.iter().filter(|word| seen.contains(word) && is_fact(word));
    let is_new = |word: &String| !asked.contains(word);
    let only_asked = !told().any(is_new);
    let has_all = told().filter(|word| only_asked || is_new(word)).all(|fact| found.contains(fact));
    let denies_alike = seen.is_empty() || denies(answer) == denies(&episode.answer);
    !answer.trim().is_empty() && has_all && denies_alike
}

/// Whether a text says no.
fn denies(text: &str) -> bool {
    let spelled_out = text.to_lowercase().replace('’', "'").replace("n't", " not");
    spelled_out.contains("不是") || words(&spelled_out).iter().any(|word| DENIALS.contains(&word.as_str()))
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

    fn episode(question: &str, observation: &str, answer: &str) -> Episode {
        let call = Call {
            thought: String::new(),
            tool: "tool".to_owned(),
            input: "{}".to_owned(),
            observation: observation.to_owned(),
            mistake: false,
        };
        Episode {
            kind: Kind::Authored,
            question: question.to_owned(),
            calls: vec![call],
            thought: String::new(),
            answer: answer.to_owned(),
            files: Vec::new(),
        }
    }

    #[test]
    fn an_answer_is_right_by_what_came_back() {
        let weather = r#"{"city": "Oslo", "celsius": 21.5}"#;
        let episode = episode("Weather in Oslo?", weather, "It is 21.5 degrees in Oslo.");
        assert!(has_facts("Right now: 21.5.", &episode));
        assert!(!has_facts("It is 21 degrees in Oslo.", &episode));
        assert!(!has_facts("", &episode));
    }

    #[test]
    fn words_of_the_question_are_facts_where_nothing_else_came_back() {
        let biggest = episode("What is the biggest of 18.4, 21.9 and 3?", "21.9", "The biggest is 21.9.");
        assert!(has_facts("It is 21.9.", &biggest));
        assert!(!has_facts("It is 18.4.", &biggest));
        let sorted = episode("Sort pear, apple.", "apple, pear", "Sorted: apple, pear.");
        assert!(!has_facts("I sorted them.", &sorted));
    }

    #[test]
    fn a_denial_is_in_both_or_in_neither() {
        let prime = episode("I am not sure: is 1763 prime?", "not prime", "1763 is not prime.");
        assert!(has_facts("No, it is no prime.", &prime));
        assert!(has_facts("1763 isn’t prime.", &prime));
        assert!(!has_facts("1763 is prime.", &prime));
        let anagrams = episode("Are these anagrams?", "True", "Yes, they are.");
        assert!(has_facts("They are anagrams.", &anagrams));
        assert!(!has_facts("They aren't anagrams.", &anagrams));
        let leap = episode("2100年是闰年吗？", "False", "不是，2100年不是闰年。");
        assert!(!has_facts("是，2100年是闰年。", &leap));
    }

    #[test]
    fn any_answer_will_do_where_nothing_came_back() {
        let mut episode = episode("Are you well?", "", "Yes, thank you.");
        assert!(has_facts("I cannot say.", &episode));
        episode.calls.clear();
        assert!(has_facts("I cannot say.", &episode));
        assert!(!has_facts(" ", &episode));
    }

    #[test]
    fn numbers_are_found_in_chinese_and_in_times() {
        assert_eq!(words("“一”出现了3次。"), ["一", "出现了", "3", "次"]);
        assert_eq!(words("At 02:41, 21.5 % of 2026-11-24."), ["at", "02", "41", "21.5", "of", "2026-11-24"]);
    }
}
