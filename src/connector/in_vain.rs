//! Calls that undo something at Salesforce, and fail so far: to be looked at before they are given up.
//!
//! Decides nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::interaction::{Operation, Rejection};
use crate::model::call::{Call, Refusal};
use crate::model::time::Timestamp;

/// A call that fails so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub next_try: Timestamp,
    /// What Salesforce said last, or what came in the place of an answer.
    pub answer: String,
}

/// The calls that fail so far, by their `RequestId`. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct InVain(Arc<Mutex<HashMap<Uuid, Failing>>>);

impl InVain {
    /// All of them.
    pub fn all(&self) -> HashMap<Uuid, Failing> {
        self.lock().clone()
    }

    /// A try has failed. Returns whether it was the first of a call that undoes something; others are not kept.
    pub(super) fn failed(
        &self,
        now: Timestamp,
        id: Uuid,
        call: &Call,
        next_try: Timestamp,
        said: &Rejection,
    ) -> bool {
        if !Operation::of(call).effect.undoes() {
            return false;
        }
        let Rejection { status, code, message } = said.clone();
        let answer = match status {
            0 => message.to_string(),
            _ => Refusal { status, code, message, after_lost_try: false }.to_string(),
        };
        let mut all = self.lock();
        let since = all.get(&id).map(|failing| failing.since);
        all.insert(id, Failing { since: since.unwrap_or(now), next_try, answer });
        since.is_none()
    }

    /// A call is over.
    pub(super) fn over(&self, id: Uuid) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Failing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::call::UpdateAgentWork;
    use crate::model::ids::AgentWorkId;

    #[test]
    fn a_call_is_in_vain_from_its_first_failure_until_it_is_over() {
        let at = Timestamp::from_millis;
        let (all, id) = (InVain::default(), Uuid::from_u128(7));
        let call =
            Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").unwrap()));
        let no = |status| Rejection { status, code: None, message: "busy".into() };
        assert!(all.failed(at(1), id, &call, at(2), &no(503)));
        assert!(!all.failed(at(3), id, &call, at(5), &no(0)));
        let failing = Failing { since: at(1), next_try: at(5), answer: "busy".to_owned() };
        assert_eq!(all.all(), HashMap::from([(id, failing)]));
        assert!(!all.failed(at(6), id, &call, at(9), &no(503)));
        assert_eq!(all.all()[&id].answer, "HTTP 503: busy");
        all.over(id);
        assert_eq!(all.all().len(), 0);
    }
}
