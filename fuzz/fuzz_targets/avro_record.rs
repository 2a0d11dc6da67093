//! A schema, a zero byte, and an event's bytes: what is read is JSON, and no more of it than the bytes can hold.
#![no_main]

use byoc_connector::events::pubsub::read_avro;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == 0) else { return };
    let (schema, payload) = (&data[..end], &data[end + 1..]);
    let Ok(schema) = std::str::from_utf8(schema) else { return };
    if let Some(json) = read_avro(schema, payload) {
        serde_json::from_str::<serde::de::IgnoredAny>(&json).expect("what was read is JSON");
    }
});
