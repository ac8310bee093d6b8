//! A file of `torch.save` is refused or loaded, and never run.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let _ = qianshou_fuzz::load_weights("pytorch_model.bin", file);
});
