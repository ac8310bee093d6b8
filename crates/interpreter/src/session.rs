//! A session: cells one after another, over one set of variables.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use qianshou_interpreter_protocol::{Bundle, Completion, Event, Limits, MAX_BYTES, Request, State, weight};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::cell::Cell;
use crate::conversation::{Broken, Conversation};
use crate::error::{ExecuteError, InterpreterError};
use crate::launcher::{Launcher, Opened};
use crate::streaming::{Outlet, Output, WAITING};

/// How much longer than its limits a cell may take before its supervisor is given up: it may have to end many
/// processes and to wake another one.
const MARGIN: Duration = Duration::from_secs(120);

/// How long a file may take.
const FILE_TIME: Duration = Duration::from_secs(60);

/// The longest cell, in bytes.
const LONGEST: usize = MAX_BYTES;

/// Cells one after another, over one set of variables. It ends when this is dropped.
///
/// Requests are served in the order in which they are made. A request whose future is dropped is
/// interrupted, and the next one waits until it has stopped.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
}

#[derive(Debug)]
enum Command {
    Execute { code: String, cancel: CancellationToken, output: Option<Outlet>, reply: Reply<Cell> },
    Put { path: String, content: Vec<u8>, reply: Reply<()> },
    Get { path: String, most: u64, reply: Reply<Vec<u8>> },
    Close(oneshot::Sender<()>),
}

type Reply<T> = oneshot::Sender<Result<T, ExecuteError>>;

impl Session {
    pub(crate) async fn start(launcher: Arc<Launcher>) -> Result<Self, InterpreterError> {
        let opened = launcher.open().await?;
        let (commands, received) = mpsc::channel(1);
        let worker = Worker { launcher, opened: Some(opened), lost: None, requests: 0 };
        tokio::spawn(worker.run(received));
        Ok(Self { commands })
    }

    /// Runs a cell.
    ///
    /// # Errors
    /// [`ExecuteError`] when there is no result. Whatever the code does wrong is in the [`Cell`].
    pub async fn execute(&self, code: impl Into<String>) -> Result<Cell, ExecuteError> {
        self.execute_until(code, &CancellationToken::new()).await
    }

    /// Runs a cell and interrupts it when `cancel` says so; it then ends as
    /// [`Status::Interrupted`](crate::Status::Interrupted).
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn execute_until(
        &self,
        code: impl Into<String>,
        cancel: &CancellationToken,
    ) -> Result<Cell, ExecuteError> {
        self.command(code.into(), cancel, None).await
    }

    /// Runs a cell as [`execute_until`](Self::execute_until) does, and hands what it prints to `on_output` as it comes,
    /// a few pieces a second. They are in the [`Cell`] as well.
    ///
    /// ```no_run
    /// # async fn example(session: qianshou_interpreter::Session) -> Result<(), Box<dyn std::error::Error>> {
    /// let code = "import time\nfor step in range(3):\n    print(step)\n    time.sleep(1)";
    /// let show = |output: qianshou_interpreter::Output| eprint!("{}", output.text);
    /// let cell = session.execute_streaming(code, &Default::default(), show).await?;
    /// assert_eq!(cell.stdout, "0\n1\n2\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn execute_streaming(
        &self,
        code: impl Into<String>,
        cancel: &CancellationToken,
        mut on_output: impl FnMut(Output),
    ) -> Result<Cell, ExecuteError> {
        let (outlet, mut pieces) = mpsc::channel(WAITING);
        let cell = self.command(code.into(), cancel, Some(Outlet::new(outlet)));
        tokio::pin!(cell);
        let cell = loop {
            tokio::select! {
                Some(piece) = pieces.recv() => on_output(piece),
                cell = &mut cell => break cell,
            }
        };
        while let Ok(piece) = pieces.try_recv() {
            on_output(piece);
        }
        cell
    }

    /// Writes a file into the workspace, in place of one of the same name. `path` is relative to it.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] when the path leads out or the workspace is full.
    pub async fn put_file(&self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> Result<(), ExecuteError> {
        let (path, content) = (path.as_ref().to_string_lossy().into_owned(), content.into());
        self.request(|reply| Command::Put { path, content, reply }).await
    }

    /// Reads a file of the workspace, of at most `most` bytes.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] when it is no regular file of the workspace, or larger.
    pub async fn get_file(&self, path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>, ExecuteError> {
        let path = path.as_ref().to_string_lossy().into_owned();
        self.request(|reply| Command::Get { path, most, reply }).await
    }

    /// Ends the session and waits until all of its processes have ended. Dropping it ends it too, a moment later.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).await.is_ok() {
            // An error means that it is closed already.
            drop(closed.await);
        }
    }

    async fn command(
        &self,
        code: String,
        cancel: &CancellationToken,
        output: Option<Outlet>,
    ) -> Result<Cell, ExecuteError> {
        if code.len() > LONGEST {
            return Err(ExecuteError::TooLong { bytes: code.len(), most: LONGEST });
        }
        let cancel = cancel.clone();
        self.request(|reply| Command::Execute { code, cancel, output, reply }).await
    }

    async fn request<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, ExecuteError> {
        let (reply, answer) = oneshot::channel();
        let gone = || ExecuteError::Ended("the runtime that it ran on has stopped".into());
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The task behind a session, which alone has its socket.
struct Worker {
    launcher: Arc<Launcher>,
    opened: Option<Opened>,
    /// Why the session before this one was lost, until a cell has told.
    lost: Option<String>,
    requests: u64,
}

impl Worker {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.recv().await {
            // Nobody may be waiting any more; that is theirs to decide.
            match command {
                Command::Execute { code, cancel, output, mut reply } => {
                    let cell = self.execute(code, &cancel, output, &mut reply).await;
                    drop(reply.send(cell));
                }
                Command::Put { path, content, reply } => drop(reply.send(self.put(path, &content).await)),
                Command::Get { path, most, reply } => drop(reply.send(self.get(path, most).await)),
                Command::Close(done) => {
                    self.close().await;
                    let _ = done.send(());
                }
            }
        }
        self.close().await;
    }

    async fn close(&mut self) {
        if let Some(opened) = self.opened.take() {
            opened.close().await;
        }
    }

    /// The session, and the id of a request to it; a new session if the last one is lost.
    async fn open(&mut self) -> Result<(&mut Opened, u64), ExecuteError> {
        self.requests += 1;
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => self.launcher.open().await.map_err(ExecuteError::Restart)?,
        };
        Ok((self.opened.insert(opened), self.requests))
    }

    fn end(&mut self, reason: Broken) -> ExecuteError {
        // Nothing more is heard of it; its processes end meanwhile.
        if let Some(opened) = self.opened.take() {
            tokio::spawn(opened.close());
        }
        self.lost = Some(reason.clone());
        ExecuteError::Ended(reason)
    }

    async fn execute(
        &mut self,
        code: String,
        cancel: &CancellationToken,
        output: Option<Outlet>,
        reply: &mut Reply<Cell>,
    ) -> Result<Cell, ExecuteError> {
        self.notice_end().await;
        let limits = self.launcher.limits().clone();
        let (opened, id) = self.open().await?;
        opened.count();
        let request = Request::Execute { id, code, streams: output.is_some() };
        match converse(&mut opened.conversation, id, &request, output, &limits, cancel, reply).await {
            Ok((mut completion, displays)) => {
                opened.add_counts(&mut completion);
                completion.notes.extend(
                    self.lost
                        .take()
                        .map(|reason| format!("The session before was lost, with its variables and files: {reason}")),
                );
                if completion.state == State::Lost {
                    // Its supervisor has nothing left to supervise, and ends.
                    self.end("its last cell ended everything".into());
                }
                Ok(Cell::new(completion, displays))
            }
            Err(reason) => Err(self.end(reason)),
        }
    }

    /// Sees whether the session ended since the last request; if so, the next one starts anew.
    async fn notice_end(&mut self) {
        let Some(opened) = &mut self.opened else { return };
        // The runtime looks at its sockets between the two looks at this one. A timer would take a millisecond.
        let said = tokio::select! {
            biased;
            said = opened.conversation.event() => said,
            () = tokio::task::yield_now() => return,
        };
        let reason = said.map_or_else(|reason| reason, |_| "it spoke out of turn".into());
        drop(self.end(reason));
    }

    async fn put(&mut self, path: String, content: &[u8]) -> Result<(), ExecuteError> {
        self.notice_end().await;
        let (Opened { conversation, .. }, id) = self.open().await?;
        let stored = async {
            conversation.ask(&Request::Put { id, path, bytes: content.len() as u64 }).await?;
            conversation.give(content).await?;
            conversation.event_within(FILE_TIME).await
        };
        match stored.await {
            Ok(Event::Stored { id: answered }) if answered == id => Ok(()),
            Ok(Event::Refused { id: answered, message }) if answered == id => Err(ExecuteError::Refused(message)),
            Ok(_) => Err(self.end("it answered something else".into())),
            Err(reason) => Err(self.end(reason)),
        }
    }

    async fn get(&mut self, path: String, most: u64) -> Result<Vec<u8>, ExecuteError> {
        self.notice_end().await;
        let (Opened { conversation, .. }, id) = self.open().await?;
        let read = async {
            conversation.ask(&Request::Get { id, path, most }).await?;
            match conversation.event_within(FILE_TIME).await? {
                Event::Content { id: answered, bytes } if answered == id && bytes <= most => {
                    conversation.content(bytes).await.map(Ok)
                }
                Event::Refused { id: answered, message } if answered == id => Ok(Err(message)),
                _ => Err("it answered something else".into()),
            }
        };
        match read.await {
            Ok(content) => content.map_err(ExecuteError::Refused),
            Err(reason) => Err(self.end(reason)),
        }
    }
}

/// Has a cell run, and listens until it is done.
async fn converse(
    conversation: &mut Conversation,
    id: u64,
    request: &Request,
    mut output: Option<Outlet>,
    limits: &Limits,
    cancel: &CancellationToken,
    reply: &mut Reply<Cell>,
) -> Result<(Completion, Vec<Bundle>), Broken> {
    conversation.ask(request).await?;
    let patience = Duration::from_millis(limits.cell_milliseconds.saturating_add(limits.grace_milliseconds));
    let overdue = tokio::time::sleep(patience.saturating_add(MARGIN));
    tokio::pin!(overdue);
    let (mut interrupted, mut displays, mut displayed) = (false, Vec::new(), 0);
    loop {
        let event = tokio::select! {
            event = conversation.event() => event?,
            () = &mut overdue => return Err("its supervisor does not keep time".into()),
            () = async { tokio::select! { () = cancel.cancelled() => {}, () = reply.closed() => {} } }, if !interrupted => {
                interrupted = true;
                conversation.ask(&Request::Interrupt { id }).await?;
                continue;
            }
        };
        match (event, &mut output) {
            (Event::Output { stream, text }, Some(output)) => output.pass(stream, &text, limits)?,
            (Event::Display { data }, _) => {
                displayed += weight(&data);
                if displayed > limits.display_bytes {
                    return Err("it shows more than it may".into());
                }
                displays.push(data);
            }
            (Event::Done { id: answered, completion }, _) if answered == id => {
                if let Some(output) = output {
                    output.finish();
                }
                return Ok((*completion, displays));
            }
            _ => return Err("it answered something else".into()),
        }
    }
}
