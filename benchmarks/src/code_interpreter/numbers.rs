//! Numbers in text: as the official exam finds the last one, and as a reader does.

/// The last number of a text by the rules of the official exam (`metrics/gsm8k.py` of Qwen-Agent): dots at
/// both ends are dropped and line breaks count as no white space; a number stands behind white space or one of
/// `$ % # {` and before white space, one of `. , }`, or the end, and its decimals do not end in 0.
///
/// ```
/// use qianshou_bench::code_interpreter::numbers::last;
///
/// assert_eq!(last("It costs $1,234.50 or 12."), Some(12.0));
/// assert_eq!(last("#### 18"), Some(18.0));
/// assert_eq!(last("no number"), None);
/// ```
pub fn last(text: &str) -> Option<f64> {
    let text: Vec<char> = text.trim_matches('.').replace('\n', "\\n").chars().collect();
    let (mut start, mut found) = (1, None);
    while start <= text.len() {
        let begins = text[start - 1].is_whitespace() || "$%#{".contains(text[start - 1]);
        match begins.then(|| number_at(&text, start)).flatten() {
            Some(end) => {
                found = Some(text[start..end].iter().filter(|c| !"+,".contains(**c)).collect::<String>());
                start = end.max(start + 1);
            }
            None => start += 1,
        }
    }
    // What is matched last may be nothing at all before a full stop; that is no number.
    found?.parse().ok()
}

/// Where the number that begins here ends, preferring what is longer as a regular expression does.
fn number_at(text: &[char], start: usize) -> Option<usize> {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let ends = |end: usize| text.get(end).is_none_or(|&c| c.is_whitespace() || ".,}".contains(c));
    // With decimals that do not end in 0, else without.
    let with_decimals = |end: usize| {
        let decimals = if text.get(end) == Some(&'.') { digits(end + 1) } else { 0 };
        let cut = (1..=decimals).rev().map(|count| end + 1 + count).find(|&end| text[end - 1] != '0' && ends(end));
        cut.or_else(|| ends(end).then_some(end))
    };
    let signs = if text.get(start).is_some_and(|c| "+-".contains(*c)) { vec![1, 0] } else { vec![0] };
    for sign in signs {
        let from = start + sign;
        if text.get(from).is_none_or(|c| c.is_whitespace()) {
            continue;
        }
        let count = digits(from);
        let mut whole: Vec<usize> = Vec::new();
        if text.get(from).is_some_and(|c| ('1'..='9').contains(c)) {
            // Thousands in groups of three, behind one to three digits.
            for lead in (1..=count.min(3)).rev() {
                let mut groups = vec![from + lead];
                while let Some(&end) = groups.last()
                    && text.get(end) == Some(&',')
                    && digits(end + 1) >= 3
                {
                    groups.push(end + 4);
                }
                whole.extend(groups.into_iter().rev());
            }
            whole.extend((4..=count).rev().map(|count| from + count));
        } else if count > 0 {
            whole.push(from + 1);
        }
        whole.push(from);
        if let Some(end) = whole.into_iter().find_map(with_decimals) {
            return Some(end);
        }
    }
    None
}

/// All numbers in a text, as a reader sees them: with thousands separators, signs and exponents.
pub fn all(text: &str) -> Vec<f64> {
    let text: Vec<char> = text.chars().collect();
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let signed = at > 0 && matches!(text[at - 1], '-' | '−') && (at < 2 || !text[at - 2].is_alphanumeric());
        let mut number = String::from(if signed { "-" } else { "" });
        let digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
        while at < text.len() {
            match text[at] {
                c if c.is_ascii_digit() => number.push(c),
                '.' if digit(at + 1) && !number.contains(['.', 'e']) => number.push('.'),
                ',' if (1..=3).all(|place| digit(at + place)) && !digit(at + 4) && !number.contains('.') => {}
                'e' | 'E' if !number.contains('e') && digit(at + 1) => number.push('e'),
                'e' | 'E' if !number.contains('e') && matches!(text.get(at + 1), Some('+' | '-')) && digit(at + 2) => {
                    number.push('e');
                    number.push(text[at + 1]);
                    at += 1;
                }
                _ => break,
            }
            at += 1;
        }
        numbers.extend(number.parse::<f64>());
    }
    numbers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_number_is_that_of_the_official_exam() {
        let cases = [
            ("the answer is 42.", Some(42.0)),
            ("the answer is 42.50.", Some(42.0)),
            ("the answer is 42.5", Some(42.5)),
            ("a 1,234,567 b", Some(1_234_567.0)),
            ("a 12345, b", Some(12345.0)),
            ("a -7 b", Some(-7.0)),
            ("a +7, b", Some(7.0)),
            ("x = {12}", Some(12.0)),
            ("a 12\nb", None),
            ("7", None),
            (" 007", None),
            (" 10%", None),
            (" 3 and 4.0", Some(4.0)),
        ];
        for (text, expected) in cases {
            assert_eq!(last(text), expected, "{text}");
        }
    }

    #[test]
    fn a_reader_sees_every_number() {
        assert_eq!(all("from −3 to 1,234.5 in 2024-05, 1e3 or 7%"), [-3.0, 1234.5, 2024.0, 5.0, 1000.0, 7.0]);
        assert_eq!(all("约为12.50元"), [12.5]);
        assert_eq!(all("no number, x1e"), [1.0]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched(text in "[0-9.,+$ e\\-\n{}%a]{0,30}") {
            let _ = last(&text);
            all(&text);
        }

        #[test]
        fn a_number_is_found_behind_a_space(number in any::<i32>()) {
            prop_assert_eq!(last(&format!("it is {number} ")), Some(f64::from(number)));
            prop_assert_eq!(all(&format!("it is {number}")), [f64::from(number)]);
        }
    }
}
