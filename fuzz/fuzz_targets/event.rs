//! A platform event, and the payload of one: accepted, ignored or refused, and the same each time.
#![no_main]

use byoc_connector::events::{Decoder, FieldNames, decode};
use byoc_connector::model::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = Timestamp::from_millis(1_780_000_000_000);
    drop(Decoder::new(None).decode(text, now, Some("AAAAAA==")));
    let names = FieldNames::new("T__c", "P__c");
    for kind in ["Interaction", "RoutingRequested"] {
        let event = json!({ "T__c": kind, "P__c": text }).to_string();
        let once = decode(&names, &event, now, None);
        assert_eq!(once, decode(&names, &event, now, None));
    }
});
