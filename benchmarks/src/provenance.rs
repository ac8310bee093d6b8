//! Hashes of what a model is made of, for the header of a log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use ring::digest::{Context, SHA256};

use crate::hash::hexadecimal;

/// Endings of the files of a checkpoint that decide what a model says.
const ENDINGS: [&str; 8] = ["safetensors", "gguf", "bin", "json", "model", "tiktoken", "jinja", "txt"];

/// The SHA-256 of a file, or of each file of a checkpoint's folder, by name.
///
/// # Errors
/// When one cannot be read.
pub fn of_checkpoint(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        let belongs = |path: &Path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        files = entries.into_iter().filter(|path| path.is_file() && belongs(path)).collect();
    }
    let hashed = files.iter().map(|path| Ok((format!("sha256 of {}", crate::data::file_name(path)), of_file(path)?)));
    hashed.collect()
}

fn of_file(path: &Path) -> io::Result<String> {
    let (mut file, mut context) = (File::open(path)?, Context::new(&SHA256));
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(context.finish().as_ref())),
            read => context.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_files_are_hashed_by_name() {
        let Ok(folder) = tempfile::tempdir() else { panic!("no temporary folder") };
        for (name, content) in [("a.safetensors", "abc"), ("notes.md", "x")] {
            assert!(fs::write(folder.path().join(name), content).is_ok());
        }
        let hashes = of_checkpoint(folder.path()).unwrap_or_default();
        assert_eq!(hashes.keys().collect::<Vec<_>>(), ["sha256 of a.safetensors"]);
        assert_eq!(hashes["sha256 of a.safetensors"], crate::sha256(b"abc"));
    }
}
