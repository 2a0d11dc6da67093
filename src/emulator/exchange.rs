//! A call to the Interaction Service and its answer, as they come over the wire.

use serde_json::Value;

/// A call to the Interaction Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// From `/api/v1/` on; a query is ignored.
    pub path: String,
    /// Name and value; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl ApiRequest {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers beside the content type.
    pub headers: Vec<(String, String)>,
    /// The body; `null` for none.
    pub body: Value,
}

impl ApiResponse {
    pub(super) const fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// The error code in the body, where there is one.
    pub fn code(&self) -> Option<u32> {
        let code = self.body.get("code").or_else(|| self.body.pointer("/errorDetail/code"));
        code.and_then(Value::as_u64).and_then(|code| u32::try_from(code).ok())
    }
}

/// What the network makes of a call's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFate {
    /// It arrives.
    Answer {
        /// After so many milliseconds.
        after_ms: u64,
        /// The answer.
        response: ApiResponse,
    },
    /// It never arrives: the connection breaks.
    NoAnswer {
        /// After so many milliseconds.
        after_ms: u64,
        /// Whether the call was carried out. The caller of a real API cannot know.
        carried_out: bool,
    },
}
