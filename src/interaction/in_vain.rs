//! Calls that undo something at Salesforce, and fail so far: to be looked at before they are given up.
//!
//! Decides nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::try_outcome::Rejection;
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

/// A call under way, which is not in vain any more when it is over.
pub(super) struct UnderWay<'a> {
    all: &'a InVain,
    id: Uuid,
}

impl InVain {
    /// All of them.
    pub fn all(&self) -> HashMap<Uuid, Failing> {
        self.lock().clone()
    }

    /// A call begins; none where it undoes nothing.
    pub(super) fn begin(&self, id: Uuid, call: &Call) -> Option<UnderWay<'_>> {
        let undoes = matches!(
            call,
            Call::CancelAgentWork { .. } | Call::ClearRoute { .. } | Call::RemoveParticipant { .. }
        );
        undoes.then_some(UnderWay { all: self, id })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Failing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    /// A try has failed. Returns whether it was the first.
    pub(super) fn failed(&self, now: Timestamp, next_try: Timestamp, said: &Rejection) -> bool {
        let Rejection { status, code, message } = said.clone();
        let answer = match status {
            0 => message.to_string(),
            _ => Refusal { status, code, message, after_lost_try: false }.to_string(),
        };
        let mut all = self.all.lock();
        let since = all.get(&self.id).map(|failing| failing.since);
        all.insert(self.id, Failing { since: since.unwrap_or(now), next_try, answer });
        since.is_none()
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::AgentWorkId;

    #[test]
    fn a_call_is_in_vain_from_its_first_failure_until_it_is_over() {
        let at = Timestamp::from_millis;
        let (all, id) = (InVain::default(), Uuid::from_u128(7));
        let call = Call::CancelAgentWork { work: AgentWorkId::parse("0Bz000000000001").unwrap() };
        let under_way = all.begin(id, &call).unwrap();
        assert_eq!(all.all().len(), 0, "nothing has failed yet");
        let no = |status| Rejection { status, code: None, message: "busy".into() };
        assert!(under_way.failed(at(1), at(2), &no(503)));
        assert!(!under_way.failed(at(3), at(5), &no(0)));
        let failing = Failing { since: at(1), next_try: at(5), answer: "busy".to_owned() };
        assert_eq!(all.all(), HashMap::from([(id, failing)]));
        assert!(!under_way.failed(at(6), at(9), &no(503)));
        assert_eq!(all.all()[&id].answer, "HTTP 503: busy");
        drop(under_way);
        assert_eq!(all.all().len(), 0);
    }
}
