//! A GGUF file is refused, or all its tensors lie within it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qianshou_gguf::Gguf;
use qianshou_tokenizer::Tokenizer;

fuzz_target!(|file: &[u8]| {
    if let Ok(gguf) = Gguf::parse(file) {
        assert!(gguf.tensors().all(|tensor| file.get(tensor.range.clone()).is_some()));
        if let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) {
            qianshou_fuzz::use_tokenizer(&tokenizer);
        }
    }
});
