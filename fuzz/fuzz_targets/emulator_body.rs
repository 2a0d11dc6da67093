//! A body that somebody posts to the emulator: to each operation of the Interaction Service, and as a deed or a fault.
#![no_main]

use byoc_connector::emulator::http::StreamFault;
use byoc_connector::emulator::{Act, ApiRequest, Fault, Operation, Salesforce, Settings};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let roster: Roster = serde_json::from_str("{}").unwrap_or_default();
    let mut salesforce = Salesforce::new(7, roster, Settings::default());
    let now = Timestamp::from_millis(1_780_000_000_000);
    if let Ok(act) = serde_json::from_slice::<Act>(data) {
        drop(salesforce.act(now, act));
    }
    drop(serde_json::from_slice::<Fault>(data));
    drop(serde_json::from_slice::<StreamFault>(data));
    drop(serde_json::from_slice::<Settings>(data));
    for operation in Operation::ALL {
        let request = ApiRequest {
            method: operation.method().to_owned(),
            path: format!("/api/v1/{}", operation.resource()),
            headers: Vec::new(),
            body: data.to_vec(),
        };
        let response = salesforce.handle(now, &request);
        assert!((200..600).contains(&response.status), "{}", response.status);
    }
});
