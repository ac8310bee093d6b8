//! SHA-256 of files and streams.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use ring::digest::{Context, SHA256};

/// Large enough that system calls cost nothing, small enough to stay in the processor's cache.
const CHUNK: usize = 256 * 1024;

/// SHA-256 of everything that `reader` yields, in lower-case hexadecimal; `each` sees every chunk
/// first, to write or to count it.
pub(super) fn of_reader(mut reader: impl Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &chunk[..length];
        each(bytes)?;
        context.update(bytes);
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// SHA-256 of the file at `path`, in lower-case hexadecimal.
pub(super) fn of_file(path: &Path) -> io::Result<String> {
    of_reader(File::open(path)?, |_| Ok(()))
}
