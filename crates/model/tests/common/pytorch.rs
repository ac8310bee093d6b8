//! Files as `torch.save` writes them, and such as it never would.

use std::io::Write as _;
use std::path::Path;

use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::{Tensor, config_json};

/// A view of a storage, as a pickle describes it.
pub(crate) struct View<'a> {
    pub(crate) name: &'a str,
    /// Class of the storage in module `torch`, its key and its number of elements.
    pub(crate) storage: (&'a str, &'a str, i64),
    pub(crate) offset: i64,
    pub(crate) sizes: &'a [i64],
    pub(crate) strides: &'a [i64],
}

impl Default for View<'_> {
    /// A vector of three F32 in storage 0.
    fn default() -> Self {
        Self { name: "vector", storage: ("FloatStorage", "0", 3), offset: 0, sizes: &[3], strides: &[1] }
    }
}

/// The pickle of a dictionary with these tensors.
pub(crate) fn pickle(views: &[View<'_>]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for view in views {
        let (class, key, count) = view.storage;
        text(&mut pickle, view.name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(format!("ctorch\n{class}\n").bytes());
        text(&mut pickle, key);
        text(&mut pickle, "cpu");
        integer(&mut pickle, count);
        pickle.extend(b"tQ");
        integer(&mut pickle, view.offset);
        for numbers in [view.sizes, view.strides] {
            pickle.push(b'(');
            numbers.iter().for_each(|&number| integer(&mut pickle, number));
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn integer(pickle: &mut Vec<u8>, number: i64) {
    pickle.extend([0x8a, 8]);
    pickle.extend(number.to_le_bytes());
}

/// An archive of these records.
pub(crate) fn archive(records: &[(&str, &[u8])]) -> Vec<u8> {
    archive_of(records, CompressionMethod::STORE)
}

/// An archive whose directory says that its records are compressed in this way.
pub(crate) fn archive_of(records: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in records {
        let path = format!("archive/{name}");
        let (mut entry, config) = archive.new_file(&path).compression_method(method).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

/// Writes `config.json` and the tensors as `pytorch_model.bin`.
pub(crate) fn write_folder(folder: &Path, model_type: &str, tensors: &[Tensor]) {
    std::fs::write(folder.join("config.json"), config_json(model_type)).unwrap();
    let keys: Vec<String> = (0..tensors.len()).map(|key| key.to_string()).collect();
    let shapes: Vec<Vec<i64>> =
        tensors.iter().map(|tensor| tensor.shape.iter().map(|&size| size as i64).collect()).collect();
    let strides: Vec<Vec<i64>> =
        shapes.iter().map(|shape| (1..=shape.len()).map(|index| shape[index..].iter().product()).collect()).collect();
    let views: Vec<View<'_>> = (0..tensors.len())
        .map(|index| View {
            name: &tensors[index].name,
            storage: ("FloatStorage", &keys[index], tensors[index].values.len() as i64),
            offset: 0,
            sizes: &shapes[index],
            strides: &strides[index],
        })
        .collect();
    let mut records = vec![("data.pkl".to_owned(), pickle(&views))];
    records.extend(
        tensors.iter().zip(&keys).map(|(tensor, key)| (format!("data/{key}"), super::encode_f32(&tensor.values).0)),
    );
    let records: Vec<(&str, &[u8])> = records.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    std::fs::write(folder.join("pytorch_model.bin"), archive(&records)).unwrap();
}
