//! The JSON lines of a replay (DESIGN: "Commands"): first the calls, in the order in which they were
//! made, then the requests that ended.

use serde::Serialize;
use serde_json::Value;

use crate::cli::{Error, Output};
use crate::model::ids::EventId;
use crate::replay::{Note, What};

/// Writes the calls at once and keeps the endings until all calls are written.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    endings: Vec<EndingLine>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallLine<'a> {
    at: String,
    routing_request: &'a EventId,
    operation: &'a str,
    method: &'a str,
    path: &'a str,
    body: &'a Value,
    status: Option<u16>,
    response: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndingLine {
    at: String,
    routing_request: EventId,
    outcome: &'static str,
    reason: String,
}

impl JsonLines {
    pub(super) fn show(&mut self, output: &Output, note: &Note) -> Result<(), Error> {
        match &note.what {
            What::Call(call) => output.json(&CallLine {
                at: note.at.to_string(),
                routing_request: &call.request,
                operation: call.operation,
                method: call.method,
                path: call.path,
                body: &call.body,
                status: call.status,
                response: call.response.as_ref(),
            }),
            What::Ended { request, at, outcome, reason, .. } => {
                self.endings.push(EndingLine {
                    at: at.to_string(),
                    routing_request: request.clone(),
                    outcome: outcome.as_str(),
                    reason: reason.to_string(),
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn finish(&mut self, output: &Output) -> Result<(), Error> {
        self.endings.drain(..).try_for_each(|ending| output.json(&ending))
    }
}
