//! What HTTP carries of a call.
//!
//! Knows nothing of headers with secrets in them, of hosts, or of time.
//!
//! Elsewhere: what each operation says is in `operations`.

use serde_json::Value;

/// An HTTP method that the Interaction Service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`, with a body
    Delete,
}

impl Method {
    /// As HTTP spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, but for its host and the headers that all requests share.
#[derive(Debug, Clone, PartialEq)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The path below the host, e.g. `/api/v1/route`.
    pub path: &'static str,
    /// The headers of this operation alone, names in small letters.
    pub headers: &'static [(&'static str, &'static str)],
    /// The JSON body.
    pub body: Value,
}
