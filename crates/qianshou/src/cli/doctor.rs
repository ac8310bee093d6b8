//! `qianshou doctor`: what works on this machine, what does not, and how to mend it.

use std::io::Write as _;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::Args;
use qianshou::interpreter::LayerState;
use qianshou::model::{ComputeDevice, DeviceChoice};

use super::failure::Failure;
use super::python::PythonOptions;

/// Tell what works on this machine, what does not, and how to mend it; exit code 1 when something is missing.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    python: PythonOptions,
}

/// Why nothing runs on a GPU.
const NO_GPU: &str = if cfg!(feature = "wgpu") {
    "no GPU that Vulkan, Metal or DirectX reaches"
} else {
    "this build has no GPU support: build with `--features wgpu` for it"
};

/// Where keys of remote models are looked for.
const KEYS: [&str; 3] = ["QIANSHOU_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_API_KEY"];

impl Doctor {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let mut report = Report { complete: true };
        let device = ComputeDevice::open(DeviceChoice::Auto)?;
        if device.is_cpu() {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            report.good("device", &format!("the CPU, {cores} cores; {NO_GPU}"))?;
        } else {
            report.good("device", device.name())?;
        }
        let keys: Vec<&str> = KEYS.into_iter().filter(|key| is_set(key)).collect();
        match keys.as_slice() {
            [] => report.good("keys", &format!("none; remote models take theirs from {}", KEYS.join(", ")))?,
            keys => report.good("keys", &keys.join(", "))?,
        }
        match self.python.start_verified().await {
            Err(failure) => {
                let mend = "code cannot be run; docs/sandbox.md says what it takes, `qianshou setup` makes a Python environment";
                report.bad("python", &failure.to_string(), mend)?;
            }
            Ok(interpreter) => {
                let warm = interpreter.python();
                report.good("python", &format!("{}, {}", warm.python.version, warm.python.executable))?;
                let imported: Vec<&str> = warm.imported.iter().map(|module| module.name.as_str()).collect();
                if warm.missing.is_empty() && warm.failed.is_empty() {
                    report.good("packages", &imported.join(", "))?;
                } else {
                    let lacking = [warm.missing.as_slice(), warm.failed.as_slice()].concat().join(", ");
                    let mend =
                        "`qianshou setup` makes an environment that has them; or name another Python with `--python`";
                    report.bad("packages", &format!("without {lacking}"), mend)?;
                }
                match &warm.cjk_font {
                    Some(font) => report.good("fonts", &format!("Chinese text in plots: {font}"))?,
                    None => report.bad(
                        "fonts",
                        "none for Chinese text in plots",
                        "install one (Debian, Ubuntu: `apt-get install fonts-noto-cjk`)",
                    )?,
                }
                let isolation = interpreter.isolation_report();
                for layer in &isolation.layers {
                    match &layer.state {
                        LayerState::Enforced => report.good("isolation", layer.name)?,
                        LayerState::Partial(how) => {
                            report.good("isolation", &format!("{}: partly, {how}", layer.name))?
                        }
                        _ => {
                            report.bad("isolation", &format!("{}: not in force", layer.name), "see docs/sandbox.md")?
                        }
                    }
                }
                let (namespaces, landlock) = ways_to_isolate();
                for refused in &isolation.refused {
                    let mend = if refused.starts_with("Namespaces") { namespaces } else { landlock };
                    report.bad("isolation", refused, mend)?;
                }
            }
        }
        Ok(if report.complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether there may be a key in a variable: one that is empty counts as not set.
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|key| !key.to_string_lossy().trim().is_empty())
}

/// How to get namespaces, and how to get Landlock.
fn ways_to_isolate() -> (&'static str, &'static str) {
    (
        "let users make namespaces: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, \
         kernel.apparmor_restrict_unprivileged_userns=0; in a container, a seccomp profile that allows them",
        "needs Linux 5.13 or newer with `landlock` in the list of security modules (the boot option lsm=)",
    )
}

/// A line for each thing that was looked at, on stdout.
struct Report {
    complete: bool,
}

impl Report {
    fn good(&mut self, what: &str, found: &str) -> Result<(), Failure> {
        let green = AnsiColor::Green.on_default();
        Ok(writeln!(anstream::stdout(), "{green}ok{green:#}       {what:<10} {found}")?)
    }

    fn bad(&mut self, what: &str, found: &str, mend: &str) -> Result<(), Failure> {
        self.complete = false;
        let yellow = AnsiColor::Yellow.on_default();
        let mut stdout = anstream::stdout();
        writeln!(stdout, "{yellow}missing{yellow:#}  {what:<10} {found}")?;
        Ok(writeln!(stdout, "                    {mend}")?)
    }
}
