//! What is owed is tried again, with growing waits, until it is done; or an operator says otherwise.
//!
//! Elsewhere: what is owed, and what makes it so, in `owed`.

use std::time::Duration;

use crate::model::call::{Answer, Refusal};
use crate::model::ids::{EventId, RepId};
use crate::model::time::Timestamp;

use super::decision::Decision;
use super::fact::{Intent, RequestFact};
use super::offer::OfferState;
use super::reason::{OfferEndReason, Outcome, Reason};
use super::undo::{OperatorOrder, Owed, Said, Undo};

/// The wait before the second try; each later one doubles it. The client has tried for a minute by then.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// The longest wait between two tries. An org that is back is found so within five minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How long one later try may take, repetitions by the client included.
const TRY_WINDOW: Duration = Duration::from_secs(20);

impl Decision<'_> {
    /// A try was in vain: it is owed from now on, or still. Unless the session was over before the try was made
    /// and Salesforce has answered it: more cannot be done about an offer or a PSR of that session.
    pub(super) fn in_vain(&mut self, number: u32, command: u16, undo: Undo, answer: &Answer) {
        let Some(request) = self.conversation.request(number) else { return };
        let after_the_session = request.session_over_from.is_some_and(|from| command >= from);
        let Said { answer, unanswered } = Said::of(answer);
        let refused = answer.as_ref().is_some_and(Refusal::is_an_answer);
        if refused && after_the_session {
            return self.undone(number, undo);
        }
        let tries = request.owed(undo).map_or(0, |owed| owed.tries);
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST_WAIT);
        let (at, next) = (self.now, self.now + wait);
        self.about(number, RequestFact::Owed { undo, at, next, answer, unanswered });
        // Everybody else has left meanwhile, and a customer is not left alone: who came too late stays.
        if let Undo::Remove(rep) = undo
            && refused
            && self.conversation.is_last_rep(rep)
        {
            self.about(number, RequestFact::OwedDismissed(undo));
            let verdict = self.conversation.request(number).and_then(|request| request.verdict.as_deref());
            if verdict.is_none_or(|verdict| verdict.outcome != Outcome::Joined) {
                self.decide(number, Outcome::Joined, Reason::Joined(rep));
            }
        }
    }

    /// It is undone, or there was nothing to undo.
    pub(super) fn undone(&mut self, number: u32, undo: Undo) {
        match undo {
            Undo::Cancel(rep) => {
                let state = self.conversation.request(number).and_then(|r| r.offer(rep)).map(|o| o.state);
                if let Some(OfferState::TakingBack { why, .. }) = state {
                    self.about(number, RequestFact::OfferEnded(rep, why));
                }
            }
            Undo::Remove(rep) => self.about(number, RequestFact::RepRemoved(rep)),
            Undo::Clear => self.about(number, RequestFact::RouteCleared),
        }
    }

    /// Tries what is owed and due.
    pub(super) fn try_owed(&mut self, number: u32) {
        let due = |owed: &Owed, now: Timestamp| owed.next <= now;
        let Some(request) = self.conversation.request(number) else { return };
        let may_clear = self.conversation.may_clear(request);
        let now = self.now;
        let intents: Vec<Intent> = request
            .to_try()
            .filter(|(owed, intent)| due(owed, now) && (may_clear || !matches!(intent, Intent::Clear(_))))
            .map(|(_, intent)| intent)
            .collect();
        for intent in intents {
            self.command(number, intent, self.now + TRY_WINDOW);
        }
    }

    /// Tries everything at once that this conversation owes.
    pub(super) fn try_all_owed(&mut self) {
        let all: Vec<(u32, Intent)> = self
            .conversation
            .requests
            .iter()
            .flat_map(|request| request.to_try().map(|(_, intent)| (request.number, intent)))
            .collect();
        for (number, intent) in all {
            self.command(number, intent, self.now + TRY_WINDOW);
        }
    }

    pub(super) fn on_operator(&mut self, order: OperatorOrder) {
        match order {
            OperatorOrder::TryNow(id) => {
                let Some((number, undo)) = self.conversation.owing(id) else { return };
                let Some(request) = self.conversation.request(number) else { return };
                let intent = request.to_try().find(|(owed, _)| owed.undo == undo).map(|(_, intent)| intent);
                if let Some(intent) = intent {
                    self.command(number, intent, self.now + TRY_WINDOW);
                }
            }
            OperatorOrder::StrikeOut(id) => {
                if let Some((number, undo)) = self.conversation.owing(id) {
                    self.about(number, RequestFact::OwedDismissed(undo));
                } else if let Some((number, rep)) = self.conversation.unknown_offer(id) {
                    self.about(number, RequestFact::OfferEnded(rep, OfferEndReason::Unknown));
                }
            }
            OperatorOrder::End(event) => self.end_by_operator(&event),
        }
    }

    /// Ends a request that is undecided; of one that is decided, gives up what it still waits for.
    fn end_by_operator(&mut self, event: &EventId) {
        let Some(request) = self.conversation.requests.iter().find(|request| request.event == *event) else {
            return;
        };
        let number = request.number;
        if request.verdict.is_none() {
            return self.decide(number, Outcome::Cancelled, Reason::OperatorEnded);
        }
        let owed: Vec<Undo> = request.owed.iter().map(|owed| owed.undo).collect();
        let nameless: Vec<RepId> = request.unknown_offers().map(|(rep, _)| rep).collect();
        for undo in owed {
            self.about(number, RequestFact::OwedDismissed(undo));
        }
        for rep in nameless {
            self.about(number, RequestFact::OfferEnded(rep, OfferEndReason::Unknown));
        }
    }
}
