//! What is in force: never what was set up, always what was tried from inside.

use std::fmt;

use qianshou_interpreter_protocol::{Tier, Verdict};

use crate::error::Refusal;

/// How much isolation to insist on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Files, network, processes and system calls shut off, or no Python.
    #[default]
    Required,
    /// As much as this machine can, which may be nothing. For code that you trust.
    BestEffort,
    /// None. For code that you trust, on a machine that you can lose.
    Off,
}

/// What is in force on this machine, as tried out from inside a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IsolationReport {
    /// How sessions are locked in.
    pub tier: Tier,
    /// Each thing that a session must not do.
    pub layers: Vec<Layer>,
    /// Every attempt of the self-test, with how it ended.
    pub verdicts: Vec<Verdict>,
    /// Better ways that did not work here, and why.
    pub refused: Vec<String>,
}

/// One thing that a session must not do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// For example `files`.
    pub name: &'static str,
    /// Whether it is stopped.
    pub state: LayerState,
}

/// Whether something is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerState {
    /// Yes.
    Enforced,
    /// To some extent.
    Partial(String),
    /// No.
    Absent,
}

/// The layers that a self-test covers: the attempts of one have its name before the colon.
const TESTED: [&str; 5] = ["files", "network", "processes", "signals", "system calls"];

impl IsolationReport {
    pub(crate) fn new(tier: Tier, verdicts: Vec<Verdict>, refused: &[Refusal], no_groups: Option<&str>) -> Self {
        let is_stopped = |name: &str| {
            let mut attempts =
                verdicts.iter().filter(|verdict| verdict.attempt.split(':').next() == Some(name)).peekable();
            attempts.peek().is_some() && attempts.all(|verdict| verdict.stopped)
        };
        let state = |stopped| if stopped { LayerState::Enforced } else { LayerState::Absent };
        let tested = TESTED.map(|name| Layer { name, state: state(is_stopped(name)) });
        let memory = if is_stopped("memory") {
            LayerState::Enforced
        } else {
            let reason = no_groups.map_or_else(String::new, |reason| format!("; {reason}"));
            LayerState::Partial(format!("measured ten times a second and then killed, not refused at once{reason}"))
        };
        let disk = match tier {
            Tier::Namespaces => LayerState::Enforced,
            Tier::Landlock | Tier::Off => LayerState::Partial("the size of each file, not of all together".to_owned()),
        };
        let layers =
            tested.into_iter().chain([Layer { name: "memory", state: memory }, Layer { name: "disk", state: disk }]);
        let refused = refused.iter().map(|refusal| format!("{:?}: {}", refusal.tier, refusal.reason)).collect();
        Self { tier, layers: layers.collect(), verdicts, refused }
    }

    /// Whether everything that [`Isolation::Required`] insists on is in force.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.layers.iter().filter(|layer| TESTED.contains(&layer.name)).all(|layer| layer.state == LayerState::Enforced)
    }

    /// What the self-test got through with.
    pub(crate) fn holes(&self) -> String {
        let holes = self.verdicts.iter().filter(|verdict| !verdict.stopped);
        holes.map(|verdict| format!("{} ({})", verdict.attempt, verdict.how)).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for IsolationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.tier {
            Tier::Namespaces => "namespaces, Landlock and seccomp",
            Tier::Landlock => "Landlock and seccomp",
            Tier::Off => "no isolation",
        };
        write!(formatter, "{way}")?;
        for layer in &self.layers {
            match &layer.state {
                LayerState::Enforced => write!(formatter, "\n  {}: enforced", layer.name)?,
                LayerState::Partial(how) => write!(formatter, "\n  {}: partly ({how})", layer.name)?,
                LayerState::Absent => write!(formatter, "\n  {}: NOT enforced", layer.name)?,
            }
        }
        self.refused.iter().try_for_each(|refused| write!(formatter, "\n  not available: {refused}"))
    }
}
