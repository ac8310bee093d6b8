//! A safetensors file is refused or loaded.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let _ = qianshou_fuzz::load_weights("model.safetensors", file);
});
