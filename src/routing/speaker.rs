//! What one rep has to do with a conversation: whether what their browser tells or asks is theirs to tell or ask.
//!
//! Only looks. What a rep may not speak about is refused before it reaches the state machine, and by the state
//! machine as well, which takes no word of one rep about an offer to another.

use crate::model::event::WorkChanged;
use crate::model::ids::{AgentWorkId, RepId};

use super::conversation::Conversation;
use super::offer::Offer;

/// Whose an offer is, as seen by one rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferOwner {
    /// It is theirs, or may be: an offer to them is still without an id.
    Theirs,
    /// It was made to somebody else.
    Anothers,
    /// No request here made it: the rep's own first conversation, or an offer that is long over.
    Nobodys,
}

impl Conversation {
    /// Whose the offer of that id is, for a rep who speaks about it.
    pub fn whose(&self, work: AgentWorkId, rep: RepId) -> OfferOwner {
        let offers = || self.requests.iter().flat_map(|request| &request.offers);
        let of_that_id = || offers().filter(|offer| offer.work() == Some(work));
        let nameless = |offer: &Offer| offer.awaits_name() || offer.may_get_name();
        if of_that_id().any(|offer| offer.rep == rep) {
            OfferOwner::Theirs
        } else if of_that_id().next().is_some() {
            OfferOwner::Anothers
        } else if !self.is_past_work(work) && offers().any(|offer| offer.rep == rep && nameless(offer)) {
            OfferOwner::Theirs
        } else {
            OfferOwner::Nobodys
        }
    }

    /// The offer that an event names by its id, and its request; rather one to the rep whom it names too.
    pub(super) fn named_offer(&self, change: &WorkChanged) -> Option<(u32, RepId)> {
        let named = self.requests.iter().flat_map(|request| {
            let of_it = request.offers.iter().filter(|offer| offer.work() == Some(change.work));
            of_it.map(|offer| (request.number, offer.rep))
        });
        named.min_by_key(|(_, rep)| Some(*rep) != change.rep)
    }

    /// Whether a rep has a part in it: is in it, asked for somebody, or was asked. A conversation of which no rep
    /// is known is anybody's, for what would tell of its reps may still be on its way.
    pub fn concerns(&self, rep: RepId) -> bool {
        let is_they = |subject: &str| RepId::parse(subject).is_ok_and(|known| known == rep);
        let in_it = self.participants.iter().any(|participant| is_they(participant.subject.as_str()));
        let asked = self.requests.iter().any(|request| {
            request.requester == Some(rep) || request.offers.iter().any(|offer| offer.rep == rep)
        });
        in_it || asked || !self.participants.iter().any(|participant| participant.as_rep().is_some())
    }
}
