//! A body that somebody posts to the connector's own server.
#![no_main]

use byoc_connector::server::read_bodies;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| read_bodies(data));
