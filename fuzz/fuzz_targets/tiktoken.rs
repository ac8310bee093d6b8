//! A `qwen.tiktoken` is refused, or encodes and decodes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qianshou_tokenizer::Tokenizer;

fuzz_target!(|file: &[u8]| {
    if let Ok(tokenizer) = Tokenizer::from_tiktoken(file) {
        qianshou_fuzz::use_tokenizer(&tokenizer);
    }
});
