//! Who sees the tries of a client's calls.

use uuid::Uuid;

use super::wire::WireRequest;

/// Sees every try that reached the wire: for recordings, and for whoever wants to know exactly.
pub trait Witness: Send + Sync {
    /// A try is over.
    fn exchanged(&self, exchange: &Exchanged<'_>);
}

/// One try, as it went over the wire. Headers are not shown, so that no token can be kept.
#[derive(Debug, Clone, Copy)]
pub struct Exchanged<'a> {
    /// The `RequestId`, the same for all tries of a call.
    pub request_id: Uuid,
    /// What was sent.
    pub request: &'a WireRequest,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The body of the answer, as far as it came.
    pub body: &'a [u8],
}
