//! The launcher's process and the control socket to the warm Python behind it.

use std::fmt;
use std::fs::Permissions;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use qianshou_interpreter_protocol::{
    Completion, Decoder, Event, Fork, Launch, Limits, Request, Tier, VERSION, Verdict, Warm, WarmReport, json, parse,
};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};

use crate::builder::InterpreterBuilder;
use crate::conversation::Conversation;
use crate::error::InterpreterError;
use crate::groups::{Counts, Groups, SessionGroup};
use crate::isolation::is_hole;
use crate::payload::{self, Payload};
use crate::python::Chosen;
use crate::targets::Targets;
use crate::verdicts::Memory;

/// Imports can take their time, the first time above all.
const WARM_UP: Duration = Duration::from_secs(180);
const OPENING: Duration = Duration::from_secs(60);

/// How long the processes of a session may take to end.
const CLOSING: Duration = Duration::from_secs(60);

/// What the session of a self-test may hold, in bytes, where the system bounds that.
const TESTED_MEMORY: u64 = 64 << 20;

/// The user that stands for root in a sandbox without namespaces; the launcher becomes it.
const NOBODY: u32 = 65_533;

/// Where files are in a sandbox with namespaces.
const WORKSPACE: &str = "/workspace";
const CACHE: &str = "/var/cache/qianshou";

const BOOTSTRAP: &str = include_str!("bootstrap.py");

pub(crate) struct Launcher {
    control: tokio::sync::Mutex<UnixStream>,
    /// Cleans up and ends when the control socket is closed.
    _process: Child,
    complaints: Complaints,
    warm: WarmReport,
    fork: Fork,
    payload: Payload,
    python: PathBuf,
    /// What the warm Python keeps between sessions where it has no file system of its own.
    _cache: Option<TempDir>,
    /// Or why there are none.
    groups: Result<Groups, String>,
}

/// A session, just started.
pub(crate) struct Opened {
    pub(crate) conversation: Conversation,
    /// Its files, where it has no file system of its own.
    _folder: Option<TempDir>,
    group: Option<SessionGroup>,
    counted: Counts,
}

impl Opened {
    /// A cell begins.
    pub(crate) fn count(&mut self) {
        self.counted = self.group.as_ref().map(SessionGroup::counts).unwrap_or_default();
    }

    /// Adds what the system has counted since the cell began.
    pub(crate) fn add_counts(&self, completion: &mut Completion) {
        if let Some(group) = &self.group {
            group.add_to(completion, self.counted);
        }
    }

    /// Ends the session, and waits until all of its processes have ended.
    pub(crate) async fn close(mut self) {
        self.conversation.finish(CLOSING).await;
        if let Some(group) = self.group {
            group.remove().await;
        }
    }
}

impl Launcher {
    pub(crate) async fn start(
        options: &InterpreterBuilder,
        python: &Chosen,
        tier: Tier,
    ) -> Result<Self, InterpreterError> {
        let payload = payload::unpack()?;
        let cache = if tier == Tier::Namespaces { None } else { Some(folder(tier).map_err(start)?) };
        let cache_path = cache.as_ref().map_or(Path::new(CACHE), TempDir::path);
        let mut visible = python.visible.clone();
        visible.extend(cache.as_ref().map(|cache| cache.path().to_path_buf()));
        let groups = Groups::make();
        if let Err(reason) = &groups {
            tracing::debug!(reason, "sessions are without control groups");
        }
        let launch = Launch {
            version: VERSION,
            tier,
            python: python.program.clone(),
            bootstrap: BOOTSTRAP.to_owned(),
            environment: environment(&python.program, cache_path),
            visible: visible.clone(),
            scratch: cache.as_ref().map(|cache| cache.path().to_path_buf()),
            group: groups.as_ref().ok().map(|groups| groups.folder().to_path_buf()),
            module: payload.kernel.clone(),
            preload: options.preload.clone(),
        };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(start)?;
        ours.set_nonblocking(true).map_err(start)?;
        let mut process = Command::new(&payload.supervisor)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        let complaints = Complaints::listen(process.stderr.take());
        let mut control = UnixStream::from_std(ours).map_err(start)?;
        let warm = tokio::time::timeout(WARM_UP, warm_up(&mut control, &launch)).await;
        let warm = match warm {
            Ok(Ok(Warm::Ready(report))) => report,
            Ok(Ok(Warm::NotConfined(reason))) => return Err(not_confined(tier, reason)),
            Ok(Ok(Warm::Failed(reason))) => return Err(InterpreterError::Start(reason)),
            Ok(Err(error)) => {
                drop(process.wait().await);
                return Err(InterpreterError::Start(complaints.or(&error.to_string())));
            }
            Err(_) => return Err(InterpreterError::Start(format!("not warm within {} seconds", WARM_UP.as_secs()))),
        };
        let fork = Fork {
            tier,
            workspace: PathBuf::from(WORKSPACE),
            visible,
            limits: options.limits.clone(),
            network: options.network,
            has_group: groups.is_ok(),
            group_bounds_processes: false,
        };
        let python = python.program.clone();
        let control = control.into();
        Ok(Self { control, _process: process, complaints, warm, fork, payload, python, _cache: cache, groups })
    }

    /// Why sessions have no control groups, if they have none.
    pub(crate) fn without_groups(&self) -> Option<&str> {
        self.groups.as_ref().err().map(String::as_str)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.fork.limits
    }

    pub(crate) fn warm(&self) -> &WarmReport {
        &self.warm
    }

    /// Forks a session, and waits until it is ready.
    pub(crate) async fn open(&self) -> Result<Opened, InterpreterError> {
        let mut fork = self.fork.clone();
        let folder = if fork.tier == Tier::Namespaces { None } else { Some(folder(fork.tier).map_err(start)?) };
        if let Some(folder) = &folder {
            fork.workspace = folder.path().to_path_buf();
        }
        let group = self.groups.as_ref().ok().map(|groups| groups.session(&fork.limits)).transpose().map_err(start)?;
        fork.group_bounds_processes = group.as_ref().is_some_and(SessionGroup::bounds_processes);
        let entrance = group.as_ref().map(SessionGroup::entrance).transpose().map_err(start)?;
        let (ours, theirs) = UnixStream::pair().map_err(start)?;
        self.request(&fork, [theirs.as_fd()].into_iter().chain(entrance.as_ref().map(AsFd::as_fd)).collect())
            .await
            .map_err(|error| InterpreterError::Start(self.complaints.or(&error.to_string())))?;
        drop(theirs);
        let mut conversation = Conversation::new(ours);
        match conversation.event_within(OPENING).await {
            Ok(Event::Hello { version: VERSION }) => {
                Ok(Opened { conversation, _folder: folder, group, counted: Counts::default() })
            }
            Ok(Event::NotConfined { message }) => Err(not_confined(fork.tier, message)),
            Ok(_) => Err(InterpreterError::Start("the supervisor is of another version".into())),
            Err(reason) => Err(InterpreterError::Start(reason)),
        }
    }

    async fn request(&self, fork: &Fork, descriptors: Vec<BorrowedFd<'_>>) -> io::Result<()> {
        let frame = json(fork).map_err(io::Error::other)?;
        let mut control = self.control.lock().await;
        let sent = control.async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            Ok(sendmsg(&*control, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL)?)
        });
        let sent = sent.await?;
        // The descriptors have gone with the first byte; the rest is plain.
        control.write_all(&frame[sent..]).await
    }

    /// What a session finds that it can do: as remembered, unless it is to be `anew`, else by a test.
    pub(crate) async fn verdicts(&self, anew: bool) -> Result<Vec<Verdict>, InterpreterError> {
        let memory = Memory::new(&self.payload, &self.python, &self.fork);
        if let (false, Some(verdicts)) = (anew, memory.recall()) {
            return Ok(verdicts);
        }
        let verdicts = self.self_test().await?;
        if !verdicts.iter().any(is_hole) {
            memory.keep(&verdicts);
        }
        Ok(verdicts)
    }

    async fn self_test(&self) -> Result<Vec<Verdict>, InterpreterError> {
        let targets = Targets::set_up().map_err(start)?;
        let mut opened = self.open().await?;
        let mut test = targets.test();
        if let Some(group) = &opened.group {
            group.limit_memory(TESTED_MEMORY).map_err(start)?;
            test.memory_bytes = Some(2 * TESTED_MEMORY);
        }
        let asked = opened.conversation.ask(&Request::SelfTest { id: 1, test }).await;
        asked.map_err(InterpreterError::Start)?;
        let said = opened.conversation.event_within(OPENING).await;
        opened.close().await;
        match said {
            Ok(Event::Tested { verdicts, .. }) => Ok(targets.confirm(verdicts)),
            Ok(_) => Err(InterpreterError::Start("the self-test was not answered".into())),
            Err(reason) => Err(InterpreterError::Start(format!("the self-test failed: {reason}"))),
        }
    }
}

impl fmt::Debug for Launcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Launcher").field("warm", &self.warm).field("fork", &self.fork).finish_non_exhaustive()
    }
}

fn start(error: io::Error) -> InterpreterError {
    InterpreterError::Start(error.to_string())
}

/// A step of locking in was refused. Where nothing is locked in but limits set, there is nothing less to allow.
fn not_confined(tier: Tier, reason: String) -> InterpreterError {
    match tier {
        Tier::Namespaces | Tier::Landlock => InterpreterError::NotConfined(reason),
        Tier::Off => InterpreterError::Start(reason),
    }
}

async fn warm_up(control: &mut UnixStream, launch: &Launch) -> io::Result<Warm> {
    let frame = json(launch).map_err(io::Error::other)?;
    control.write_all(&frame).await?;
    let mut decoder = Decoder::default();
    loop {
        if let Some(frame) = decoder.frame().map_err(io::Error::other)? {
            return parse(&frame).map_err(io::Error::other);
        }
        let mut piece = vec![0; decoder.missing().min(65536)];
        let length = control.read(&mut piece).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        decoder.push(&piece[..length]);
    }
}

/// The whole environment of Python: nothing of the host's.
fn environment(python: &Path, cache: &Path) -> Vec<(String, String)> {
    let programs = python.parent().unwrap_or(Path::new("/usr/bin")).display();
    [
        ("PATH", format!("{programs}:/usr/local/bin:/usr/bin:/bin")),
        ("HOME", WORKSPACE.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("MPLBACKEND", "agg".to_owned()),
        ("MPLCONFIGDIR", cache.display().to_string()),
        ("OMP_NUM_THREADS", "2".to_owned()),
        ("OPENBLAS_NUM_THREADS", "2".to_owned()),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
        ("PIP_NO_INDEX", "1".to_owned()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// A folder for a sandbox that sees the host's file system, and for nobody else.
fn folder(tier: Tier) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(&format!("qianshou-{}-", std::process::id())).tempdir()?;
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
    if tier == Tier::Landlock && rustix::process::geteuid().is_root() {
        chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
    }
    Ok(folder)
}

/// The last words on the launcher's standard error.
#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<Vec<u8>>>);

impl Complaints {
    const KEPT: usize = 4096;

    fn listen(stderr: Option<ChildStderr>) -> Self {
        let complaints = Self::default();
        let kept = complaints.clone();
        tokio::spawn(async move {
            let Some(mut stderr) = stderr else { return };
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut piece).await {
                let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&piece[..length]);
                let excess = kept.len().saturating_sub(Self::KEPT);
                kept.drain(..excess);
            }
        });
        complaints
    }

    /// What was said, or `otherwise` if nothing was.
    fn or(&self, otherwise: &str) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&kept).trim().to_owned();
        if said.is_empty() { otherwise.to_owned() } else { said }
    }
}
