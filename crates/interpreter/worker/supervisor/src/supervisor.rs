//! Supervisor of one session: the only process of it that talks to the host.
//!
//! One loop waits for the host, the kernel, the two pipes that the kernel prints to, the kernel's end,
//! and the clock. The kernel may run hostile code in every cell, so nothing that it says is believed
//! but the content of its own cell.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use qianshou_interpreter_confine::system::inherit;
use qianshou_interpreter_protocol::{
    CellError, Checkpoint as Told, Completion, Event, Fork, FromKernel, Outcome, State, Status, Stream, Supervise,
    Tier, ToKernel, VERSION, json, parse, weight,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{DumpableBehavior, Pid, getpid, set_child_subreaper, set_dumpable_behavior};

use crate::Failed;
use crate::cell::{Cell, Due};
use crate::checkpoints::Checkpoints;
use crate::files::{Snapshot, Workspace};
use crate::kernel::Kernel;
use crate::link::{Link, Received};
use crate::memory::{self, Meter};
use crate::output::Output;
use crate::processes::{self, kill_all_but, reap};
use crate::request::Incoming;

/// How often memory is measured while a cell runs, and while none does.
const WATCH_RUNNING: Duration = Duration::from_millis(100);
const WATCH_IDLE: Duration = Duration::from_secs(2);

/// Between two times that output is passed on.
const PASS_ON: Duration = Duration::from_millis(50);

/// Between two steps of one measurement.
const BREATH: Duration = Duration::from_millis(1);

/// How long the host may take to read what is said last.
const LAST_WORDS: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Phase {
    /// The kernel has not said that it is ready.
    Starting,
    Idle,
    Running(Box<Cell>),
    /// A self-test, with the id of its request.
    Testing(u64),
}

pub(crate) struct Supervisor {
    pub(crate) host: Link,
    kernel: Kernel,
    /// The group of processes that the session's are in, unless they leave it.
    group: Pid,
    outputs: [Output; 2],
    passed_on: Instant,
    fork: Fork,
    pub(crate) workspace: Workspace,
    pub(crate) files: Snapshot,
    pub(crate) incoming: Option<Incoming>,
    phase: Phase,
    checkpoints: Checkpoints,
    /// The cell after which the variables are, or were when the running cell began; 0 before all cells.
    state: u64,
    /// What the next result tells beside what the cell itself does.
    notes: Vec<String>,
    cells: u64,
    meter: Meter,
    measured: Instant,
}

/// Takes over the session that `supervise`, JSON, describes, with the process `kernel`; returns when it has ended.
pub(crate) fn run(supervise: &str, kernel: &str) -> Result<(), Failed> {
    // First of all: from here on nobody inside can look into this process.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_child_subreaper(Some(getpid()))?;
    let supervise: Supervise = serde_json::from_str(supervise)?;
    let process = Pid::from_raw(kernel.parse()?).ok_or("a kernel without a process")?;
    let kept = supervise.fork.limits.output_bytes;
    let mut supervisor = Supervisor {
        host: Link::new(inherit(supervise.host)?),
        kernel: Kernel::new(Link::new(inherit(supervise.kernel)?), process)?,
        group: process,
        outputs: [Output::new(inherit(supervise.stdout)?, kept)?, Output::new(inherit(supervise.stderr)?, kept)?],
        passed_on: Instant::now(),
        workspace: Workspace::open(&supervise.fork.workspace)?,
        fork: supervise.fork,
        files: Snapshot::new(),
        incoming: None,
        phase: Phase::Starting,
        checkpoints: Checkpoints::default(),
        state: 0,
        notes: Vec::new(),
        cells: 0,
        meter: Meter::default(),
        measured: Instant::now(),
    };
    memory::offer(process);
    let ended = supervisor.serve();
    if let Err(error) = &ended {
        supervisor.tell(&Event::Failed { message: error.to_string() });
    }
    // Whoever is left ends with the namespace, where there is one.
    let _ = kill_all_but(&[], supervisor.group);
    if supervisor.fork.tier != Tier::Namespaces {
        // The host removes its folder too, unless it was killed.
        drop(std::fs::remove_dir_all(&supervisor.fork.workspace));
    }
    supervisor.host.flush_within(LAST_WORDS);
    Ok(())
}

impl Supervisor {
    /// Until the host goes away (`Ok`) or the kernel is lost for good.
    fn serve(&mut self) -> Result<(), Failed> {
        loop {
            let ready = self.wait()?;
            if ready.host && !self.read_host()? {
                return Ok(());
            }
            self.outputs.iter_mut().for_each(Output::drain);
            if self.until_passing_on().is_some_and(|left| left.is_zero()) {
                self.pass_output_on(false);
            }
            if ready.kernel {
                self.read_kernel()?;
            }
            self.checkpoints.listen();
            self.look_for_the_dead()?;
            self.look_at_the_clock()?;
        }
    }

    fn wait(&mut self) -> Result<Ready, Failed> {
        let patience = match &self.phase {
            _ if self.meter.is_busy() => BREATH,
            Phase::Running(cell) => cell.patience(&self.fork.limits).min(WATCH_RUNNING),
            _ => WATCH_IDLE,
        };
        let patience = self.until_passing_on().map_or(patience, |left| patience.min(left));
        let wanted = |link: &Link| if link.has_unsent() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut events = vec![
            PollFd::new(&self.host, wanted(&self.host)),
            PollFd::new(&self.kernel.link, wanted(&self.kernel.link)),
            PollFd::new(&self.kernel.ended, PollFlags::IN),
        ];
        let open = self.outputs.iter().filter(|output| output.is_open());
        events.extend(open.map(|output| PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN)));
        events.extend(self.checkpoints.awaited().map(|link| PollFd::new(link, PollFlags::IN)));
        match poll(&mut events, Some(&Timespec::try_from(patience)?)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = Ready { host: !events[0].revents().is_empty(), kernel: !events[1].revents().is_empty() };
        self.host.flush();
        self.kernel.link.flush();
        Ok(ready)
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        let frame = json(event).or_else(|error| json(&Event::Failed { message: error.to_string() }));
        if let Ok(frame) = frame {
            self.host.send(&frame);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    pub(crate) fn test(&mut self, id: u64, test: qianshou_interpreter_protocol::SelfTest) {
        self.phase = Phase::Testing(id);
        self.kernel.tell(&ToKernel::SelfTest(test));
    }

    /// Until output is due to be passed on, if there is some and the host takes it.
    fn until_passing_on(&self) -> Option<Duration> {
        let waits = !self.host.has_unsent() && self.outputs.iter().any(Output::has_chunk);
        waits.then(|| PASS_ON.saturating_sub(self.passed_on.elapsed()))
    }

    fn pass_output_on(&mut self, last: bool) {
        self.passed_on = Instant::now();
        let [stdout, stderr] = self.outputs.each_mut().map(|output| output.chunk(last));
        for (stream, text) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
            if let Some(text) = text {
                self.tell(&Event::Output { stream, text });
            }
        }
    }

    pub(crate) fn execute(&mut self, id: u64, code: String, streams: bool) {
        for output in &mut self.outputs {
            drop(output.take());
            output.stream(streams);
        }
        self.cells += 1;
        if !self.checkpoints.has(self.state) {
            self.prepare();
        }
        let cell = Cell::new(id, self.cells, std::mem::take(&mut self.files));
        // The copy is being made, and to measure memory would wait for it.
        self.measured = Instant::now();
        self.kernel.tell(&ToKernel::Execute { number: self.cells, code });
        self.phase = Phase::Running(Box::new(cell));
    }

    /// Has the kernel make a frozen copy of itself: ahead of the next cell, because nobody waits meanwhile. Until there
    /// is a new one the old one stays.
    fn prepare(&mut self) {
        memory::forget_peak(self.kernel.process);
        // A copy of a large session costs more than it is worth, and memory is what it lacks most.
        let resident = memory::peak(self.kernel.process).unwrap_or(0);
        let affordable = resident < self.fork.limits.memory_bytes / 2;
        if affordable {
            // A copy that is nearly made is not thrown away for the next, which may fail.
            self.checkpoints.await_word();
            if let Ok(link) = self.kernel.checkpoint() {
                self.checkpoints.expect(link, self.state);
            }
        }
    }

    /// The kernel's process and that of its frozen copy.
    fn own_processes(&self) -> Vec<Pid> {
        self.checkpoints.process().into_iter().chain([self.kernel.process]).collect()
    }

    pub(crate) fn interrupt(&mut self, wanted: u64) {
        if let Phase::Running(cell) = &mut self.phase
            && cell.id == wanted
            && cell.stop(Status::Interrupted)
        {
            self.kernel.interrupt();
        }
    }

    fn read_kernel(&mut self) -> Result<(), Failed> {
        loop {
            let message = match self.kernel.link.receive() {
                Ok(Received::Nothing) => return Ok(()),
                Ok(Received::Frame(frame)) => parse(&frame),
                // Its end is seen on its own; a channel closed by a kernel that lives is a violation.
                Ok(Received::Closed) => {
                    return if self.has_ended() { Ok(()) } else { self.kill(Status::Violation) };
                }
                Err(error) => Err(error),
            };
            match message {
                Ok(message) => self.hear(message)?,
                Err(_) => return self.kill(Status::Violation),
            }
        }
    }

    fn hear(&mut self, message: FromKernel) -> Result<(), Failed> {
        match (message, &mut self.phase) {
            (FromKernel::Ready, Phase::Starting) => {
                self.phase = Phase::Idle;
                self.tell(&Event::Hello { version: VERSION });
                self.prepare();
            }
            (FromKernel::NotConfined(message), Phase::Starting) => {
                self.tell(&Event::NotConfined { message: message.clone() });
                return Err(message.into());
            }
            (FromKernel::Checkpoint(Told::Refused), _) => self.checkpoints.refused(),
            (FromKernel::Display { data }, Phase::Running(cell)) => {
                cell.displayed += weight(&data);
                if cell.displayed > self.fork.limits.display_bytes {
                    return self.kill(Status::OutputLimit);
                }
                self.outputs.iter_mut().for_each(Output::drain);
                self.pass_output_on(false);
                self.tell(&Event::Display { data });
                self.kernel.tell(&ToKernel::Taken);
            }
            (FromKernel::Done { number, outcome }, Phase::Running(cell)) if cell.number == number => {
                let Some(told) = status(&outcome) else {
                    self.notes.extend(outcome.error.map(|error| error.message));
                    return self.kill(Status::Violation);
                };
                let status = cell.status(told);
                if told == Status::Interrupted {
                    // What is stopped is stopped with all that it started.
                    self.checkpoints.await_word();
                    kill_all_but(&self.own_processes(), self.group).map_err(unseen)?;
                }
                self.finish(status, State::Kept, Some(*outcome));
            }
            (FromKernel::Tested(verdicts), Phase::Testing(id)) => {
                let id = *id;
                self.phase = Phase::Idle;
                self.tell(&Event::Tested { id, verdicts });
            }
            _ => return self.kill(Status::Violation),
        }
        Ok(())
    }

    fn has_ended(&self) -> bool {
        let mut events = [PollFd::new(&self.kernel.ended, PollFlags::IN)];
        poll(&mut events, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    fn look_for_the_dead(&mut self) -> Result<(), Failed> {
        let Some(ended) = reap(self.kernel.process) else { return Ok(()) };
        let status = match (ended.terminating_signal(), ended.exit_status()) {
            (Some(signal), _) => Status::Crashed(signal),
            (None, code) => Status::Vanished(code.unwrap_or(0)),
        };
        if matches!(self.phase, Phase::Starting) {
            // What it said last may tell why.
            self.read_kernel()?;
        }
        self.kill(status)
    }

    fn look_at_the_clock(&mut self) -> Result<(), Failed> {
        if let Phase::Running(cell) = &mut self.phase {
            if self.outputs.iter().any(|output| output.bytes() > self.fork.limits.flood_bytes) {
                return self.kill(Status::OutputLimit);
            }
            match cell.due(&self.fork.limits) {
                Due::Interrupt => {
                    cell.stop(Status::TimedOut);
                    self.kernel.interrupt();
                }
                Due::Kill(status) => return self.kill(status),
                Due::Nothing => {}
            }
        }
        self.look_at_memory()
    }

    fn look_at_memory(&mut self) -> Result<(), Failed> {
        let running = matches!(self.phase, Phase::Running(_));
        let pause = if running { WATCH_RUNNING } else { WATCH_IDLE };
        if !self.meter.is_busy() && self.measured.elapsed() < pause {
            return Ok(());
        }
        let Some(bytes) = self.meter.step(&self.fork).map_err(unseen)? else { return Ok(()) };
        self.measured = Instant::now();
        if let Phase::Running(cell) = &mut self.phase {
            cell.peak = cell.peak.max(bytes);
        }
        // Where there is a control group, the system bounds memory; it does not count what the warm Python shares.
        if self.fork.has_group || bytes <= self.fork.limits.memory_bytes {
            return Ok(());
        }
        let own = self.own_processes();
        if !running && processes::descendants().map_err(unseen)?.iter().any(|process| !own.contains(process)) {
            // What earlier cells left running goes first; the next look says whether that was enough.
            kill_all_but(&own, self.group).map_err(unseen)?;
            return Ok(());
        }
        self.kill(Status::OutOfMemory)
    }

    /// Ends the cell with everything that it started, and goes back to the newest state that there is a copy of.
    fn kill(&mut self, status: Status) -> Result<(), Failed> {
        match self.phase {
            Phase::Running(_) | Phase::Idle => {}
            Phase::Starting => return Err(format!("Python did not start: {}", self.outputs[1].take().text).into()),
            Phase::Testing(_) => return Err(format!("Python ended in the self-test: {status:?}").into()),
        }
        let idle = self.is_idle();
        let cell = match self.go_back() {
            Ok(cell) => cell,
            Err(reason) => {
                self.notes.push(format!("The state before the cell could not be restored: {reason}."));
                self.finish(status, State::Lost, None);
                return Err(format!("Python ended ({status:?}), and {reason}").into());
            }
        };
        let is_newest = cell == self.state;
        if idle {
            self.notes.push(format!("Between the cells Python ended ({status:?})."));
        }
        if !is_newest {
            let when = if cell == 0 { "when the session began".to_owned() } else { format!("after cell {cell}") };
            self.notes.push(format!("Variables are as they were {when}: there was no newer copy of them."));
        } else if idle {
            self.notes.push("Variables are as they were after the cell before.".to_owned());
        }
        self.state = cell;
        if idle {
            self.prepare();
        } else {
            self.finish(status, if is_newest { State::Restored } else { State::Earlier { cell } }, None);
        }
        Ok(())
    }

    /// Ends everything but the frozen copy and makes that the kernel; returns the cell after which its variables are.
    fn go_back(&mut self) -> Result<u64, &'static str> {
        // From here on it makes no copy, and the one that it may have made has its word.
        self.kernel.kill();
        // What the cell has started runs on meanwhile, and is looked at.
        let (meter, fork) = (&mut self.meter, &self.fork);
        self.checkpoints.await_last_word(|| meter.is_within(fork));
        if !matches!(kill_all_but(self.checkpoints.process().as_slice(), self.group), Ok(true)) {
            return Err("some processes of the session do not end");
        }
        self.outputs.iter_mut().for_each(Output::drain);
        let (kernel, cell) = self.checkpoints.wake(|| meter.is_within(fork))?;
        memory::offer(kernel.process);
        self.kernel = kernel;
        Ok(cell)
    }

    fn finish(&mut self, status: Status, state: State, outcome: Option<Outcome>) {
        let Phase::Running(cell) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        self.outputs.iter_mut().for_each(Output::drain);
        self.pass_output_on(true);
        self.outputs.iter_mut().for_each(|output| output.stream(false));
        self.files = self.workspace.snapshot();
        let mut notes = std::mem::take(&mut self.notes);
        let (value, error) = outcome.map_or((None, None), |outcome| {
            notes.extend(outcome.notes);
            (outcome.value, outcome.error)
        });
        let [stdout, stderr] = self.outputs.each_mut().map(Output::take);
        let completion = Completion {
            status,
            state,
            stdout,
            stderr,
            value,
            error,
            notes,
            files: Workspace::changes(&cell.files, &self.files),
            microseconds: u64::try_from(cell.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            peak_memory_bytes: cell.peak.max(memory::peak(self.kernel.process).unwrap_or(0)),
        };
        self.tell(&Event::Done { id: cell.id, completion: Box::new(completion) });
        if state == State::Kept {
            self.state = cell.number;
        }
        if state != State::Lost {
            self.prepare();
        }
    }
}

/// Without sight of its processes nothing of a session is held.
fn unseen(error: std::io::Error) -> Failed {
    format!("the session's processes cannot be looked at: {error}").into()
}

struct Ready {
    host: bool,
    kernel: bool,
}

/// The status that a kernel may claim.
fn status(outcome: &Outcome) -> Option<Status> {
    match (outcome.status.as_str(), &outcome.error) {
        ("ok", _) => Some(Status::Ok),
        ("error", Some(CellError { .. })) => Some(Status::Error),
        ("interrupted", _) => Some(Status::Interrupted),
        ("exited", _) => Some(Status::Exited(outcome.exit_code.unwrap_or(0))),
        _ => None,
    }
}
