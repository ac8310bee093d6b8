//! `qianshou python`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use qianshou::interpreter::{Cell, Interpreter, InterpreterBuilder, Isolation, Output, Session, State, Status, Stream};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::lines::Lines;

/// The largest file that is taken out of a session.
const LARGEST: u64 = 64 << 20;

/// Which Python runs code, and how it is locked in.
#[derive(Debug, Args)]
pub(super) struct PythonOptions {
    /// The Python to use; by default that of VIRTUAL_ENV, else of `qianshou setup`, else `python3`.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// How much isolation to insist on.
    #[arg(long, value_enum, default_value_t)]
    isolation: IsolationOption,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum IsolationOption {
    /// Files, network, processes and system calls shut off, or no Python.
    #[default]
    Required,
    /// As much as this machine can; for code that you trust.
    BestEffort,
    /// None; for code that you trust.
    Off,
}

impl PythonOptions {
    /// Whether a certain Python was asked for.
    pub(super) fn is_chosen(&self) -> bool {
        self.python.is_some()
    }

    /// Starts Python; cells may take `time`.
    pub(super) async fn start(&self, time: Option<u64>) -> Result<Interpreter, Failure> {
        let builder = self.builder();
        build(match time {
            Some(seconds) => builder.cell_time(Duration::from_secs(seconds)),
            None => builder,
        })
        .await
    }

    /// Starts Python and tries its isolation out, whatever was found before.
    pub(super) async fn start_verified(&self) -> Result<Interpreter, Failure> {
        build(self.builder().verify_anew()).await
    }

    fn builder(&self) -> InterpreterBuilder {
        let builder = Interpreter::builder().isolation(match self.isolation {
            IsolationOption::Required => Isolation::Required,
            IsolationOption::BestEffort => Isolation::BestEffort,
            IsolationOption::Off => Isolation::Off,
        });
        match &self.python {
            Some(program) => builder.python(program),
            None => builder,
        }
    }
}

async fn build(builder: InterpreterBuilder) -> Result<Interpreter, Failure> {
    let hint = "`qianshou doctor` tells what this machine can isolate and how to get the rest";
    builder.build().await.map_err(|error| Failure::new(&error, Some(hint)))
}

/// Run Python code in the sandbox: a piece, a file, or line by line.
#[derive(Debug, Args)]
pub(super) struct Python {
    /// A file with code; `-` is stdin.
    file: Option<PathBuf>,
    /// Code to run.
    #[arg(short, value_name = "CODE", conflicts_with = "file")]
    code: Option<String>,
    /// Seconds that a cell may take.
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
    /// Keep figures, and files that the code writes, in this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: PythonOptions,
}

impl Python {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let code = self.code()?;
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder).map_err(|error| cannot_keep(folder, &error))?;
        }
        let interpreter = self.options.start(self.time).await?;
        let session = interpreter.session().await.map_err(|error| Failure::new(&error, None))?;
        let mut shown = Shown { session, out: self.out, figures: 0 };
        if let Some(code) = code {
            return Ok(if shown.run(&code).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let mut lines = Lines::open(">>> ")?;
        if lines.at_terminal {
            let version = &interpreter.python().python.version;
            writeln!(
                anstream::stderr(),
                "Python {version} in the sandbox. A line that ends with \\ goes on in the next; Ctrl-D leaves."
            )?;
        }
        loop {
            let code;
            (lines, code) = lines.next().await?;
            match code {
                None => return Ok(ExitCode::SUCCESS),
                Some(code) if code.trim().is_empty() => {}
                Some(code) => {
                    shown.run(&code).await?;
                }
            }
        }
    }

    fn code(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.file else {
            return Ok(self.code.clone());
        };
        let mut code = String::new();
        let read = if file.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut code).map(|_| code)
        } else {
            std::fs::read_to_string(file)
        };
        read.map(Some).map_err(|error| Failure::message(format!("cannot read {}: {error}", file.display()), None))
    }
}

/// A session whose cells are shown as a notebook shows them.
struct Shown {
    session: Session,
    out: Option<PathBuf>,
    figures: usize,
}

impl Shown {
    /// Runs a cell; whether it came to its end. Ctrl-C interrupts it.
    async fn run(&mut self, code: &str) -> Result<bool, Failure> {
        let cancellation = CancellationToken::new();
        let interrupt = tokio::spawn({
            let cancellation = cancellation.clone();
            async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    cancellation.cancel();
                }
            }
        });
        // The first fault of a pipe that nobody reads any more ends the program, once the cell has ended.
        let mut written = Ok(());
        let show = |output: Output| {
            if written.is_ok() {
                written = show_output(&output);
            }
        };
        let cell = self.session.execute_streaming(code, &cancellation, show).await;
        interrupt.abort();
        let cell = cell.map_err(|error| Failure::new(&error, None))?;
        written?;
        self.show(&cell).await?;
        Ok(matches!(cell.status, Status::Ok | Status::Exited(0)))
    }

    /// What there is to tell of a cell beside what it printed.
    async fn show(&mut self, cell: &Cell) -> Result<(), Failure> {
        let (mut stdout, mut stderr) = (anstream::stdout(), anstream::stderr());
        let red = anstyle::AnsiColor::Red.on_default();
        if let Some(value) = cell.value_text() {
            writeln!(stdout, "{value}")?;
        }
        if let Some(error) = &cell.error {
            writeln!(stderr, "{red}{}{red:#}", error.traceback.trim_end())?;
            if let Some(hint) = &error.hint {
                writeln!(stderr, "{hint}")?;
            }
        }
        match cell.status {
            Status::Ok | Status::Error | Status::Exited(_) => {}
            Status::Interrupted => writeln!(stderr, "interrupted")?,
            Status::TimedOut => writeln!(stderr, "{red}stopped after {} s{red:#}", cell.duration.as_secs())?,
            Status::OutOfMemory => writeln!(stderr, "{red}stopped: it took too much memory{red:#}")?,
            Status::OutputLimit => writeln!(stderr, "{red}stopped: it printed too much{red:#}")?,
            other => writeln!(stderr, "{red}Python died: {other:?}{red:#}")?,
        }
        match cell.state {
            // A note says which state it is.
            State::Kept | State::Earlier { .. } => {}
            State::Restored => writeln!(stderr, "variables are as they were before")?,
            State::Lost => writeln!(stderr, "all variables are lost")?,
        }
        for note in &cell.notes {
            writeln!(stderr, "{note}")?;
        }
        self.keep(cell).await
    }

    /// Tells of figures and files, and writes them to `--out`.
    async fn keep(&mut self, cell: &Cell) -> Result<(), Failure> {
        let mut stderr = anstream::stderr();
        for image in &cell.images {
            self.figures += 1;
            let kind = image.mime.strip_prefix("image/").unwrap_or("png");
            let name = format!("fig-{:03}.{kind}", self.figures);
            match &self.out {
                None => writeln!(stderr, "[figure {name}; --out FOLDER keeps it]")?,
                Some(folder) => write_new(&folder.join(name), &image.bytes)?,
            }
        }
        for file in &cell.files {
            match &self.out {
                None => writeln!(stderr, "[file {}, {} bytes; --out FOLDER keeps it]", file.path, file.bytes)?,
                Some(folder) => {
                    let content = self.session.get_file(&file.path, LARGEST).await;
                    let content = content.map_err(|error| Failure::new(&error, None))?;
                    // Of the path that the code chose only the name counts: it cannot lead out of the folder.
                    let name = Path::new(&file.path).file_name().unwrap_or("file".as_ref());
                    write_new(&folder.join(name), &content)?;
                }
            }
        }
        Ok(())
    }
}

fn show_output(output: &Output) -> std::io::Result<()> {
    let text = output.text.as_bytes();
    match output.stream {
        Stream::Stdout => {
            let mut stdout = anstream::stdout();
            stdout.write_all(text)?;
            // A line that has only begun is shown as well.
            stdout.flush()
        }
        Stream::Stderr => anstream::stderr().write_all(text),
    }
}

/// Writes a file in place of nothing or of an earlier file of that name, never through a link.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder)?;
        std::fs::write(file.path(), content)?;
        file.persist(path).map_err(|error| error.error).map(drop)
    };
    write().map_err(|error| cannot_keep(path, &error))?;
    writeln!(anstream::stderr(), "[{}]", path.display())?;
    Ok(())
}

fn cannot_keep(path: &Path, error: &std::io::Error) -> Failure {
    Failure::message(format!("cannot write {}: {error}", path.display()), Some("name another folder with --out"))
}
