//! What is compared, and one run of each.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use qianshou_agent::TranscriptWriter;
use tokio::sync::Barrier;

use crate::script::{ANSWER, QUESTION};
use crate::{ours, peer};

/// An agent in one of the frameworks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    React,
    Native,
    Rig,
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::React, Self::Native, Self::Rig];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::React => "qianshou, ReAct",
            Self::Native => "qianshou, native calls",
            Self::Rig => "rig, native calls",
        }
    }

    /// A new agent for runs of so many steps.
    pub(crate) fn agent(self, steps: usize, meeting: Option<Arc<Barrier>>) -> Result<SomeAgent> {
        Ok(match self {
            Self::React => SomeAgent::Ours(ours::react(steps, meeting)?),
            Self::Native => SomeAgent::Ours(ours::native(steps, meeting)?),
            Self::Rig => SomeAgent::Rig(Box::new(peer::agent(steps, meeting))),
        })
    }
}

/// An agent that is built.
pub(crate) enum SomeAgent {
    Ours(qianshou_agent::Agent),
    Rig(Box<rig::Agent>),
}

impl SomeAgent {
    /// One run, from the question to the answer.
    pub(crate) async fn run(&self) -> Result<()> {
        let answer = match self {
            Self::Ours(agent) => agent.run(QUESTION).await?.text().to_owned(),
            Self::Rig(agent) => agent.prompt(QUESTION).await?.output().to_owned(),
        };
        ensure!(answer == ANSWER, "the run ended with another answer: {answer:?}");
        Ok(())
    }
}

/// One run of an agent of ours, written to a file as it goes on.
pub(crate) async fn run_recorded(agent: &qianshou_agent::Agent, transcript: &Path) -> Result<()> {
    let answer = agent.stream(QUESTION).recorded(TranscriptWriter::create(transcript)?).answer().await?;
    ensure!(answer.text() == ANSWER, "the run ended with another answer: {:?}", answer.text());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const STEPS: usize = 5;
    const SUMS: [&str; STEPS - 1] = ["1", "3", "6", "10"];

    #[tokio::test]
    async fn every_agent_makes_the_same_observations() {
        for agent in [ours::react(STEPS, None).unwrap(), ours::native(STEPS, None).unwrap()] {
            let answer = agent.run(QUESTION).await.unwrap();
            let observations = answer.steps.iter().flat_map(|step| step.observations());
            assert!(observations.map(|observation| observation.text.as_str()).eq(SUMS));
            assert_eq!(answer.steps.len(), STEPS);
            assert_eq!(answer.text(), ANSWER);
        }
        let response = peer::agent(STEPS, None).prompt(QUESTION).await.unwrap();
        let messages = serde_json::to_value(&response.messages).unwrap();
        let parts = messages.as_array().unwrap().iter().map(|message| &message["content"][0]);
        let results = parts.filter(|part| part["type"] == "toolresult");
        assert!(results.map(|result| result["content"][0]["text"].as_str().unwrap()).eq(SUMS));
        assert_eq!(response.output(), ANSWER);
    }
}
