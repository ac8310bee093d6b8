//! What can be wrong with a file of `torch.save`.

/// Why a file of `torch.save` cannot be used. Nothing of it is ever run, whatever it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PyTorchError {
    /// The file is of the format that came before the zip archive.
    #[error(
        "the file is of the format before PyTorch 1.6; write it anew with a current PyTorch: \
         `torch.save(torch.load(FILE, map_location=\"cpu\", weights_only=True), FILE)`"
    )]
    Legacy,
    /// The container is no zip archive, or a damaged one.
    #[error("not a whole zip archive, as `torch.save` writes them ({reason}); check that the download is complete")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// A record is not stored as it is.
    #[error("record `{record}` is compressed or encrypted; `torch.save` stores records plainly, so save the file anew")]
    NotPlain {
        /// Name of the record.
        record: String,
    },
    /// A record is not there.
    #[error("there is no record `{record}`; the file is incomplete or none of `torch.save`")]
    MissingRecord {
        /// Name of the record.
        record: String,
    },
    /// The numbers are those of a big-endian machine.
    #[error("the file is of a big-endian machine; save it anew on a little-endian one")]
    BigEndian,
    /// The pickle is longer than one that describes tensors.
    #[error("its pickle has {found} bytes, and a dictionary of tensors at most {most}; save the state dict alone")]
    TooLong {
        /// Length of the pickle.
        found: usize,
        /// The greatest length that is read.
        most: usize,
    },
    /// The pickle asks for a Python object that no tensor needs. It is refused by name and not looked up.
    #[error(
        "its pickle asks for `{global}` at offset {offset}, which no dictionary of tensors needs: it is refused, \
         and nothing was run; if you trust the file, save its state dict alone"
    )]
    Global {
        /// Module and name of the object.
        global: String,
        /// Where in the pickle.
        offset: usize,
    },
    /// The pickle has an instruction that `torch.save` does not write for tensors.
    #[error("its pickle has instruction {opcode:#04x} at offset {offset}, which no dictionary of tensors needs")]
    Opcode {
        /// The instruction.
        opcode: u8,
        /// Where in the pickle.
        offset: usize,
    },
    /// The pickle is malformed, or describes no dictionary of tensors.
    #[error("its pickle goes wrong at offset {offset}: {problem}; fetch the file again, or save a state dict alone")]
    Pickle {
        /// Where in the pickle.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The record of a storage is shorter than the pickle says.
    #[error(
        "the storage of tensor `{tensor}` has {needed} bytes by the pickle, and {found} in the file; \
         the file is damaged, so fetch it again"
    )]
    Storage {
        /// A tensor in the storage.
        tensor: String,
        /// Bytes that the pickle says.
        needed: usize,
        /// Bytes of the record.
        found: usize,
    },
}
