//! A transfer to a rep who has no room: it stays open, and the rep is asked again when they may have some
//! (PROTOCOL: "What can happen after the offer", "Doubts").
//!
//! Salesforce refuses such an offer, so nothing rings meanwhile. It is tried again after growing waits, and at once
//! when something tells that the rep is done with other work.
//!
//! Elsewhere: how long it stays open altogether, in `policy`; which requests wait for room, in `rules`.

use std::time::Duration;

use crate::model::call::Refusal;
use crate::model::ids::RepId;
use crate::model::time::Timestamp;

use super::conversation::Conversation;
use super::decision::Decision;
use super::fact::RequestFact;
use super::offer::OfferState;
use super::policy::Settings;
use super::reason::{Outcome, Reason};
use super::request::Request;
use super::room_wait::RoomWait;
use super::rules::Waits;

/// The wait before the second try; each later one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait between two tries: not everything that frees a rep is told.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Conversation {
    /// The reps for whose room its requests wait.
    pub(super) fn awaited_reps(&self) -> impl Iterator<Item = RepId> {
        self.requests.iter().filter(|request| request.verdict.is_none()).filter_map(Request::awaited_rep)
    }
}

impl Request {
    fn awaited_rep(&self) -> Option<RepId> {
        let rep = self.room.as_deref()?.rep;
        self.candidates.contains(&rep).then_some(rep)
    }

    /// Until when it waits for the rep whom it names, where it does.
    pub(super) fn waits_for_room_until(&self, settings: &Settings) -> Option<Timestamp> {
        let waits = self.rule().is_some_and(|rule| rule.waits == Waits::ForRoom);
        waits.then(|| self.created + settings.policy.transfer_wait())
    }

    /// When the rep who has no room is asked again.
    pub(super) fn room_sought_at(&self) -> Option<Timestamp> {
        self.awaited_rep().and(self.room.as_deref()).map(|room| room.next)
    }

    /// The offer was refused as if it had never been made, and its rep is asked again later.
    pub(super) fn has_no_room(&mut self, rep: RepId, refusal: &Refusal, again_at: Timestamp) -> bool {
        let made = |offer: &super::offer::Offer| {
            offer.rep == rep && matches!(offer.state, OfferState::Making { .. })
        };
        if !self.offers.iter().any(made) || self.verdict.is_some() {
            return false;
        }
        self.offers.retain(|offer| offer.rep != rep);
        self.candidates.push(rep);
        let tries = self.room.as_deref().map_or(0, |room| room.tries).saturating_add(1);
        self.room = Some(Box::new(RoomWait { rep, tries, next: again_at }));
        self.refusal = Some(Box::new(refusal.clone()));
        true
    }

    pub(super) fn room_may_be_free(&mut self, at: Timestamp) -> bool {
        let Some(room) = self.room.as_deref_mut() else { return false };
        room.next = at;
        true
    }
}

impl Decision<'_> {
    /// Whether the refusal of an offer means that its request waits for the rep to have room.
    pub(super) fn waits_for_room(&self, number: u32, refusal: &Refusal) -> bool {
        let Some(request) = self.conversation.request(number) else { return false };
        let waits = request.waits_for_room_until(self.settings).is_some();
        waits && request.verdict.is_none() && !refusal.after_lost_try && refusal.is_for_capacity()
    }

    pub(super) fn rep_has_no_room(&mut self, number: u32, rep: RepId, refusal: Refusal) {
        let tries = self.conversation.request(number).and_then(|request| request.room.as_deref());
        let tries = u32::from(tries.map_or(0, |room| room.tries));
        let again_at = self.now + FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST_WAIT);
        self.about(number, RequestFact::RepHasNoRoom { rep, refusal, again_at });
    }

    /// A rep is done with other work: whoever waits for them tries at once.
    pub(super) fn on_room(&mut self, rep: RepId) {
        let of_rep = |request: &&Request| request.verdict.is_none() && request.awaited_rep() == Some(rep);
        let numbers: Vec<u32> =
            self.conversation.requests.iter().filter(of_rep).map(|it| it.number).collect();
        for number in numbers {
            self.about(number, RequestFact::RoomMayBeFree(self.now));
        }
    }

    /// Ends a transfer whose rep has had no room for all the time that it may wait.
    pub(super) fn end_wait_for_room(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let over = request.waits_for_room_until(self.settings).is_some_and(|until| until <= self.now);
        if over && request.verdict.is_none() && request.room.is_some() && request.held_seats() == 0 {
            self.decide(number, Outcome::Failed, Reason::NoRoom);
        }
    }
}
