//! What must be undone at Salesforce and could not be yet: an offer to take back, a PSR to clear, a rep to
//! remove (PROTOCOL: "Failures of a call, and what is owed").
//!
//! A request stays open while it owes something. What is owed is tried again, with growing waits, until it is
//! done or there is nothing to undo; or until an operator strikes it out.
//!
//! Invariants (numbered as in the design)
//! 8. What must be undone is owed until it is undone, or there is nothing to undo.
//!
//! Here is what is owed, as state and as a person may look at it. Elsewhere: the first try of each is commanded in
//! `next`; what its answer means is in `on_answer`; later tries, and what operators order, are in `on_owed`.

use serde::Serialize;
use uuid::Uuid;

use crate::model::ids::{AgentWorkId, ConversationId, EventId, RepId, WorkItemId};
use crate::model::time::{self, Timestamp};

use super::conversation::Conversation;
use super::fact::Intent;
use super::offer::{Offer, OfferState};
use super::owing::Owes;
use super::policy::ORPHAN_WINDOW;
use super::progress::Route;
use super::reason::{Conclusion, Ending, OfferEndReason};
use super::request::Request;
use super::undo::{Owed, Said, Undo};

/// What an offer is listed as that cannot be taken back, for its id is not known.
const UNKNOWN_OFFER: &str = "unknownOffer";

/// Something that is owed, as a person may look at it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwedView {
    /// Names it: the same as long as it is owed.
    pub id: Uuid,
    /// The routing event whose request owes it.
    pub request: EventId,
    /// Where.
    pub conversation: ConversationId,
    /// Its work item, where known.
    pub work_item: Option<WorkItemId>,
    /// What is to be undone: `cancelOffer`, `clearRoute` or `removeRep`; or `unknownOffer`, an offer whose id Salesforce
    /// has not told, so that there is no call to make.
    pub undo: &'static str,
    /// The rep whom it is about; none for a PSR.
    pub rep: Option<RepId>,
    /// The offer, for one that is to be taken back.
    pub work: Option<AgentWorkId>,
    /// When it was tried in vain for the first time.
    #[serde(serialize_with = "time::as_text")]
    pub since: Timestamp,
    /// How often it was tried in vain, each time with repetitions; 0 while those of the first time go on.
    pub tries: u32,
    /// When it is tried again; none while a try is under way.
    #[serde(serialize_with = "time::as_text_or_null")]
    pub next_try: Option<Timestamp>,
    /// What Salesforce said last, or what came in the place of an answer.
    pub last_answer: Option<String>,
}

impl Request {
    /// Makes it part of the state that a try was in vain. `false` where nothing of the kind was tried.
    pub(super) fn owe(&mut self, undo: Undo, at: Timestamp, next: Timestamp, said: Said) -> bool {
        let fits = match (undo, self.route) {
            (Undo::Cancel(rep), _) => self.change_offer(rep, |state| match state {
                OfferState::TakingBack { work, why, .. } => Some(OfferState::CancelOwed { work, why }),
                _ => None,
            }),
            (Undo::Remove(rep), _) => self.change_offer(rep, |state| match state {
                OfferState::Removing { work, .. } => Some(OfferState::RemovalOwed { work }),
                _ => None,
            }),
            (Undo::Clear, Route::Clearing(_, reason)) => {
                self.route = Route::ClearOwed(reason);
                true
            }
            (Undo::Clear, _) => false,
        };
        if fits {
            match self.owed.iter_mut().find(|owed| owed.undo == undo) {
                Some(owed) => {
                    owed.tries = owed.tries.saturating_add(1);
                    owed.next = next;
                    owed.said = said;
                }
                None => self.owed.push(Owed { undo, since: at, tries: 1, next, said }),
            }
        }
        fits
    }

    /// Makes it part of the state that an operator has struck it out.
    pub(super) fn strike_out(&mut self, undo: Undo) -> bool {
        if self.owed(undo).is_none() {
            return false;
        }
        match undo {
            Undo::Cancel(rep) => self.change_offer(rep, |state| match state {
                OfferState::TakingBack { work, why, .. }
                | OfferState::CancelRefused { work, why, .. }
                | OfferState::CancelOwed { work, why } => Some(OfferState::Over { work: Some(work), why }),
                _ => None,
            }),
            Undo::Remove(rep) => self.change_offer(rep, |state| match state {
                OfferState::Removing { work, .. } | OfferState::RemovalOwed { work } => {
                    Some(OfferState::Over { work, why: OfferEndReason::Removed })
                }
                _ => None,
            }),
            Undo::Clear => {
                self.route = Route::Gone;
                true
            }
        }
    }

    /// Drops what is not owed any more, because of what has happened to it meanwhile.
    pub(super) fn settle_owed(&mut self) {
        let (offers, route) = (&self.offers, self.route);
        let state = |rep| offers.iter().find(|offer| offer.rep == rep).map(|offer| offer.state);
        self.owed.retain(|owed| match owed.undo {
            Undo::Cancel(rep) => matches!(
                state(rep),
                Some(
                    OfferState::TakingBack { .. }
                        | OfferState::CancelRefused { .. }
                        | OfferState::CancelOwed { .. }
                )
            ),
            Undo::Remove(rep) => {
                matches!(state(rep), Some(OfferState::Removing { .. } | OfferState::RemovalOwed { .. }))
            }
            Undo::Clear => matches!(route, Route::Clearing(..) | Route::ClearOwed(_)),
        });
    }

    pub(super) fn owed(&self, undo: Undo) -> Option<&Owed> {
        self.owed.iter().find(|owed| owed.undo == undo)
    }

    /// What is owed and not being tried.
    pub(super) fn to_try(&self) -> impl Iterator<Item = (&Owed, Intent)> {
        self.owed.iter().filter_map(|owed| {
            let state = |rep| self.offer(rep).map(|offer| offer.state);
            let intent = match (owed.undo, self.route) {
                (Undo::Cancel(rep), _) => match state(rep)? {
                    OfferState::CancelOwed { why, .. } => Intent::TakeBack(rep, why),
                    _ => return None,
                },
                (Undo::Remove(rep), _) => match state(rep)? {
                    OfferState::RemovalOwed { .. } => Intent::Remove(rep),
                    _ => return None,
                },
                (Undo::Clear, Route::ClearOwed(reason)) => Intent::Clear(reason),
                (Undo::Clear, _) => return None,
            };
            Some((owed, intent))
        })
    }

    /// Whether an offer is owed a cancel and has been for so long that no word of its rep is awaited any more.
    pub(super) fn word_of_cancel_by(&self, offer: &Offer) -> Option<Timestamp> {
        let owed = self.owed(Undo::Cancel(offer.rep))?;
        matches!(offer.state, OfferState::CancelOwed { .. })
            .then(|| owed.since + super::policy::SETTLE_WINDOW)
    }

    /// Its last word, as it is told.
    pub(super) fn ending(&self, verdict: &Conclusion) -> Ending {
        let Conclusion { outcome, reason, at } = verdict.clone();
        Ending { request: self.event.clone(), at, outcome, reason }
    }

    /// The reps to whom an offer was or may have been made that nobody can name, and since when that is clear: their
    /// consoles may ring, and no call can take that back.
    pub(super) fn unknown_offers(&self) -> impl Iterator<Item = (RepId, Timestamp)> {
        self.offers.iter().filter_map(|offer| match offer.state {
            OfferState::Abandoned { until, .. } => Some((offer.rep, until - ORPHAN_WINDOW)),
            _ => None,
        })
    }

    /// Names what it owes, for ever the same way.
    pub(super) fn owed_id(&self, undo: &str, rep: Option<RepId>) -> Uuid {
        const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d6f_4e65_8e64_746f_722d_3032);
        let rep = rep.as_ref().map_or("", RepId::as_str);
        let name = [self.event.as_str(), undo, rep].join("/");
        Uuid::new_v5(&NAMESPACE, name.as_bytes())
    }
}

impl Conversation {
    /// Everything that it owes.
    pub fn owed(&self) -> impl Iterator<Item = OwedView> {
        self.requests.iter().flat_map(move |request| {
            let owed = request.owed.iter().map(move |owed| self.view_of_owed(request, owed));
            let unknown = request.unknown_offers();
            owed.chain(unknown.map(move |(rep, since)| OwedView {
                id: request.owed_id(UNKNOWN_OFFER, Some(rep)),
                request: request.event.clone(),
                conversation: self.id.clone(),
                work_item: self.work_item,
                undo: UNKNOWN_OFFER,
                rep: Some(rep),
                work: None,
                since,
                tries: 0,
                next_try: None,
                last_answer: None,
            }))
        })
    }

    fn view_of_owed(&self, request: &Request, owed: &Owed) -> OwedView {
        let rep = owed.undo.rep();
        let waits = request.to_try().any(|(waiting, _)| waiting.undo == owed.undo);
        OwedView {
            id: request.owed_id(owed.undo.word(), rep),
            request: request.event.clone(),
            conversation: self.id.clone(),
            work_item: self.work_item,
            undo: owed.undo.word(),
            rep,
            work: rep.and_then(|rep| request.offer(rep)).and_then(Offer::work),
            since: owed.since,
            tries: owed.tries,
            next_try: waits.then_some(owed.next),
            last_answer: owed.said.in_words(),
        }
    }

    /// How much it owes, and since when the oldest of it is owed.
    pub fn owes(&self) -> Option<Owes> {
        let all = || {
            self.requests.iter().flat_map(|request| {
                let unknown = request.unknown_offers().map(|(_, since)| since);
                request.owed.iter().map(|owed| owed.since).chain(unknown)
            })
        };
        let oldest = all().min()?;
        Some(Owes { count: all().count(), oldest })
    }

    /// Whether all that is open waits for the next try of something that is owed, each tried so often already.
    pub fn only_owes(&self, tries: u32) -> bool {
        self.requests.iter().all(|request| {
            let waiting = request.to_try().count();
            request.verdict.is_some()
                && request.in_flight().is_empty()
                && waiting > 0
                && request.to_try().all(|(owed, _)| owed.tries >= tries)
        })
    }

    /// The last words of its open requests, where they are spoken and the cleaning up goes on.
    pub fn decided(&self) -> impl Iterator<Item = Ending> {
        self.requests.iter().filter_map(|request| Some(request.ending(request.verdict.as_deref()?)))
    }

    /// When something that is owed is to be tried again.
    pub(super) fn next_try(&self, request: &Request) -> Option<Timestamp> {
        let may_be_tried = |intent: &Intent| !matches!(intent, Intent::Clear(_)) || self.may_clear(request);
        request.to_try().filter(|(_, intent)| may_be_tried(intent)).map(|(owed, _)| owed.next).min()
    }

    /// Whether the conversation's PSR may be cleared for this request: a clear names no PSR, so it waits until
    /// no other request needs its own.
    pub(super) fn may_clear(&self, request: &Request) -> bool {
        !self.requests.iter().any(|other| other.number != request.number && other.needs_route())
    }

    pub(super) fn owing(&self, id: Uuid) -> Option<(u32, Undo)> {
        self.requests.iter().find_map(|request| {
            let is_it = |owed: &&Owed| request.owed_id(owed.undo.word(), owed.undo.rep()) == id;
            Some((request.number, request.owed.iter().find(is_it)?.undo))
        })
    }

    /// The offer of unknown id that is listed under this id.
    pub(super) fn unknown_offer(&self, id: Uuid) -> Option<(u32, RepId)> {
        self.requests.iter().find_map(|request| {
            let mut reps = request.unknown_offers().map(|(rep, _)| rep);
            let rep = reps.find(|rep| request.owed_id(UNKNOWN_OFFER, Some(*rep)) == id)?;
            Some((request.number, rep))
        })
    }
}
