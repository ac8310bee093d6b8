#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]
use qianshou_interpreter::*;
#[tokio::test]
async fn smoke() {
    let tier = match std::env::var("TIER").as_deref() {
        Ok("landlock") => Some(Tier::Landlock),
        Ok("off") => Some(Tier::Off),
        _ => Some(Tier::Namespaces),
    };
    let t = std::time::Instant::now();
    let mut builder = Interpreter::builder();
    if let Ok(p) = std::env::var("PY") {
        builder = builder.python(p)
    }
    if let Some(tier) = tier {
        builder = builder.tier(tier)
    }
    let interpreter = builder.build().await.unwrap_or_else(|e| panic!("{e}"));
    eprintln!("build {:?}\n{}\n{:?}", t.elapsed(), interpreter.isolation_report(), interpreter.python());
    for v in &interpreter.isolation_report().verdicts {
        eprintln!("{v:?}");
    }
    for code in [
        "1+1",
        "x = 41; print('hello'); x + 1",
        "x",
        "1/0",
        "import os; os.getpid(), os.listdir('/'), os.environ",
        "import sys\nprint(sys.path, sys.executable, sys.prefix)",
        "import numpy as np, warnings; a = np.ones((200,200)); (a@a).sum()",
        "import matplotlib.pyplot as plt; plt.plot([1,2]); plt.title('千手'); open('a.txt','w').write('hi')",
        "x = 1\nimport ctypes; ctypes.string_at(0)",
        "x",
        "import os; os._exit(3)",
        "x",
        "[open('/proc/%s/cmdline' % p).read()[:60] for p in os.listdir('/proc') if p.isdigit()]",
    ] {
        let t = std::time::Instant::now();
        let session = interpreter.session().await;
        let opened = t.elapsed();
        drop(session);
        eprintln!("open {opened:?} {code}");
    }
    let mut opens = Vec::new();
    let mut firsts = Vec::new();
    for _ in 0..30 {
        let t = std::time::Instant::now();
        let s = interpreter.session().await.unwrap();
        opens.push(t.elapsed());
        s.execute("1+1").await.unwrap();
        firsts.push(t.elapsed());
    }
    opens.sort();
    firsts.sort();
    eprintln!("opens {:?} {:?} firsts {:?} {:?}", opens[0], opens[15], firsts[0], firsts[15]);
    let session = interpreter.session().await.unwrap();
    let mut cells = Vec::new();
    let mut inner = Vec::new();
    for _ in 0..100 {
        let t = std::time::Instant::now();
        let c = session.execute("1+1").await.unwrap();
        cells.push(t.elapsed());
        inner.push(c.duration);
    }
    cells.sort();
    inner.sort();
    eprintln!("cells {:?} {:?} inner {:?} {:?}", cells[0], cells[50], inner[0], inner[50]);
    for code in [
        "1+1",
        "x = 41; print('hello'); x + 1",
        "x",
        "1/0",
        "import os; os.getpid(), os.listdir('/'), os.environ",
        "import sys\nprint(sys.path, sys.executable, sys.prefix)",
        "import numpy as np, warnings; a = np.ones((200,200)); (a@a).sum()",
        "import matplotlib.pyplot as plt; plt.plot([1,2]); plt.title('千手'); open('a.txt','w').write('hi')",
        "x = 1\nimport ctypes; ctypes.string_at(0)",
        "x",
        "import os; os._exit(3)",
        "x",
        "[open('/proc/%s/cmdline' % p).read()[:60] for p in os.listdir('/proc') if p.isdigit()]",
    ] {
        let t = std::time::Instant::now();
        let cell = session.execute(code).await.unwrap_or_else(|e| panic!("{e}"));
        eprintln!(
            "{code:?} {:?}: {:?} {:?} {:?} {:?} {:?} images {} files {:?} {:?} peak {}M dur {:?}",
            t.elapsed(),
            cell.status,
            cell.state,
            cell.stdout,
            cell.stderr,
            cell.value_text(),
            cell.images.len(),
            cell.files,
            cell.error,
            cell.peak_memory >> 20,
            cell.duration
        );
    }
}
