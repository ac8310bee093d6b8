//! The official vocabulary of Qwen 1, which is not ours to keep in the repository.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{folders, process};

/// Fetches the Python package that ships the file, checks it, and puts it in place as a whole.
const FETCH: &str = r#"
import hashlib, os, pathlib, subprocess, sys, zipfile

target = pathlib.Path(sys.argv[1])
folder = target.parent
subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                "--only-binary", ":all:", "--dest", folder, "dashscope==2.0.2"], check=True)
with zipfile.ZipFile(next(folder.glob("dashscope-2.0.2-*.whl"))) as wheel:
    ranks = wheel.read("dashscope/resources/qwen.tiktoken")
if hashlib.sha256(ranks).hexdigest() != "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186":
    sys.exit("the vocabulary in the package is another one than the official file")
whole = target.with_suffix(".part")
whole.write_bytes(ranks)
os.replace(whole, target)
"#;

/// The path of `qwen.tiktoken`: the one that `QIANSHOU_QWEN_VOCAB` names, else one in our own folder.
pub(crate) fn fetch() -> Result<PathBuf> {
    if let Some(path) = env::var_os("QIANSHOU_QWEN_VOCAB") {
        return Ok(path.into());
    }
    let path = folders::made().join("vocabulary").join("qwen.tiktoken");
    if !path.exists() {
        eprintln!("xtask: vocabulary of Qwen 1");
        let folder = folders::made().join("vocabulary");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        process::run(Command::new("python3").args(["-c", FETCH]).arg(&path))
            .context("the vocabulary cannot be fetched; set QIANSHOU_QWEN_VOCAB=FILE to a copy of `qwen.tiktoken`")?;
    }
    // The tests run in other folders than this one.
    std::path::absolute(&path).with_context(|| format!("cannot resolve {}", path.display()))
}
