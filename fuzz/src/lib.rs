//! What the targets share.

use qianshou_model::{Checkpoint, ComputeDevice, ModelError};
use qianshou_tokenizer::{Specials, Tokenizer};

/// Loads a checkpoint folder with these weights in a file of this name. Its configuration is that of the
/// model in the seeds, so that weights which are still whole are read to the end.
pub fn load_weights(file: &str, weights: &[u8]) -> Result<(), ModelError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.path().join(file), bytes).expect("a file in it");
    write("config.json", include_bytes!("../config.json"));
    write(file, weights);
    let checkpoint = Checkpoint::open(folder.path())?;
    checkpoint.inspect()?;
    checkpoint.load(ComputeDevice::cpu(), None).map(drop)
}

/// Uses a vocabulary as a model does: text to ids and back.
pub fn use_tokenizer(tokenizer: &Tokenizer) {
    const TEXT: &str = "Hi there, it's 3\u{301}.14 \r\n\n\t 千问<|im_start|>\u{0}";
    for specials in [Specials::None, Specials::All] {
        let ids = tokenizer.encode(TEXT, specials);
        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocabulary_size()), "an id beyond the vocabulary");
        tokenizer.decode(&ids);
    }
}
