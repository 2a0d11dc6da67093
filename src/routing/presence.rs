//! Who is in the conversation. Only joins join.
//!
//! Entries come late and more than once, so each move is remembered with its own time: what is not newer
//! than the last move of somebody changes nothing. A message, typing or a receipt proves that somebody is
//! in only while no leave of theirs is known.
//!
//! Elsewhere: what an accepted offer makes true, in `on_event`.

use crate::model::event::{Participant, ParticipantChange};
use crate::model::ids::RepId;
use crate::model::time::Timestamp;
use crate::model::words::ParticipantRole;

use super::command::Remark;
use super::conversation::Conversation;
use super::decision::Decision;
use super::fact::Fact;
use super::last_move::LastMove;
use super::offer::{Offer, OfferState};
use super::request::Request;
use super::undo::Undo;

/// Of how many participants the last move is remembered. The oldest is forgotten first.
const REMEMBERED_MOVES: usize = 64;

impl Conversation {
    pub(super) fn apply_move(&mut self, who: &Participant, joined: bool, at: Timestamp) {
        self.moves.retain(|known| known.who != *who);
        if self.moves.len() == REMEMBERED_MOVES {
            self.moves.remove(0);
        }
        self.moves.reserve_exact(1);
        self.moves.push(LastMove { who: who.clone(), joined, at });
    }

    fn last_move(&self, who: &Participant) -> Option<&LastMove> {
        self.moves.iter().find(|known| known.who == *who)
    }

    /// The only rep who is in, where it is one.
    pub(super) fn only_rep(&self) -> Option<RepId> {
        let mut reps = self.participants.iter().filter_map(Participant::as_rep);
        reps.next().filter(|_| reps.next().is_none())
    }
}

impl Conversation {
    /// Whether no rep is in it, as far as events have told.
    pub(super) fn has_no_rep(&self) -> bool {
        !self.participants.iter().any(|one| one.as_rep().is_some())
    }

    /// Whether every rep who is known to have been in has left.
    pub(super) fn is_left_alone(&self) -> bool {
        self.has_no_rep() && self.moves.iter().any(|last| !last.joined && last.who.as_rep().is_some())
    }

    /// Whether a transfer that some rep asks for now would begin.
    pub fn may_be_transferred(&self) -> bool {
        self.can_be_relieved(None)
    }

    /// The reps who are being asked, or are about to be: a request for one of them is refused.
    pub fn asked_reps(&self) -> impl Iterator<Item = RepId> {
        let offered = |request: &Request| request.offers.iter().map(|offer| offer.rep).collect::<Vec<_>>();
        let all = self.requests.iter().flat_map(move |it| [offered(it), it.candidates.to_vec()].concat());
        all.filter(|rep| self.may_ring(*rep))
    }

    /// Whether a rep is in it whom no transfer relieves yet; the one who asks, where that is known.
    pub(super) fn can_be_relieved(&self, asks: Option<RepId>) -> bool {
        let transfers = || self.requests.iter().filter(|it| it.is_transfer() && it.verdict.is_none());
        let by_same = asks.is_some_and(|rep| transfers().any(|it| it.requester == Some(rep)));
        let reps = self.participants.iter().filter(|one| one.as_rep().is_some()).count();
        !by_same && transfers().count() < reps.max(1)
    }
}

impl Decision<'_> {
    /// Somebody came or went.
    pub(super) fn on_participant(&mut self, change: ParticipantChange) {
        let ParticipantChange { participant, joined, at } = change;
        let last = self.conversation.last_move(&participant);
        // Within one millisecond somebody can come and go, and not the other way round.
        let stale = |last: &LastMove| at < last.at || (at == last.at && (joined || !last.joined));
        if last.is_some_and(stale) {
            self.remark(Remark::OldMove(participant));
            return;
        }
        // An end user is in from the beginning to the end.
        if last.is_some() || !joined || participant.role != ParticipantRole::EndUser {
            self.fact(Fact::ParticipantMoved { who: participant.clone(), joined, at });
        }
        let rep = participant.as_rep();
        if joined {
            if let Some(rep) = rep {
                self.confirm_by_joining(rep);
            }
            if self.join(participant)
                && let Some(rep) = rep
            {
                self.announce(rep, true);
                self.has_found_its_rep(rep);
            }
        } else if self.conversation.participants.contains(&participant) {
            self.fact(Fact::ParticipantLeft(participant));
            if let Some(rep) = rep {
                self.announce(rep, false);
                self.removal_done_by_leaving(rep);
            }
        }
    }

    /// Somebody showed that they are in the conversation, or were when they did so.
    pub(super) fn see(&mut self, participant: Participant) {
        if self.conversation.last_move(&participant).is_none_or(|last| last.joined) {
            let rep = participant.as_rep();
            if self.join(participant)
                && let Some(rep) = rep
            {
                self.announce(rep, true);
            }
        }
    }

    pub(super) fn join(&mut self, participant: Participant) -> bool {
        let new = participant.role.counts() && !self.conversation.participants.contains(&participant);
        if new {
            self.fact(Fact::ParticipantJoined(participant));
        }
        new
    }

    /// Somebody is out, as something else than an entry of theirs tells: it says nothing of when.
    pub(super) fn is_out(&mut self, participant: Participant) {
        let at = self.conversation.last_move(&participant).map(|last| last.at).unwrap_or_default();
        self.fact(Fact::ParticipantMoved { who: participant, joined: false, at });
    }

    /// Whoever is in loses their seat with the session.
    pub(super) fn all_are_out(&mut self) {
        let inside = self.conversation.participants.iter().filter(|p| p.role != ParticipantRole::EndUser);
        for participant in inside.cloned().collect::<Vec<_>>() {
            self.is_out(participant);
        }
    }

    /// A rep with an open offer who turns up in the conversation has accepted it; or one that nobody has told of:
    /// it was given up on, or was refused when it was tried again after an answer that was lost.
    fn confirm_by_joining(&mut self, rep: RepId) {
        let request_with = |fits: fn(&Offer) -> bool| {
            self.conversation.requests.iter().find(|request| request.offer(rep).is_some_and(fits))
        };
        // Who is in already has come by another offer.
        let is_in = self.conversation.participants.iter().any(|one| one.as_rep() == Some(rep));
        let given_up = || request_with(Offer::may_get_name).filter(|_| !is_in);
        let accepted = request_with(Offer::is_open).or_else(given_up);
        if let Some(number) = accepted.map(|request| request.number) {
            self.on_accepted(number, rep);
        }
    }

    /// A rep who accepted too late has been taken out.
    pub(super) fn on_removed(&mut self, number: u32, rep: RepId) {
        self.undone(number, Undo::Remove(rep));
        if let Some(participant) = Participant::rep(rep)
            && self.conversation.participants.contains(&participant)
        {
            self.is_out(participant.clone());
            self.fact(Fact::ParticipantLeft(participant));
            self.announce(rep, false);
        }
    }

    /// A rep who was to be removed has left: there is nothing to undo any more.
    fn removal_done_by_leaving(&mut self, rep: RepId) {
        let owed = |request: &&Request| {
            request.offer(rep).is_some_and(|offer| matches!(offer.state, OfferState::RemovalOwed { .. }))
        };
        if let Some(number) = self.conversation.requests.iter().find(owed).map(|request| request.number) {
            self.undone(number, Undo::Remove(rep));
        }
    }
}
