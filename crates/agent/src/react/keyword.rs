//! The words that structure a ReAct reply, and how they are found at the beginning of a line.

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Thought,
    Action,
    ActionInput,
    Observation,
    /// The Chinese word, which may as well begin a line of prose: it counts only after an action.
    ChineseObservation,
    FinalAnswer,
}

/// The template's words, those that models write instead in Chinese conversations, and those that InternLM
/// was taught.
const WORDS: [(&str, Keyword); 16] = [
    ("Thought", Keyword::Thought),
    ("Action", Keyword::Action),
    ("Action Input", Keyword::ActionInput),
    ("Observation", Keyword::Observation),
    ("Final Answer", Keyword::FinalAnswer),
    ("思考", Keyword::Thought),
    ("行动", Keyword::Action),
    ("动作", Keyword::Action),
    ("行动输入", Keyword::ActionInput),
    ("动作输入", Keyword::ActionInput),
    ("观察", Keyword::ChineseObservation),
    ("观察结果", Keyword::ChineseObservation),
    ("最终答案", Keyword::FinalAnswer),
    ("最终回答", Keyword::FinalAnswer),
    ("ActionInput", Keyword::ActionInput),
    ("FinalAnswer", Keyword::FinalAnswer),
];

/// What the beginning of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineStart {
    /// This keyword, `length` bytes of the line with its colon.
    Keyword { keyword: Keyword, length: usize },
    /// This keyword, all of the line; more asterisks may belong to it.
    Bold(Keyword),
    /// It may become a keyword with more text.
    Open,
    /// Text.
    Text,
}

/// Looks for a keyword: a word, then `:` or the Chinese `：`. Both may be bold (`**Action:** …`, and
/// `**Action**: …`).
pub(super) fn classify(line: &str) -> LineStart {
    let word = line.trim_start_matches('*');
    let bold = word.len() < line.len();
    if bold && word.is_empty() {
        return LineStart::Open;
    }
    let mut start = LineStart::Text;
    for (name, keyword) in WORDS {
        let Some(rest) = word.strip_prefix(name) else {
            if name.starts_with(word) {
                start = LineStart::Open;
            }
            continue;
        };
        let colon = if bold { rest.trim_start_matches('*') } else { rest };
        let Some(rest) = colon.strip_prefix([':', '：']) else {
            if colon.is_empty() {
                start = LineStart::Open;
            }
            continue;
        };
        let rest = if bold { rest.trim_start_matches('*') } else { rest };
        if bold && rest.is_empty() {
            return LineStart::Bold(keyword);
        }
        return LineStart::Keyword { keyword, length: line.len() - rest.len() };
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_a_word_and_a_colon() {
        let keyword = |keyword, length| LineStart::Keyword { keyword, length };
        let cases = [
            ("Action:", keyword(Keyword::Action, 7)),
            ("Action：", keyword(Keyword::Action, 9)),
            ("Action Input:", keyword(Keyword::ActionInput, 13)),
            ("动作输入：", keyword(Keyword::ActionInput, 15)),
            ("ActionInput:", keyword(Keyword::ActionInput, 12)),
            ("FinalAnswer:", keyword(Keyword::FinalAnswer, 12)),
            ("**Action:** w", keyword(Keyword::Action, 11)),
            ("*Action*: w", keyword(Keyword::Action, 9)),
            ("**Action:*", LineStart::Bold(Keyword::Action)),
            ("Action", LineStart::Open),
            ("Action I", LineStart::Open),
            ("**", LineStart::Open),
            ("**Action**", LineStart::Open),
            ("观察", LineStart::Open),
            ("", LineStart::Open),
            ("Action Inputs", LineStart::Text),
            ("Action*:", LineStart::Text),
            ("action:", LineStart::Text),
            ("* Action:", LineStart::Text),
            (" Action:", LineStart::Text),
        ];
        for (line, expected) in cases {
            assert_eq!(classify(line), expected, "{line}");
        }
    }
}
