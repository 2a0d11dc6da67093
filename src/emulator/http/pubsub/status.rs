//! What is said of a call that is refused.

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use uuid::Uuid;

pub(super) fn rpc_id() -> String {
    Uuid::new_v4().to_string()
}

pub(super) fn no_such_topic(wanted: &str, topic: &str) -> Status {
    let text = format!("there is no topic '{wanted}'; this org has {topic}");
    refused(Code::NotFound, "topic.not.found", &text)
}

pub(super) fn unavailable(text: &str) -> Status {
    refused(Code::Unavailable, "service.unavailable", text)
}

/// A status as Salesforce gives it: its own code in a trailer, and an id to trace it by.
pub(super) fn refused(code: Code, error_code: &str, text: &str) -> Status {
    let rpc_id = rpc_id();
    let mut trailers = MetadataMap::new();
    let error_code = format!("sfdc.platform.eventbus.grpc.{error_code}");
    for (name, value) in [("error-code", error_code.as_str()), ("rpc-id", rpc_id.as_str())] {
        if let Ok(value) = MetadataValue::try_from(value) {
            trailers.insert(name, value);
        }
    }
    Status::with_metadata(code, format!("{text} rpcId: {rpc_id}"), trailers)
}
