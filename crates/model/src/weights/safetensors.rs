//! Safetensors files, one or sharded.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use qianshou_gguf::TensorKind;
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::map::map;
use super::shards::shards;
use super::{TensorSource, dequantize};
use crate::ModelError;

/// A tensor's place in its file.
#[derive(Debug)]
struct Entry {
    shard: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

/// The tensors of one or more safetensors files.
#[derive(Debug)]
pub(crate) struct SafetensorsFiles {
    shards: Vec<(PathBuf, File)>,
    entries: HashMap<String, Entry>,
}

impl SafetensorsFiles {
    /// Opens `model.safetensors` of a folder, or the shards that `model.safetensors.index.json` lists;
    /// `None` where the folder has neither.
    pub(crate) fn open_folder(folder: &Path) -> Result<Option<Self>, ModelError> {
        let Some(paths) = shards(folder, "model.safetensors")? else {
            return Ok(None);
        };
        let mut files = Self { shards: Vec::new(), entries: HashMap::new() };
        for path in paths {
            files.add(&path)?;
        }
        Ok(Some(files))
    }

    /// Opens one file.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let mut files = Self { shards: Vec::new(), entries: HashMap::new() };
        files.add(path)?;
        Ok(files)
    }

    /// Names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// A tensor of 64-bit integers, as the files of expected outputs hold them.
    pub(crate) fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, ModelError> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        let (path, file) = &self.shards[entry.shard];
        if entry.dtype != Dtype::I64 {
            return Err(ModelError::TensorKind {
                path: path.clone(),
                tensor: name.to_owned(),
                kind: format!("{:?}", entry.dtype),
                supported: "I64",
            });
        }
        let mapped = map(file, entry.range.clone()).map_err(ModelError::io(path))?;
        let (numbers, _) = mapped.as_chunks::<8>();
        Ok(Some(numbers.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()))
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
        let mut file = File::open(path).map_err(ModelError::io(path))?;
        let length = file.metadata().map_err(ModelError::io(path))?.len();
        let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
        let mut prefix = [0; 8];
        file.read_exact(&mut prefix).map_err(|_| damaged("it is shorter than a safetensors header".to_owned()))?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > length - 8 {
            return Err(damaged(format!("its header says {header_length} bytes, and {} are left", length - 8)));
        }
        // `header_length` fits: it is at most the length of a file that is there.
        let header_length = header_length as usize;
        let mut header = vec![0; header_length];
        file.read_exact(&mut header).map_err(ModelError::io(path))?;
        // Reading the metadata checks that offsets follow each other and fit the shapes.
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
        let start = 8 + header_length;
        let shard = self.shards.len();
        for (name, info) in metadata.tensors() {
            let range = start + info.data_offsets.0..start + info.data_offsets.1;
            if range.end as u64 > length {
                return Err(damaged(format!("tensor `{name}` ends at byte {}, the file at {length}", range.end)));
            }
            let entry = Entry { shard, dtype: info.dtype, shape: info.shape.clone(), range };
            self.entries.insert(name, entry);
        }
        self.shards.push((path.to_owned(), file));
        Ok(())
    }
}

impl TensorSource for SafetensorsFiles {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    fn kind(&self, name: &str) -> Option<String> {
        self.entries.get(name).map(|entry| format!("{:?}", entry.dtype))
    }

    fn read(&self, name: &str, first: usize, out: &mut [f32]) -> Result<(), ModelError> {
        let (entry, path, file) = self.entry(name)?;
        let Some(kind) = float_kind(entry.dtype) else {
            return Err(ModelError::TensorKind {
                path: path.to_owned(),
                tensor: name.to_owned(),
                kind: format!("{:?}", entry.dtype),
                supported: FLOATS,
            });
        };
        let columns = entry.shape.last().copied().unwrap_or(1);
        // Opening the file has checked that the range fits the shape.
        let size = entry.range.len() / entry.shape.iter().product::<usize>();
        let start = entry.range.start + first * columns * size;
        let mapped = map(file, start..start + out.len() * size).map_err(ModelError::io(path))?;
        dequantize::dequantize(kind, &mapped, out);
        Ok(())
    }

    fn mapped(&self, name: &str) -> Result<Option<Mmap>, ModelError> {
        let (entry, path, file) = self.entry(name)?;
        if entry.dtype != Dtype::F32 || cfg!(target_endian = "big") {
            return Ok(None);
        }
        map(file, entry.range.clone()).map(Some).map_err(ModelError::io(path))
    }
}

/// The float types that are read, for error messages.
pub(crate) const FLOATS: &str = "F32, F16, BF16";

/// The kind that a safetensors float type is read as.
pub(crate) fn float_kind(dtype: Dtype) -> Option<TensorKind> {
    match dtype {
        Dtype::F32 => Some(TensorKind::F32),
        Dtype::F16 => Some(TensorKind::F16),
        Dtype::BF16 => Some(TensorKind::BF16),
        _ => None,
    }
}
