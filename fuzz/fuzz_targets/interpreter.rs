//! What a session's supervisor might send is decoded into events, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qianshou_interpreter::decode_events;

/// Length and kind of a frame, in bytes.
const HEADER: usize = 5;

fuzz_target!(|stream: &[u8]| {
    let events = decode_events(stream);
    assert!(events <= stream.len() / HEADER, "more events than there are frames");
});
