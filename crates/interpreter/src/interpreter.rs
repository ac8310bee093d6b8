//! An interpreter: a warm Python that sessions are forked from.

use std::sync::Arc;

use qianshou_interpreter_protocol::{Tier, WarmReport};

use crate::builder::InterpreterBuilder;
use crate::error::{InterpreterError, Refusal};
use crate::isolation::{Isolation, IsolationReport};
use crate::launcher::Launcher;
use crate::python::{self, Chosen};
use crate::session::Session;

/// A warm Python that sessions are forked from in milliseconds. It ends, with its sessions, when it and
/// they are dropped.
#[derive(Clone, Debug)]
pub struct Interpreter {
    launcher: Arc<Launcher>,
    report: Arc<IsolationReport>,
}

impl Interpreter {
    /// Options, all with a default.
    pub fn builder() -> InterpreterBuilder {
        InterpreterBuilder::default()
    }

    pub(crate) async fn start(options: InterpreterBuilder) -> Result<Self, InterpreterError> {
        let python = python::choose(options.python.as_deref()).await?;
        let tiers: &[Tier] = match (options.tier, options.isolation) {
            (Some(tier), _) => &[tier],
            (None, Isolation::Required) => &[Tier::Namespaces, Tier::Landlock],
            (None, Isolation::BestEffort) => &[Tier::Namespaces, Tier::Landlock, Tier::Off],
            (None, Isolation::Off) => &[Tier::Off],
        };
        let mut refusals = Vec::new();
        for &tier in tiers {
            match Self::attempt(&options, &python, tier, &refusals).await {
                Ok(interpreter) => return Ok(interpreter),
                Err(InterpreterError::NotConfined(reason)) => {
                    tracing::debug!(?tier, reason, "this way to isolate Python does not work here");
                    refusals.push(Refusal { tier, reason });
                }
                Err(error) => return Err(error),
            }
        }
        Err(InterpreterError::Isolation { refusals })
    }

    async fn attempt(
        options: &InterpreterBuilder,
        python: &Chosen,
        tier: Tier,
        refused: &[Refusal],
    ) -> Result<Self, InterpreterError> {
        let launcher = Launcher::start(options, python, tier).await?;
        // Without isolation there is nothing to try out, and what tries would succeed.
        let verdicts = if tier == Tier::Off { Vec::new() } else { launcher.verdicts(options.verify_anew).await? };
        let report = IsolationReport::new(tier, verdicts, refused, launcher.without_groups());
        let enough = tier == Tier::Off || options.isolation == Isolation::BestEffort || report.is_complete();
        if !enough {
            return Err(InterpreterError::NotConfined(format!("not stopped: {}", report.holes())));
        }
        tracing::info!(?tier, "Python is isolated");
        Ok(Self { launcher: Arc::new(launcher), report: Arc::new(report) })
    }

    /// Starts a session.
    ///
    /// # Errors
    /// [`InterpreterError::Start`] when Python has ended, [`InterpreterError::NotConfined`] when the session cannot be
    /// locked in.
    pub async fn session(&self) -> Result<Session, InterpreterError> {
        Session::start(Arc::clone(&self.launcher)).await
    }

    /// What is in force on this machine.
    #[must_use]
    pub fn isolation_report(&self) -> &IsolationReport {
        &self.report
    }

    /// Which Python this is, and what it has imported beforehand.
    #[must_use]
    pub fn python(&self) -> &WarmReport {
        self.launcher.warm()
    }
}
