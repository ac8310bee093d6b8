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

/// The attempts to change a file of the host without opening it. Landlock does not keep an ordinary user's code from
/// them, and a filter of system calls would take them from the session's own files as well.
const MODES: &str = "modes";

fn layer(verdict: &Verdict) -> &str {
    verdict.attempt.split(':').next().unwrap_or_default()
}

/// Whether an attempt got through that must not.
pub(crate) fn is_hole(verdict: &Verdict) -> bool {
    !verdict.stopped && layer(verdict) != MODES
}

impl IsolationReport {
    pub(crate) fn new(tier: Tier, verdicts: Vec<Verdict>, refused: &[Refusal], no_groups: Option<&str>) -> Self {
        let is_stopped = |name: &str| {
            let mut attempts = verdicts.iter().filter(|verdict| layer(verdict) == name).peekable();
            attempts.peek().is_some() && attempts.all(|verdict| verdict.stopped)
        };
        let state = |name| {
            if !is_stopped(name) {
                LayerState::Absent
            } else if name == "files" && !is_stopped(MODES) {
                LayerState::Partial("not read nor written, but modes and times of the user's own can be set".to_owned())
            } else {
                LayerState::Enforced
            }
        };
        let tested = TESTED.map(|name| Layer { name, state: state(name) });
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

    /// Whether everything that [`Isolation::Required`] insists on is in force: of files that they are not read nor written.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.layers.iter().filter(|layer| TESTED.contains(&layer.name)).all(|layer| layer.state != LayerState::Absent)
    }

    /// What the self-test got through with.
    pub(crate) fn holes(&self) -> String {
        let holes = self.verdicts.iter().filter(|verdict| is_hole(verdict));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(got_through: &str) -> IsolationReport {
        let attempts = TESTED.into_iter().chain([MODES]);
        let verdicts = attempts.map(|name| Verdict {
            attempt: format!("{name}: try"),
            stopped: name != got_through,
            how: String::new(),
        });
        IsolationReport::new(Tier::Landlock, verdicts.collect(), &[], None)
    }

    #[test]
    fn what_got_through_is_told_and_only_modes_may() {
        let files = |report: &IsolationReport| report.layers[0].state.clone();
        assert_eq!((files(&report("")), report("").is_complete()), (LayerState::Enforced, true));
        assert!(matches!(files(&report(MODES)), LayerState::Partial(_)) && report(MODES).is_complete());
        assert_eq!((files(&report("files")), report("files").is_complete()), (LayerState::Absent, false));
        assert!(!report("signals").is_complete());
        assert_eq!((report("signals").holes(), report(MODES).holes()), ("signals: try ()".to_owned(), String::new()));
    }
}
