//! What HTTP carries of a call.
//!
//! Knows nothing of headers with secrets in them, of hosts, or of time.
//!
//! Elsewhere: what each operation says is in `operations`.

use serde_json::Value;
use uuid::Uuid;

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
    /// The JSON body; of a form, its one part.
    pub body: Value,
    /// How the body is sent.
    pub form: Form,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// As it is: `application/json`.
    Json,
    /// As the part `json` of a form: `multipart/form-data`.
    Multipart,
}

impl WireRequest {
    /// The content type and the bytes. Every try of a call has the same: the boundary follows from its id. A JSON text
    /// has no line break of its own, so that no boundary can stand in it.
    pub fn payload(&self, request_id: Uuid) -> (String, Vec<u8>) {
        let json = self.body.to_string();
        match self.form {
            Form::Json => ("application/json".to_owned(), json.into_bytes()),
            Form::Multipart => {
                let boundary = request_id.simple();
                let part = "Content-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json";
                let body = format!("--{boundary}\r\n{part}\r\n\r\n{json}\r\n--{boundary}--\r\n");
                (format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
            }
        }
    }
}
