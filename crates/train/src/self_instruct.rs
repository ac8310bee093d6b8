//! Self-instruct (Wang et al., 2022; Qwen report 3.4): a model makes its own data.
//!
//! In each round the model is shown some kept samples and asked for new requests; then it answers each of them as an
//! agent, with real tools. What the rules let pass is kept and shown in later rounds.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use qianshou_agent::{Agent, AnyTool, ReAct, ToolSpec, python_json};
use qianshou_chat::{ChatModel, ChatRequest, Message, Sampling};
use qianshou_prompts::{Prompt, Prompts};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;

use crate::TrainError;
use crate::data::Filter;
use crate::episode::{Episode, Group, Kind, read_groups};

/// How much is asked for, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounds {
    /// Samples that are wanted.
    pub wanted: usize,
    /// Rounds at most: a model that cannot do it does not go on for ever.
    pub most: usize,
    /// Requests that the model is asked for in a round.
    pub requests: usize,
    /// Kept samples that it is shown.
    pub shots: usize,
    /// Temperature of the requests; answers are greedy.
    pub temperature: f32,
    /// Decides, with the round, which samples are shown and what is sampled.
    pub seed: u64,
}

/// What came of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Which one, counted from 1 in this call.
    pub number: usize,
    /// Requests that the model wrote.
    pub requests: usize,
    /// Samples that were kept.
    pub kept: usize,
    /// Samples that there are by now.
    pub total: usize,
}

/// Makes samples with `model` and appends each to `out` as it is kept. Samples that are there already count and are
/// shown like new ones: a call that was broken off is simply made again.
///
/// # Errors
/// When the model or a file fails. What was kept until then stays.
pub async fn self_instruct(
    model: &Arc<dyn ChatModel>,
    tools: &[Arc<dyn AnyTool>],
    seeds: &[Episode],
    rounds: Rounds,
    out: &Path,
    report: &mut dyn FnMut(&Round),
) -> Result<usize, TrainError> {
    let specs: Vec<ToolSpec> = tools.iter().map(|tool| tool.spec()).collect();
    let mut kept: Vec<Episode> = Vec::new();
    if out.exists() {
        kept.extend(read_groups(out)?.into_iter().flat_map(|group| group.episodes));
    }
    let mut filter = Filter::default();
    seeds.iter().chain(&kept).for_each(|episode| {
        filter.keeps(episode);
    });
    let mut file = OpenOptions::new().create(true).append(true).open(out).map_err(TrainError::io(out))?;
    let writer = Writer { prompts: Prompts::embedded(), model, tools, specs: &specs };
    for number in 1..=rounds.most {
        if kept.len() >= rounds.wanted {
            break;
        }
        // Another one in each round: behind a round that kept nothing the same would be asked again.
        let seed = rounds.seed.wrapping_add((kept.len() + number) as u64);
        let shots = shots(seeds, &kept, rounds.shots, seed);
        let requests = writer.requests(&shots, rounds, seed).await?;
        let before = kept.len();
        for request in &requests {
            let Some(episode) = writer.answer(request, &shots).await? else {
                continue;
            };
            if episode.calls.iter().any(|call| call.mistake) || !filter.keeps(&episode) {
                continue;
            }
            let group = Group { tools: specs.clone(), episodes: vec![episode.clone()] };
            let line = serde_json::to_string(&group).map_err(|error| TrainError::io(out)(error.into()))?;
            writeln!(file, "{line}").map_err(TrainError::io(out))?;
            kept.push(episode);
        }
        let round = Round { number, requests: requests.len(), kept: kept.len() - before, total: kept.len() };
        report(&round);
    }
    Ok(kept.len())
}

/// Samples to show: half of those that people wrote, half of those that were kept, as far as there are any.
fn shots(seeds: &[Episode], kept: &[Episode], count: usize, seed: u64) -> Vec<Episode> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let own = (count / 2).min(kept.len());
    let mut shots: Vec<Episode> = kept.sample(&mut random, own).cloned().collect();
    shots.extend(seeds.sample(&mut random, count - own).cloned());
    shots
}

/// The model at work.
struct Writer<'a> {
    prompts: Prompts,
    model: &'a Arc<dyn ChatModel>,
    tools: &'a [Arc<dyn AnyTool>],
    specs: &'a [ToolSpec],
}

impl Writer<'_> {
    /// New requests, one a line in the reply.
    async fn requests(&self, shots: &[Episode], rounds: Rounds, seed: u64) -> Result<Vec<String>, TrainError> {
        let tool = |spec: &ToolSpec| format!("{}: {} {}", spec.name, spec.description, python_json(&spec.parameters));
        let tools: Vec<String> = self.specs.iter().map(tool).collect();
        let example =
            |(number, shot): (usize, &Episode)| format!("{}. {}", number + 1, shot.question.replace('\n', " "));
        let examples: Vec<String> = shots.iter().enumerate().map(example).collect();
        let values =
            [("tools", tools.join("\n")), ("count", rounds.requests.to_string()), ("examples", examples.join("\n"))];
        let prompt = self
            .prompts
            .fill(Prompt::SelfInstructQueries, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
        let sampling = Sampling { temperature: Some(rounds.temperature), seed: Some(seed), ..Sampling::default() };
        let request = ChatRequest { sampling, ..ChatRequest::new([Message::user(prompt)]) };
        let reply = self.model.complete(request).await?.text();
        Ok(reply.lines().filter_map(numbered).take(rounds.requests).collect())
    }

    /// The model's answer as an agent. `None` when it does not come to one.
    async fn answer(&self, request: &str, shots: &[Episode]) -> Result<Option<Episode>, TrainError> {
        let examples: Vec<String> = shots.iter().map(written).collect();
        let system = self.prompts.fill(Prompt::SelfInstructAnswers, &[("examples", &examples.join("\n\n"))]);
        let agent = Agent::builder(Arc::clone(self.model))
            .any_tools(self.tools.iter().cloned())
            .protocol(ReAct::default())
            .system(system)
            .sampling(Sampling::greedy())
            .build()?;
        let run = agent.run(request).await?;
        Ok(Episode::of_run(Kind::SelfInstruct, request, &run))
    }
}

/// The text behind a number, as in `3. What time is it?`.
fn numbered(line: &str) -> Option<String> {
    let rest = line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit());
    let text = rest.strip_prefix(['.', ')'])?.trim();
    let is_numbered = rest.len() < line.trim_start().len();
    (is_numbered && !text.is_empty()).then(|| text.to_owned())
}

/// An episode as the model would write it, observations included.
fn written(episode: &Episode) -> String {
    let mut text = format!("Question: {}\n", episode.question);
    for call in &episode.calls {
        text += &format!(
            "Thought: {}\nAction: {}\nAction Input: {}\nObservation: {}\n",
            call.thought, call.tool, call.input, call.observation
        );
    }
    text + &format!("Thought: {}\nFinal Answer: {}", episode.thought, episode.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stand_behind_numbers() {
        let reply = "Here you are:\n1. What time is it?\n 2) Add 2 and 3.\n3.\n- no\n12. Last one";
        let requests: Vec<String> = reply.lines().filter_map(numbered).collect();
        assert_eq!(requests, ["What time is it?", "Add 2 and 3.", "Last one"]);
    }
}
