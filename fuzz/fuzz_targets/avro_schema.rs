//! An event's schema, as Salesforce sends it: read within bounds, or refused.
#![no_main]

use byoc_connector::events::pubsub::read_avro;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(schema) = std::str::from_utf8(data) {
        drop(read_avro(schema, b""));
    }
});
