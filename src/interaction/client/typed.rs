//! One call and what it tells, for embedders who call without the routing core.

use uuid::Uuid;

use super::Client;
use crate::interaction::error::{Failure, reply};
use crate::interaction::line::Priority;
use crate::interaction::operations::ApiCall;
use crate::model::call::Call;
use crate::model::time::Timestamp;

/// A call's identity and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The `RequestId` of every try.
    pub request_id: Uuid,
    /// When its caller gives up.
    pub give_up_at: Timestamp,
}

impl Client {
    /// Makes a call of any operation ([`Route`](crate::model::call::Route) and so on), and reads what it tells.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time.
    pub async fn make<C: ApiCall>(&self, attempt: Attempt, call: C) -> Result<C::Reply, Failure> {
        let Attempt { request_id, give_up_at } = attempt;
        let call: Call = call.into();
        let answer = self.send(request_id, &call, give_up_at, Priority::of(&call)).await;
        reply(answer).map(C::Reply::from)
    }
}
