//! What stands for data and files: who goes on with something begun compares it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use qianshou_train::{Parameter, Sequence, TrainError};

/// How the names of files end that decide what a model or an adapter in a folder computes.
const DECISIVE: [&str; 3] = [".safetensors", ".bin", "config.json"];
/// Bytes that are read at a time.
const BLOCK: u64 = 1 << 20;

/// FNV-1a over numbers instead of bytes, which is fast enough for the files of large models. It tells apart what
/// differs by accident, and no more is asked of it.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3);
    }

    /// Sizes stand before what they count, so that nothing can move over a border.
    fn add_size(&mut self, size: u64) {
        self.add(size as u32);
        self.add((size >> 32) as u32);
    }

    fn add_file(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        self.add_size(file.metadata()?.len());
        let mut block = Vec::new();
        while file.by_ref().take(BLOCK).read_to_end(&mut block)? > 0 {
            let (numbers, rest) = block.as_chunks::<4>();
            numbers.iter().for_each(|bytes| self.add(u32::from_le_bytes(*bytes)));
            rest.iter().for_each(|&byte| self.add(byte.into()));
            block.clear();
        }
        Ok(())
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

/// Of sequences: their ids, where episodes begin and end, and what is learned.
pub(super) fn of_sequences(sequences: &[Sequence]) -> String {
    let mut fingerprint = Fingerprint::new();
    for sequence in sequences {
        let (ids, episodes, targets) = (sequence.ids(), sequence.episodes(), sequence.targets());
        [ids.len(), episodes.len(), targets.len()].iter().for_each(|&size| fingerprint.add_size(size as u64));
        ids.iter().for_each(|&id| fingerprint.add(id));
        let borders = episodes.iter().flat_map(|episode| [episode.start, episode.end]);
        borders.for_each(|border| fingerprint.add(border as u32));
        targets.iter().flat_map(|&(row, id)| [row as u32, id]).for_each(|number| fingerprint.add(number));
    }
    fingerprint.text()
}

/// Of parameters.
pub(super) fn of_parameters(parameters: &[Parameter]) -> String {
    let mut fingerprint = Fingerprint::new();
    let values = parameters.iter().flat_map(|parameter| &parameter.values);
    values.for_each(|value| fingerprint.add(value.to_bits()));
    fingerprint.text()
}

/// Of a model or an adapter: a file, or the weights and configurations of a folder.
pub(super) fn of_files(path: &Path) -> Result<String, TrainError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    let files = if path.is_dir() { decisive(path).map_err(failed(path))? } else { vec![path.to_owned()] };
    let mut fingerprint = Fingerprint::new();
    for file in files {
        fingerprint.add_file(&file).map_err(failed(&file))?;
    }
    Ok(fingerprint.text())
}

fn decisive(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if DECISIVE.iter().any(|end| name.to_string_lossy().ends_with(end)) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use qianshou_train::Tokens;

    use super::*;

    fn tokens(ids: &[u32], learned_from: usize) -> Tokens {
        Tokens { ids: ids.to_vec(), learned: (0..ids.len()).map(|index| index >= learned_from).collect() }
    }

    #[test]
    fn the_same_ids_may_be_other_data() {
        let pack = |episodes: &[Tokens]| Sequence::pack(episodes).unwrap();
        let two = pack(&[tokens(&[1, 2, 3], 1), tokens(&[1, 2, 4], 1)]);
        let one = pack(&[tokens(&[1, 2, 3, 1, 2, 4], 1)]);
        let less_learned = pack(&[tokens(&[1, 2, 3, 1, 2, 4], 2)]);
        let apart = [pack(&[tokens(&[1, 2, 3], 1)]), pack(&[tokens(&[1, 2, 4], 1)])];
        let data = [vec![two], vec![one], vec![less_learned], apart.into()];
        let ids = |sequences: &[Sequence]| sequences.iter().flat_map(Sequence::ids).copied().collect::<Vec<_>>();
        for (place, sequences) in data.iter().enumerate() {
            assert_eq!(ids(sequences), ids(&data[0]));
            assert!(data[..place].iter().all(|other| of_sequences(other) != of_sequences(sequences)));
        }
    }

    #[test]
    fn files_are_the_same_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("adapter_config.json", "{}");
        write("adapter_model.safetensors", "weights");
        let [whole, file] = [folder.path().to_owned(), folder.path().join("adapter_model.safetensors")];
        let before = [of_files(&whole).unwrap(), of_files(&file).unwrap()];
        write("README.md", "Another word.");
        assert_eq!([of_files(&whole).unwrap(), of_files(&file).unwrap()], before);
        write("adapter_model.safetensors", "weightt");
        assert_ne!(of_files(&whole).unwrap(), before[0]);
        assert_ne!(of_files(&file).unwrap(), before[1]);
        write("adapter_model.safetensors", "weights");
        write("adapter_config.json", "{ }");
        assert_ne!(of_files(&whole).unwrap(), before[0]);
        assert!(of_files(&folder.path().join("none")).is_err());
    }
}
