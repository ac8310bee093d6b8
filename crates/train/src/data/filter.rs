//! Rules that an episode has to keep.

use std::collections::HashSet;

use crate::episode::{Episode, Kind};

use super::split::normal;

/// Characters of a question, an input and an answer at most: what is longer teaches little for its tokens.
const LONGEST: [usize; 3] = [600, 700, 500];

/// Drops bad episodes, and those whose question was asked before among these tools.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    asked: HashSet<String>,
    /// How many were dropped, by the rule.
    pub(crate) dropped: std::collections::BTreeMap<&'static str, usize>,
}

impl Filter {
    /// Whether the episode is kept.
    pub(crate) fn keeps(&mut self, episode: &Episode) -> bool {
        let fault = fault(episode).or_else(|| {
            let is_new = self.asked.insert(normal(&episode.question));
            (!is_new).then_some("asked before")
        });
        if let Some(fault) = fault {
            *self.dropped.entry(fault).or_default() += 1;
        }
        fault.is_none()
    }
}

/// What is wrong with an episode, if anything.
pub(crate) fn fault(episode: &Episode) -> Option<&'static str> {
    let texts = [&episode.question, &episode.answer];
    let calls = &episode.calls;
    let miscalled = match episode.kind {
        Kind::NoNeed | Kind::Cannot => !calls.is_empty(),
        // A model may know that it needs no tool.
        Kind::SelfInstruct => false,
        _ => calls.is_empty(),
    };
    let keyword = |text: &String| {
        ["Thought:", "Action:", "Observation:", "Final Answer:"].iter().any(|keyword| text.contains(keyword))
    };
    match () {
        () if texts.iter().any(|text| text.trim().is_empty()) => Some("an empty text"),
        () if texts.iter().any(|text| text.contains('{') && text.contains('}')) => Some("a placeholder is left"),
        () if texts.iter().any(|text| keyword(text)) => Some("a keyword of the protocol"),
        () if miscalled => Some("a call too many or too few"),
        () if calls.last().is_some_and(|call| call.mistake) => Some("a mistake that is not mended"),
        () if episode.question.len() > LONGEST[0] => Some("a long question"),
        () if calls.iter().any(|call| call.input.len() > LONGEST[1]) => Some("a long input"),
        () if episode.answer.len() > LONGEST[2] => Some("a long answer"),
        () if calls.windows(2).any(|pair| pair[0].input == pair[1].input && pair[0].tool == pair[1].tool) => {
            Some("the same call twice")
        }
        () => None,
    }
}
