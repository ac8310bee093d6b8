//! The files of `torch.save`: a zip archive with a pickle that describes tensors, and a record for each
//! storage that they view.
//!
//! A pickle is a program, and running a stranger's is running a stranger's code. [`pickle`] therefore knows
//! the few instructions and the few names that a dictionary of tensors is written with, builds from them
//! nothing but descriptions of tensors, and refuses everything else. The numbers stay in the file and are
//! read through a map, as those of the other formats.

mod archive;
mod element;
mod error;
mod layout;
mod pickle;
mod rebuild;

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use qianshou_gguf::TensorKind;

pub use self::error::PyTorchError;

use self::archive::Archive;
use self::element::Element;
use self::layout::Layout;
use self::pickle::StateDict;
use super::map::map;
use super::shards::shards;
use super::{FLOATS, TensorSource, dequantize};
use crate::ModelError;

/// A tensor's place in its file.
#[derive(Debug)]
struct Entry {
    shard: usize,
    element: &'static Element,
    layout: Layout,
    /// The bytes from the tensor's first element to its last.
    range: Range<usize>,
}

/// The tensors of one or more files of `torch.save`.
#[derive(Debug)]
pub(crate) struct PyTorchFiles {
    shards: Vec<(PathBuf, File)>,
    entries: HashMap<String, Entry>,
}

impl PyTorchFiles {
    /// Opens `pytorch_model.bin` of a folder, or the shards that `pytorch_model.bin.index.json` lists;
    /// `None` where the folder has neither.
    pub(crate) fn open_folder(folder: &Path) -> Result<Option<Self>, ModelError> {
        let Some(paths) = shards(folder, "pytorch_model.bin")? else {
            return Ok(None);
        };
        let mut files = Self { shards: Vec::new(), entries: HashMap::new() };
        for path in paths {
            files.add(&path)?;
        }
        Ok(Some(files))
    }

    fn entry(&self, name: &str) -> Result<(&Entry, &Path, &File), ModelError> {
        let Some(entry) = self.entries.get(name) else {
            let path = self.shards.first().map(|(path, _)| path.clone()).unwrap_or_default();
            return Err(ModelError::MissingTensor { path, tensor: name.to_owned() });
        };
        let (path, file) = &self.shards[entry.shard];
        Ok((entry, path, file))
    }

    fn add(&mut self, path: &Path) -> Result<(), ModelError> {
        let file = File::open(path).map_err(ModelError::io(path))?;
        let length = file.metadata().map_err(ModelError::io(path))?.len();
        let damaged = |reason: &str| ModelError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let length = usize::try_from(length).map_err(|_| damaged("it is larger than the address space"))?;
        if length == 0 {
            return Err(damaged("it is empty"));
        }
        let mapped = map(&file, 0..length).map_err(ModelError::io(path))?;
        describe(&mapped, self.shards.len(), &mut self.entries)
            .map_err(|source| ModelError::PyTorch { path: path.to_owned(), source })?;
        self.shards.push((path.to_owned(), file));
        Ok(())
    }
}

/// Adds the tensors of the file with these bytes. Every range is checked to lie within them.
fn describe(bytes: &[u8], shard: usize, entries: &mut HashMap<String, Entry>) -> Result<(), PyTorchError> {
    let archive = Archive::parse(bytes)?;
    let state_dict = StateDict::read(&bytes[archive.record("data.pkl")?])?;
    for (name, tensor) in state_dict.tensors() {
        let record = archive.record(&format!("data/{}", tensor.storage.key))?;
        if tensor.storage.bytes > record.len() {
            return Err(PyTorchError::Storage {
                tensor: name.to_owned(),
                needed: tensor.storage.bytes,
                found: record.len(),
            });
        }
        let range = record.start + tensor.range.start..record.start + tensor.range.end;
        let entry = Entry { shard, element: tensor.element, layout: tensor.layout.clone(), range };
        entries.insert(name.to_owned(), entry);
    }
    Ok(())
}

impl TensorSource for PyTorchFiles {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.layout.shape())
    }

    fn kind(&self, name: &str) -> Option<String> {
        self.entries.get(name).map(|entry| entry.element.name.to_owned())
    }

    fn read(&self, name: &str, first: usize, out: &mut [f32]) -> Result<(), ModelError> {
        let (entry, path, file) = self.entry(name)?;
        let Some(kind) = entry.element.kind else {
            return Err(ModelError::TensorKind {
                path: path.to_owned(),
                tensor: name.to_owned(),
                kind: entry.element.name.to_owned(),
                supported: FLOATS,
            });
        };
        let width = entry.element.bytes;
        let first = first * entry.layout.shape().last().copied().unwrap_or(1);
        let elements = first..first + out.len();
        if entry.layout.is_contiguous() {
            let start = entry.range.start;
            let mapped = map(file, start + elements.start * width..start + elements.end * width);
            dequantize::dequantize(kind, &mapped.map_err(ModelError::io(path))?, out);
        } else {
            let mapped = map(file, entry.range.clone()).map_err(ModelError::io(path))?;
            dequantize::dequantize(kind, &entry.layout.gather(&mapped, width, elements), out);
        }
        Ok(())
    }

    fn mapped(&self, name: &str) -> Result<Option<Mmap>, ModelError> {
        let (entry, path, file) = self.entry(name)?;
        let usable = entry.element.kind == Some(TensorKind::F32) && entry.layout.is_contiguous();
        if !usable || cfg!(target_endian = "big") {
            return Ok(None);
        }
        map(file, entry.range.clone()).map(Some).map_err(ModelError::io(path))
    }
}
