//! Lists the files of the Python package, so that all of them travel inside the module.

use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("python/qianshou_kernel");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
    files.sort();
    let mut list = String::from("[\n");
    for file in &files {
        let stem = file.file_stem().unwrap_or_default();
        list += &format!("    ({stem:?}, include_str!({file:?})),\n");
    }
    list += "]\n";
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("sources.rs"), list)?;
    Ok(())
}
