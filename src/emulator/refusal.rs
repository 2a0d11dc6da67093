//! Salesforce's "no": an HTTP status, an error code of the Interaction Service, and a sentence of ours.

use serde_json::json;

use super::exchange::ApiResponse;

/// A call that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
}

impl Refusal {
    /// A refusal with the status that its code goes with: 401 for what is wrong with the token, 404 for
    /// what is not there at all, 400 for everything else that the client did.
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        let status = match code {
            10003..=10005 => 401,
            404 | 405 => u16::try_from(code).unwrap_or(404),
            _ => 400,
        };
        Self { status, code, message: message.into() }
    }

    /// A body that is not what the operation takes (10089).
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(10089, message)
    }

    pub(super) fn into_response(self) -> ApiResponse {
        let message = format!("{}: {}", self.code, self.message);
        ApiResponse::json(self.status, json!({ "code": self.code, "message": message }))
    }
}

/// A text from outside, cut to what fits in a message.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut cut: String = text.chars().take(SHOWN).filter(|c| !c.is_control()).collect();
    if text.chars().nth(SHOWN).is_some() {
        cut.push('…');
    }
    cut
}
