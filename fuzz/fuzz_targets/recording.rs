//! A recording: each line is read or named, and none is lost.
#![no_main]

use byoc_connector::events::Decoder;
use byoc_connector::recording::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::new(None);
    for line in Reader::new("fuzz", data) {
        match line {
            Ok(line) => drop(line.decode(&mut decoder)),
            Err(error) => drop(error.to_string()),
        }
    }
});
