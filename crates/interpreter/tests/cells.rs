//! What a cell gives back, and what a session keeps.

#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use qianshou_interpreter::{
    Cell, Interpreter, InterpreterBuilder, InterpreterError, Isolation, Network, Output, Session, State, Status, Stream,
};
use tokio_util::sync::CancellationToken;

/// A supervisor that waits for a word, or for a process to end, waits for longer.
const STANDSTILL: Duration = Duration::from_secs(25);

fn builder() -> InterpreterBuilder {
    Interpreter::builder().preload(["json"]).cell_time(Duration::from_secs(60)).grace(Duration::from_millis(500))
}

async fn session() -> Session {
    builder().build().await.unwrap().session().await.unwrap()
}

async fn run(session: &Session, code: &str) -> Cell {
    session.execute(code).await.unwrap()
}

/// Makes a virtual environment in a folder, for every user.
fn environment(folder: &Path) -> PathBuf {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let environment = folder.join("environment");
    let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&environment).status().unwrap();
    assert!(made.success());
    environment
}

#[tokio::test]
async fn a_session_is_a_notebook() {
    let session = session().await;
    let cell = run(&session, "import sys\nx = 41\nprint('out')\nprint('err', file=sys.stderr)\nx + 1").await;
    assert_eq!((cell.status, cell.state), (Status::Ok, State::Kept));
    assert_eq!((cell.stdout.as_str(), cell.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(cell.value_text(), Some("42"));
    assert_eq!(run(&session, "x, _").await.value_text(), Some("(41, 42)"));
    assert_eq!(run(&session, "x;").await.value, None);
    assert_eq!(
        run(&session, "import asyncio\nawait asyncio.sleep(0, 'awaited')").await.value_text(),
        Some("'awaited'")
    );
    assert_eq!(run(&session, "exit(3)").await.status, Status::Exited(3));
    assert_eq!(run(&session, "x").await.value_text(), Some("41"));
}

#[tokio::test]
async fn an_exception_is_told_with_the_lines_of_the_cell() {
    let session = session().await;
    let cell = run(&session, "def half(x):\n    return x / 0\nhalf(1)").await;
    assert_eq!((cell.status, cell.state), (Status::Error, State::Kept));
    let error = cell.error.unwrap();
    assert_eq!((error.name.as_str(), error.message.as_str()), ("ZeroDivisionError", "division by zero"));
    assert!(error.traceback.contains("File \"<cell 1>\", line 2, in half\n    return x / 0"), "{}", error.traceback);
    assert!(!error.traceback.contains("qianshou"), "{}", error.traceback);
}

#[tokio::test]
async fn where_memory_runs_out_the_cell_goes_before_the_copy() {
    let session = session().await;
    // Supervisor and copy; that the copy is frozen may be heard of while the cell runs.
    let code = "import os\n\
                def score(process):\n    return int(open(f'/proc/{process}/oom_score_adj').read())\n\
                own = score('self')\n\
                while sum(score(name) < own for name in os.listdir('/proc') if name.isdigit()) != 2:\n    pass\n\
                own";
    for code in [code, "os._exit(1)", code] {
        let cell = run(&session, code).await;
        assert!(cell.status == Status::Vanished(1) || cell.value_text() == Some("1000"), "{cell:?}");
    }
}

#[tokio::test]
async fn files_go_in_and_out() {
    let session = session().await;
    session.put_file("data/in.txt", "from the host").await.unwrap();
    let cell = run(&session, "text = open('data/in.txt').read()\nopen('out.txt', 'w').write(text.upper())").await;
    let files: Vec<_> = cell.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    assert_eq!(files, [("out.txt", 13)]);
    assert_eq!(session.get_file("out.txt", 13).await.unwrap(), b"FROM THE HOST");
    assert!(session.get_file("out.txt", 12).await.is_err());
    let large = vec![7; 3 << 20];
    session.put_file("large", large.clone()).await.unwrap();
    assert_eq!(session.get_file("large", 4 << 20).await.unwrap(), large);
    run(&session, "import os\nos.symlink('/etc/passwd', 'link')\nos.symlink('/', 'folder')").await;
    for path in ["link", "folder/etc/passwd", "../etc/passwd", "/etc/passwd", "absent", "."] {
        assert!(session.get_file(path, 1 << 20).await.is_err(), "{path}");
    }
    assert!(session.put_file("../outside", "").await.is_err());
    assert!(session.put_file("folder/tmp/outside", "").await.is_err());
    assert_eq!(run(&session, "1 + 1").await.value_text(), Some("2"));
}

#[tokio::test]
async fn images_are_decoded() {
    let session = session().await;
    let cell = run(
        &session,
        "import struct\nclass Picture:\n    def __init__(self, side):\n        self.side = side\n    def _repr_png_(self):\n        \
         header = struct.pack('>II', self.side, self.side)\n        \
         return b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\x0dIHDR' + header + bytes(8)\n\
         for side in (100_000, 100, 0):\n    display(Picture(side))",
    )
    .await;
    assert_eq!(cell.images.len(), 1, "{cell:?}");
    assert_eq!(cell.images[0].mime, "image/png");
    assert!(cell.images[0].bytes.starts_with(b"\x89PNG"));
    assert!(cell.notes.iter().any(|note| note.starts_with("2 images were left out")), "{:?}", cell.notes);
}

#[tokio::test]
async fn a_cell_out_of_time_is_interrupted_and_keeps_its_state() {
    let session = builder().cell_time(Duration::from_secs(2)).build().await.unwrap().session().await.unwrap();
    let cell = run(&session, "x = 1\nwhile True:\n    pass").await;
    assert_eq!((cell.status, cell.state), (Status::TimedOut, State::Kept));
    assert_eq!(run(&session, "x").await.value_text(), Some("1"));
}

/// A dead process that its own parent does not ask about is nothing to wait for.
#[tokio::test]
async fn a_cell_out_of_time_ends_without_the_children_that_it_forgot() {
    let session = builder().cell_time(Duration::from_secs(2)).build().await.unwrap().session().await.unwrap();
    let begun = Instant::now();
    let cell =
        run(&session, "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nwhile True:\n    pass").await;
    assert_eq!((cell.status, cell.state), (Status::TimedOut, State::Kept));
    assert!(begun.elapsed() < STANDSTILL, "{:?}", begun.elapsed());
    assert_eq!(run(&session, "child.wait()").await.value_text(), Some("-9"));
}

/// It takes the message that asks for a copy, too, and leaves it unanswered.
#[tokio::test]
async fn a_cell_that_says_it_is_done_and_runs_on_does_not_stop_the_clock() {
    let session = builder().cell_time(Duration::from_secs(2)).build().await.unwrap().session().await.unwrap();
    let code = "import json, os, signal, socket, struct\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n\
                channel = socket.socket(fileno=os.dup(3))\n\
                def done(number):\n    \
                outcome = {'status': 'ok', 'value': None, 'error': None, 'exit_code': None, 'notes': []}\n    \
                message = json.dumps({'done': {'number': number, 'outcome': outcome}}).encode()\n    \
                channel.sendall(struct.pack('<IB', len(message), 0) + message)\n\
                done(1)\nheard, kept = b'', []\n\
                while b'\"number\":2' not in heard:\n    \
                piece, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 4)\n    \
                heard += piece\n    kept += descriptors\n\
                done(2)\nwhile True:\n    pass";
    assert_eq!(run(&session, code).await.status, Status::Ok);
    assert_eq!(run(&session, "1 + 1").await.status, Status::Ok);
    let asked = Instant::now();
    let cell = run(&session, "1 + 1").await;
    assert_eq!((cell.status, cell.state), (Status::TimedOut, State::Earlier { cell: 0 }), "{cell:?}");
    assert!(asked.elapsed() < STANDSTILL, "{:?}", asked.elapsed());
    assert_eq!(run(&session, "1 + 1").await.value_text(), Some("2"));
}

/// They go past the lock that lets one display follow the other.
#[tokio::test]
async fn threads_that_show_things_at_one_time_do_not_stop_python() {
    let code = "import sys, threading\nframe = sys._getframe()\n\
                while 'emit' not in frame.f_locals:\n    frame = frame.f_back\n\
                emit = frame.f_locals['emit']\n\
                def show():\n    for _ in range(100):\n        emit('display', {'data': {'text/plain': 'x'}})\n\
                threads = [threading.Thread(target=show) for _ in range(2)]\n\
                for thread in threads:\n    thread.start()\nfor thread in threads:\n    thread.join()";
    let cell = run(&session().await, code).await;
    assert_eq!((cell.status, cell.displays.len()), (Status::Ok, 200), "{cell:?}");
}

#[tokio::test]
async fn a_cell_that_does_not_listen_is_killed_and_undone() {
    let session = builder().cell_time(Duration::from_secs(5)).build().await.unwrap().session().await.unwrap();
    run(&session, "x = 'before'").await;
    let cell = run(&session, "x = 'after'\nsum(range(10**13))").await;
    assert_eq!((cell.status, cell.state), (Status::TimedOut, State::Restored));
    assert_eq!(run(&session, "x").await.value_text(), Some("'before'"));
    // And again, from the copy that took over.
    let cell = run(&session, "x = 'after'\nimport os\nos.abort()").await;
    assert_eq!((cell.status, cell.state), (Status::Crashed(6), State::Restored));
    let cell = run(&session, "x = 'after'\nos = __import__('os')\nos._exit(7)").await;
    assert_eq!((cell.status, cell.state), (Status::Vanished(7), State::Restored));
    assert_eq!(run(&session, "x").await.value_text(), Some("'before'"));
}

#[tokio::test]
async fn a_lost_session_is_followed_by_a_new_one() {
    let session = session().await;
    let all = "import os, signal\nfor process in range(2, 70000):\n    if process != os.getpid():\n        try:\n            \
               os.kill(process, signal.SIGKILL)\n        except OSError:\n            pass\nos._exit(0)";
    assert_eq!(run(&session, all).await.state, State::Lost);
    let cell = run(&session, "1 + 1").await;
    assert_eq!(cell.value_text(), Some("2"));
    assert!(cell.notes.iter().any(|note| note.contains("lost")), "{:?}", cell.notes);
    assert!(run(&session, "1 + 1").await.notes.is_empty());
}

#[tokio::test]
async fn what_breaks_python_itself_is_undone() {
    let session = session().await;
    run(&session, "x = 'before'").await;
    let hook = "import sys\ndef refuse(*_):\n    raise RuntimeError('refused')\nsys.addaudithook(refuse)";
    let cell = run(&session, hook).await;
    assert_eq!((cell.status, cell.state), (Status::Violation, State::Restored), "{cell:?}");
    assert!(cell.notes.iter().any(|note| note.contains("broke Python itself")), "{:?}", cell.notes);
    assert_eq!(run(&session, "x").await.value_text(), Some("'before'"));
}

/// What hooks into forks runs in a copy when it takes over, and only then.
#[tokio::test]
async fn a_restored_python_knows_that_it_was_forked() {
    let session = session().await;
    let code = "import os\nforked = []\nos.register_at_fork(after_in_child=lambda: forked.append(os.getpid()))";
    run(&session, code).await;
    assert_eq!(run(&session, "forked").await.value_text(), Some("[]"));
    assert_eq!(run(&session, "os.abort()").await.state, State::Restored);
    assert_eq!(run(&session, "forked == [os.getpid()]").await.value_text(), Some("True"));
}

/// It ends once it has made the copy that it is brought back from, whether the next cell has begun by then or not.
#[tokio::test]
async fn a_python_that_ends_between_cells_comes_back() {
    let session = session().await;
    run(&session, "x = 'before'").await;
    let code = "import os, threading\nown, end = os.getpid(), threading.Event()\n\
                os.register_at_fork(after_in_parent=lambda: os.getpid() == own and end.set())\n\
                threading.Thread(target=lambda: (end.wait(), os._exit(3))).start()\nx = 'after'";
    assert_eq!(run(&session, code).await.state, State::Kept);
    // The first Python waits for its end here; the one that took its place goes on.
    let mut next = run(&session, "os.getpid() == own and threading.Event().wait()\nx").await;
    if next.state == State::Restored {
        next = run(&session, "x").await;
    } else {
        assert!(next.notes.iter().any(|note| note.contains("Between the cells")), "{next:?}");
    }
    assert_eq!(next.value_text(), Some("'after'"), "{next:?}");
}

/// It ends while a copy is being made of it, so that of its last state there is none.
#[tokio::test]
async fn a_python_that_ends_in_the_making_of_its_copy_goes_back_further() {
    let session = session().await;
    run(&session, "x = 'first'").await;
    let code = "import os\nos.register_at_fork(before=lambda: os._exit(3))\nx = 'second'";
    assert_eq!(run(&session, code).await.state, State::Kept);
    // It may end before the next cell has begun, or with it.
    let mut next = run(&session, "x").await;
    assert!(next.notes.iter().any(|note| note.contains("as they were after cell 1")), "{next:?}");
    if next.state != State::Kept {
        assert_eq!((next.status, next.state), (Status::Vanished(3), State::Earlier { cell: 1 }));
        next = run(&session, "x").await;
    }
    assert_eq!(next.value_text(), Some("'first'"), "{next:?}");
    assert!(run(&session, "x").await.notes.is_empty());
}

/// No copy can be made of a state, so that the session has to go back to the one before; and says so.
#[tokio::test]
async fn a_state_without_a_copy_is_undone_with_the_cell_that_follows() {
    let no_process = "import threading\ntry:\n    while True:\n        \
                      threading.Thread(target=threading.Event().wait, daemon=True).start()\n\
                      except RuntimeError:\n    x = 'second'";
    let no_memory = "block = bytearray(b'x') * (200 << 20)\nx = 'second'";
    let builders = [(no_process, builder().processes(8)), (no_memory, builder().memory(256 << 20))];
    for (code, builder) in builders {
        let session = builder.build().await.unwrap().session().await.unwrap();
        run(&session, "x = 'first'").await;
        assert_eq!(run(&session, code).await.state, State::Kept, "{code}");
        assert_eq!(run(&session, "x").await.value_text(), Some("'second'"));
        let crash = run(&session, "import os\nos.abort()").await;
        assert_eq!((crash.status, crash.state), (Status::Crashed(6), State::Earlier { cell: 1 }), "{code}\n{crash:?}");
        assert!(crash.notes.iter().any(|note| note.contains("as they were after cell 1")), "{crash:?}");
        assert_eq!(run(&session, "x").await.value_text(), Some("'first'"));
        // From here on there is room again.
        let crash = run(&session, "x = 'third'\nimport os\nos.abort()").await;
        assert_eq!(crash.state, State::Restored, "{crash:?}");
    }
}

#[tokio::test]
async fn memory_is_bounded_for_all_processes_together() {
    let session = builder().memory(256 << 20).build().await.unwrap().session().await.unwrap();
    run(&session, "x = 1").await;
    let one = run(&session, "block = bytearray(1 << 30)").await;
    assert_eq!(one.error.unwrap().name, "MemoryError");
    let many = "import os, signal\nfor _ in range(8):\n    if os.fork() == 0:\n        block = bytearray(b'x') * (100 << 20)\n        \
                signal.pause()\nsignal.pause()";
    let cell = run(&session, many).await;
    assert_eq!((cell.status, cell.state), (Status::OutOfMemory, State::Restored));
    assert_eq!(run(&session, "x").await.value_text(), Some("1"));
}

#[tokio::test]
async fn output_is_bounded_and_read_to_the_end() {
    let session = builder().output(1024).build().await.unwrap().session().await.unwrap();
    let cell = run(&session, "print('first', 'x' * 1_000_000, 'last')").await;
    assert_eq!(cell.status, Status::Ok);
    assert!(cell.stdout.starts_with("first xxx") && cell.stdout.ends_with("xxx last\n"), "{}", cell.stdout);
    assert!(cell.stdout.contains("bytes left out"));
    assert!(cell.stdout.len() < 2048);
    let cell = run(&session, "while True:\n    print('x' * 100_000)").await;
    assert_eq!((cell.status, cell.state), (Status::OutputLimit, State::Restored));
}

#[tokio::test]
async fn output_comes_while_the_cell_runs() {
    let session = session().await;
    let cancel = CancellationToken::new();
    // The cell would not end if nothing came of it before.
    let endless = "import time\nprint('begun', flush=True)\nwhile True:\n    time.sleep(1)";
    let cell = session.execute_streaming(endless, &cancel, |_| cancel.cancel()).await.unwrap();
    assert_eq!((cell.status, cell.stdout.as_str()), (Status::Interrupted, "begun\n"));

    let (mut stdout, mut stderr) = (String::new(), String::new());
    let both = "import sys\nfor n in range(3):\n    print('out', n)\n    print('err', n, file=sys.stderr)\n\
                print('\\x1b[31mred\\x1b[0m', end='')";
    let gather = |output: Output| match output.stream {
        Stream::Stdout => stdout += &output.text,
        Stream::Stderr => stderr += &output.text,
    };
    let cell = session.execute_streaming(both, &CancellationToken::new(), gather).await.unwrap();
    assert_eq!((&stdout, &stderr), (&cell.stdout, &cell.stderr));
    assert_eq!(stdout, "out 0\nout 1\nout 2\nred");
    // Only what was asked for comes.
    assert_eq!(run(&session, "print('quiet')").await.stdout, "quiet\n");
}

#[tokio::test]
async fn output_that_comes_too_fast_is_left_out_of_the_stream() {
    let session = session().await;
    let (mut bytes, mut marks) = (0, 0);
    let count = |output: Output| {
        bytes += output.text.len();
        marks += output.text.matches("bytes left out").count();
    };
    let flood = "for _ in range(300):\n    print('x' * 100_000)";
    let cell = session.execute_streaming(flood, &CancellationToken::new(), count).await.unwrap();
    assert_eq!(cell.status, Status::Ok);
    assert!(marks > 0 && bytes < 15_000_000, "{marks} marks in {bytes} bytes");
    let endless = "while True:\n    print('x' * 100_000)";
    let cell = session.execute_streaming(endless, &CancellationToken::new(), drop).await.unwrap();
    assert_eq!(cell.status, Status::OutputLimit);
}

#[tokio::test]
async fn a_cell_can_be_cancelled() {
    let session = session().await;
    run(&session, "x = 1").await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let cell = session.execute_until("import time\nx = 2\nwhile True:\n    time.sleep(1)", &cancel).await.unwrap();
    assert!(matches!((cell.status, cell.state), (Status::Interrupted, _)), "{cell:?}");
    // A future that is dropped stops its cell, and the next one does not wait for ever.
    let dropped = tokio::time::timeout(Duration::from_millis(200), session.execute("while True:\n    pass"));
    assert!(dropped.await.is_err());
    assert_eq!(run(&session, "1 + 1").await.value_text(), Some("2"));
}

#[tokio::test]
async fn sessions_know_nothing_of_each_other() {
    let interpreter = builder().build().await.unwrap();
    let (one, two) = (interpreter.session().await.unwrap(), interpreter.session().await.unwrap());
    run(&one, "x = 1\nopen('file', 'w').write('x')").await;
    assert_eq!(run(&two, "x").await.error.unwrap().name, "NameError");
    assert_eq!(run(&two, "open('file')").await.error.unwrap().name, "FileNotFoundError");
    drop(one);
    assert_eq!(run(&two, "1 + 1").await.value_text(), Some("2"));
}

#[tokio::test]
async fn python_works_inside_as_it_does_outside() {
    let session = session().await;
    for (code, value) in [
        ("import subprocess\nsubprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout", "'hi\\n'"),
        ("import threading\nr = []\nt = threading.Thread(target=r.append, args=(1,))\nt.start(); t.join()\nr", "[1]"),
        (
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n    n = pool.map(abs, [-1, -2])\nn",
            "[1, 2]",
        ),
        ("import sqlite3\nsqlite3.connect('db').execute('select 1 + 1').fetchone()", "(2,)"),
        ("import tempfile\nf = tempfile.NamedTemporaryFile()\nf.write(b'x')", "1"),
        (
            "import asyncio\nasync def f():\n    p = await asyncio.create_subprocess_exec('true')\n    return await p.wait()\nawait f()",
            "0",
        ),
        (
            "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    r = 'no child of mine'\nr",
            "'no child of mine'",
        ),
    ] {
        let cell = run(&session, code).await;
        assert_eq!(cell.value_text(), Some(value), "{code}\n{cell:?}");
    }
}

#[tokio::test]
async fn a_server_on_the_sessions_own_loopback() {
    let code = "import http.server, threading, urllib.request\n\
                server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n\
                threading.Thread(target=server.serve_forever, daemon=True).start()\n\
                status = urllib.request.urlopen('http://127.0.0.1:%d/' % server.server_port).status\n\
                server.shutdown()\nstatus";
    match builder().network(Network::Loopback).tier(qianshou_interpreter::Tier::Namespaces).build().await {
        Ok(interpreter) => {
            let cell = run(&interpreter.session().await.unwrap(), code).await;
            assert_eq!(cell.value_text(), Some("200"), "{cell:?}");
            assert!(interpreter.isolation_report().is_complete());
        }
        Err(error) => assert!(matches!(error, InterpreterError::Isolation { .. }), "{error}"),
    }
    let off = run(&session().await, code).await;
    assert_eq!(off.status, Status::Error);
}

#[tokio::test]
async fn what_is_no_python_is_refused() {
    for program in ["/nonexistent/python", "/bin/cat"] {
        let error = Interpreter::builder().python(program).build().await.unwrap_err();
        assert!(matches!(error, InterpreterError::Python(_)), "{error}");
        assert!(error.to_string().contains(program), "{error}");
    }
    assert!(matches!(builder().memory(1).build().await, Err(InterpreterError::Limit { name: "memory", .. })));
}

#[tokio::test]
async fn a_python_behind_links_is_locked_in_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    environment(folder.path());
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    symlink("environment", &near).unwrap();
    symlink(&near, &far).unwrap();
    let usual = builder().build().await.unwrap();
    let behind = builder().python(far.join("bin/python")).build().await.unwrap();
    assert_eq!(behind.isolation_report().tier, usual.isolation_report().tier);
    let code = "import os, sys\nsys.prefix, os.path.exists(sys.executable)";
    let cell = run(&behind.session().await.unwrap(), code).await;
    assert_eq!(cell.value_text(), Some(format!("('{}', True)", far.display()).as_str()), "{cell:?}");
}

/// A way to lock in that is refused is another thing, which less isolation mends.
#[tokio::test]
async fn a_python_that_does_not_start_is_said_not_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let environment = environment(folder.path());
    let library = fs::read_dir(environment.join("lib")).unwrap().next().unwrap().unwrap().path();
    fs::write(library.join("site-packages/falls.py"), "import os\nos.abort()\n").unwrap();
    for isolation in [Isolation::Required, Isolation::BestEffort, Isolation::Off] {
        let builder = builder().python(environment.join("bin/python")).preload(["falls"]).isolation(isolation);
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, InterpreterError::Start(_)), "{isolation:?}: {error}");
    }
}

#[tokio::test]
async fn text_is_safe_to_show() {
    let session = session().await;
    let hostile = "print('\\x1b]52;c;x\\x07out')\ndisplay('\\x1b[31mshown')\nclass R:\n    def __repr__(self):\n        \
                   return '\\x1b[2Jvalue'\nR()";
    let cell = run(&session, hostile).await;
    assert_eq!((cell.stdout.as_str(), cell.value_text()), ("out\n", Some("value")), "{cell:?}");
    assert!(cell.displays.iter().flat_map(|bundle| bundle.values()).all(|text| !text.contains('\x1b')), "{cell:?}");
}
