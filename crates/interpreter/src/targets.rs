//! What a self-test aims at: things of the host, made for the test and for nothing else.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command, Stdio};

use qianshou_interpreter_protocol::{SelfTest, Verdict};
use tempfile::TempDir;

const SECRET: &str = "only the host may read this";

pub(crate) struct Targets {
    folder: TempDir,
    tcp: TcpListener,
    unix: [UnixListener; 2],
    process: Child,
    test: SelfTest,
}

impl Targets {
    pub(crate) fn set_up() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("qianshou-").tempdir()?;
        let file = folder.path().join("secret");
        fs::write(&file, SECRET)?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        tcp.set_nonblocking(true)?;
        let abstract_name = format!("qianshou-{}", folder.path().display());
        let socket = folder.path().join("socket");
        let unix =
            [UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?, UnixListener::bind(&socket)?];
        unix.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        // It waits for its input to close, which it does when this is dropped.
        let process = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).env_clear().spawn()?;
        let test = SelfTest {
            file: file.display().to_string(),
            folder: folder.path().display().to_string(),
            port: tcp.local_addr()?.port(),
            socket: socket.display().to_string(),
            abstract_name,
            process: process.id().cast_signed(),
            memory_bytes: None,
        };
        Ok(Self { folder, tcp, unix, process, test })
    }

    pub(crate) fn test(&self) -> SelfTest {
        self.test.clone()
    }

    /// Adds what is seen from outside to what the inside says.
    pub(crate) fn confirm(mut self, mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
        let nobody_came = |error: Option<io::Error>| error.is_some_and(|error| error.kind() == ErrorKind::WouldBlock);
        let unchanged = fs::read_to_string(&self.test.file).is_ok_and(|text| text == SECRET)
            && fs::read_dir(self.folder.path()).is_ok_and(|entries| entries.count() == 2);
        let findings = [
            ("files: the host's folder is unchanged", unchanged),
            ("network: nobody reached the host's port", nobody_came(self.tcp.accept().err())),
            (
                "network: nobody reached the host's sockets",
                self.unix.iter().all(|listener| nobody_came(listener.accept().err())),
            ),
            ("signals: the host's process lives", matches!(self.process.try_wait(), Ok(None))),
        ];
        verdicts.extend(findings.map(|(attempt, stopped)| Verdict {
            attempt: attempt.to_owned(),
            stopped,
            how: "seen from outside".to_owned(),
        }));
        verdicts
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
