//! A cell that runs, and the rules by which it is stopped.

use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{Limits, Status};

use crate::files::Snapshot;

#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) started: Instant,
    pub(crate) files: Snapshot,
    pub(crate) displayed: u64,
    pub(crate) peak: u64,
    stop: Option<Stop>,
}

/// Why and since when a cell is asked to stop.
#[derive(Clone, Copy, Debug)]
struct Stop {
    status: Status,
    at: Instant,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// Ask it to stop.
    Interrupt,
    /// Kill it, for this reason.
    Kill(Status),
}

impl Cell {
    pub(crate) fn new(id: u64, number: u64, files: Snapshot) -> Self {
        Self { id, number, started: Instant::now(), files, displayed: 0, peak: 0, stop: None }
    }

    /// Notes that the cell is asked to stop; false when it has been already.
    pub(crate) fn stop(&mut self, status: Status) -> bool {
        let first = self.stop.is_none();
        self.stop.get_or_insert(Stop { status, at: Instant::now() });
        first
    }

    /// Time's ladder: an interrupt when it is up, and the end when that has not helped.
    pub(crate) fn due(&self, limits: &Limits) -> Due {
        match self.stop {
            None if self.started.elapsed() >= time(limits) => Due::Interrupt,
            Some(stop) if stop.at.elapsed() >= grace(limits) => Due::Kill(stop.status),
            _ => Due::Nothing,
        }
    }

    /// Until something is due.
    pub(crate) fn patience(&self, limits: &Limits) -> Duration {
        match self.stop {
            None => time(limits).saturating_sub(self.started.elapsed()),
            Some(stop) => grace(limits).saturating_sub(stop.at.elapsed()),
        }
    }

    /// The status of a cell whose kernel says `told`: an interrupt has the reason that we sent it for.
    pub(crate) fn status(&self, told: Status) -> Status {
        match (told, self.stop) {
            (Status::Interrupted, Some(stop)) => stop.status,
            (told, _) => told,
        }
    }
}

fn time(limits: &Limits) -> Duration {
    Duration::from_millis(limits.cell_milliseconds)
}

fn grace(limits: &Limits) -> Duration {
    Duration::from_millis(limits.grace_milliseconds)
}
