//! Calls that somebody asks for by name, beside what is routed: a partner or an operator waits for the answer.
//!
//! They are not stored: whoever asks is told what became of the call, and asks again where nobody answered. So only what
//! does no harm when it is done twice may be asked for. Must never know who asks, or what HTTP is.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::ports::Calls;
use crate::interaction::{CallAttempt, ClockSleeper, Try, until_answered};
use crate::model::call::{Answer, Call};
use crate::model::time::Clock;

/// How long a call is tried: somebody waits for it, and can ask again.
const TRIED_FOR: Duration = Duration::from_secs(10);

/// Makes a channel's calls by name. A clone makes the same.
#[derive(Clone)]
pub struct DirectCalls {
    calls: Arc<dyn Calls>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for DirectCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectCalls").finish_non_exhaustive()
    }
}

impl DirectCalls {
    pub(super) fn new(calls: Arc<dyn Calls>, clock: Arc<dyn Clock>) -> Self {
        Self { calls, clock }
    }

    /// Makes a call, in as many tries as it takes within ten seconds. `what` names it: its `RequestId` follows from
    /// that, so that Salesforce can tell that it is the same call when somebody asks again.
    pub async fn make(&self, what: &str, call: Call) -> Answer {
        let request_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes());
        let give_up_at = self.clock.now() + TRIED_FOR;
        let attempt = CallAttempt::new(request_id, Arc::new(call), give_up_at, true);
        let sleeper = ClockSleeper(Arc::clone(&self.clock));
        let send = |one: Try| async move { self.calls.try_once(&one).await };
        until_answered(attempt, &*self.clock, &sleeper, send).await
    }
}
