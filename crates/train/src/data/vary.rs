//! Other numbers than those that were written.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;

use super::sources::PythonTask;

/// Numbers that mean something by themselves more often than not: months, hours, minutes, percent, degrees, days.
const FACTORS: [&str; 8] = ["12", "24", "60", "100", "180", "360", "365", "1000"];

/// A question with so many numbers has a list of them.
const LIST: usize = 5;

/// What works only with the order, or the size, of the numbers that were written.
const PARTICULAR: [&str; 4] = ["heapq.merge", "bisect", ":02x", "date("];

/// The task with other numbers. Its answer has `{result}` where the code's output belongs, and nothing is known of
/// that output yet.
///
/// A number is drawn anew when the question has it as often as the code: then it is one that the code is given.
/// `None` when there is none, or the answer does not quote the one line that the code prints.
pub(super) fn vary(task: &PythonTask, random: &mut Xoshiro256PlusPlus) -> Option<PythonTask> {
    let result = task.stdout.trim_end();
    let quoted = task.answer.split(result).count() == 2;
    if result.is_empty() || result.contains('\n') || !quoted || !task.files.is_empty() {
        return None;
    }
    let asked = counts(&task.question);
    let given = counts(&task.code);
    // A number that the question does not have may have been worked out from one that it has.
    let is_derived = |number: &String| number.len() > 1 && !FACTORS.contains(&number.as_str());
    let derived = given.keys().any(|number| !asked.contains_key(number) && is_derived(number));
    if derived || PARTICULAR.iter().any(|name| task.code.contains(name)) {
        return None;
    }
    let is_list = asked.values().sum::<usize>() >= LIST;
    let mut drawn: BTreeMap<String, String> = BTreeMap::new();
    for (number, count) in &asked {
        if number != result && given.get(number) == Some(count) && may_change(number, is_list) {
            drawn.insert(number.clone(), like(number, random));
        }
    }
    let answer = task.answer.replacen(result, "{result}", 1);
    (!drawn.is_empty()).then(|| PythonTask {
        question: replaced(&task.question, &drawn),
        code: replaced(&task.code, &drawn),
        stdout: String::new(),
        answer: replaced(&answer, &drawn),
        files: BTreeMap::new(),
    })
}

/// A value with other numbers in it: those of three digits or more that are no years, as in an order or a card.
pub(super) fn other_numbers(value: &str, random: &mut Xoshiro256PlusPlus) -> String {
    let piece = |(piece, is_number): (&str, bool)| match is_number {
        true if piece.len() > 2 && !piece.contains(['.', ',']) && !is_year(piece) => like(piece, random),
        _ => piece.to_owned(),
    };
    pieces(value).into_iter().map(piece).collect()
}

/// Whether the calculator could do it, too: no words but those of `print(round(…))` and of names for numbers.
pub(super) fn is_formula(code: &str) -> bool {
    let inner = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = |text: &str| -> Vec<String> {
        text.split(|letter| !inner(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let names: Vec<String> = code
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .flat_map(|(names, _)| words(names))
        .chain(["print", "round", "f", "2f"].map(str::to_owned))
        .collect();
    let is_number = |word: &String| word.chars().all(|letter| letter.is_ascii_digit());
    let is_text = code.replace("f\"", "").contains(['\'', '[']);
    !is_text && words(code).iter().all(|word| is_number(word) || names.contains(word))
}

/// A single digit is mostly part of a method, unless it is one of a list.
fn may_change(number: &str, is_list: bool) -> bool {
    (number.len() > 1 || is_list) && !FACTORS.contains(&number) && !is_year(number)
}

fn is_year(number: &str) -> bool {
    number.len() == 4 && (number.starts_with("19") || number.starts_with("20"))
}

/// A number of the same length that begins with the same digit, so that what was smaller mostly stays smaller.
fn like(number: &str, random: &mut Xoshiro256PlusPlus) -> String {
    if number.len() == 1 {
        return random.random_range(1..10).to_string();
    }
    let drawn = |(index, letter): (usize, char)| match letter {
        '0'..='9' if index > 0 => char::from_digit(random.random_range(0..10), 10).unwrap_or(letter),
        _ => letter,
    };
    number.chars().enumerate().map(drawn).collect()
}

/// How often each number stands in a text, written without commas.
fn counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (piece, is_number) in pieces(text) {
        if is_number {
            *counts.entry(piece.replace(',', "")).or_default() += 1;
        }
    }
    counts
}

fn replaced(text: &str, drawn: &BTreeMap<String, String>) -> String {
    let piece = |(piece, is_number): (&str, bool)| match drawn.get(&piece.replace(',', "")) {
        Some(number) if is_number && piece.contains(',') => with_commas(number),
        Some(number) if is_number => number.clone(),
        _ => piece.to_owned(),
    };
    pieces(text).into_iter().map(piece).collect()
}

/// 1234567.5 as 1,234,567.5.
fn with_commas(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let mut text = String::new();
    for (index, letter) in number.char_indices() {
        if index > 0 && index < whole && (whole - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(letter);
    }
    text
}

/// The text in pieces, and whether each is a number that stands alone: no part of a word, a date or a time.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let bytes = text.as_bytes();
    let is_digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let mut pieces = Vec::new();
    let (mut done, mut index) = (0, 0);
    while index < bytes.len() {
        if !is_digit(index) {
            index += 1;
            continue;
        }
        let start = index;
        while is_digit(index) {
            index += 1;
        }
        // Thousands are parted by commas, in front of three digits.
        while bytes.get(index) == Some(&b',') && (1..4).all(|ahead| is_digit(index + ahead)) && !is_digit(index + 4) {
            index += 4;
        }
        if bytes.get(index) == Some(&b'.') && is_digit(index + 1) {
            index += 1;
            while is_digit(index) {
                index += 1;
            }
        }
        let joined =
            |byte: Option<&u8>| byte.is_some_and(|&byte| byte.is_ascii_alphanumeric() || b"_/".contains(&byte));
        let before = start.checked_sub(1).and_then(|index| bytes.get(index));
        let is_time = (before == Some(&b':') && start > 1 && is_digit(start - 2))
            || (bytes.get(index) == Some(&b':') && is_digit(index + 1));
        let dashed = (before == Some(&b'-') && start > 1 && is_digit(start - 2))
            || (bytes.get(index) == Some(&b'-') && is_digit(index + 1));
        if !joined(before) && before != Some(&b'.') && !joined(bytes.get(index)) && !dashed && !is_time {
            pieces.extend([(&text[done..start], false), (&text[start..index], true)]);
            done = index;
        }
    }
    pieces.push((&text[done..], false));
    pieces
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use rand::SeedableRng as _;

    use super::*;

    fn task(question: &str, code: &str, stdout: &str, answer: &str) -> PythonTask {
        let [question, code, stdout, answer] = [question, code, stdout, answer].map(str::to_owned);
        PythonTask { question, code, stdout, answer, files: BTreeMap::new() }
    }

    #[test]
    fn numbers_of_the_question_change_in_code_and_answer_too() {
        let interest = task(
            "What do 12,500.50 grow to in 24 months, by 1.03 a year? Ask for 1250.",
            "print(round(12500.50 * 1.03 ** 2 + 1250 / 24))",
            "13314\n",
            "The 12,500.50 grow to 13314.",
        );
        let varied = vary(&interest, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
        let number = varied.code.strip_prefix("print(round(").unwrap().split(' ').next().unwrap();
        assert_eq!(number.len(), "12500.50".len());
        assert_ne!(number, "12500.50");
        assert_eq!(varied.answer, format!("The {} grow to {{result}}.", with_commas(number)));
        assert!(varied.question.starts_with(&format!("What do {} grow to in 24 months", with_commas(number))));
        // Months stay, and what both have as often does not.
        assert!(varied.code.ends_with(" / 24))") && !varied.code.contains("1250 "), "{}", varied.code);
    }

    #[test]
    fn what_is_no_plain_number_stays() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for (question, code) in [
            ("Which day is 2025-11-30?", "print('2025-11-30')"),
            ("It is 18:30 now.", "print('18:30')"),
            ("Only 7.", "print(7)"),
            ("Of 95 and 95?", "print(95)"),
            ("Is it 4711?", "print(4711)"),
            ("How old is who was born in 1987?", "print(6698 - 1987)"),
            ("How many divisors has 5040?", "print(len([n for n in range(1, 5041) if 5040 % n == 0]))"),
        ] {
            assert!(vary(&task(question, code, "4711\n", "It is 4711."), &mut random).is_none(), "{question}");
        }
        // The answer does not quote what is printed.
        assert!(vary(&task("Is 57 prime?", "print(57 > 56)", "True\n", "Yes."), &mut random).is_none());
    }

    #[test]
    fn a_number_before_a_colon_changes_too() {
        let block = task("Is 6500 over 6000?", "if 6500 > 6000:\n    print('yes')", "yes\n", "It is: yes.");
        let varied = vary(&block, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
        assert!(!varied.code.contains("6000:") && varied.code.contains(":\n"), "{}", varied.code);
    }

    #[test]
    fn single_digits_change_in_a_list_alone() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let list = task("Sum of 4, 8, 3, 9 and 5?", "print(sum([4, 8, 3, 9, 5]))", "29\n", "It is 29.");
        let varied = vary(&list, &mut random).unwrap();
        assert_ne!(varied.question, list.question);
        assert_eq!(varied.question.matches(", ").count(), 3);
        assert!(vary(&task("Is 4 or 8 more?", "print(max(4, 8))", "8\n", "It is 8."), &mut random).is_none());
    }

    #[test]
    fn values_get_other_numbers_of_the_same_length() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let card = other_numbers("LC 204417", &mut random);
        assert!(card.starts_with("LC 2") && card.len() == 9 && card != "LC 204417", "{card}");
        for value in ["14 May 2025", "192.0.2.45", "2026-03-19", "18:30", "Ada", "r00tine"] {
            assert_eq!(other_numbers(value, &mut random), value);
        }
    }

    #[test]
    fn a_formula_has_numbers_only() {
        assert!(is_formula("print(round((2148 - 612) / 340, 2))"));
        assert!(is_formula("print(f\"{964.50 * 240 - 150000:.2f}\")"));
        assert!(is_formula("w, h = 23.5, 17.2\nprint(round(2 * (w + h), 1))"));
        assert!(!is_formula("print(sum([1, 2, 3]))"));
        assert!(!is_formula("print('a' * 3)"));
        assert!(!is_formula("from math import perm\nprint(perm(12, 3))"));
    }
}
