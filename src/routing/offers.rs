//! What a fact about an offer, or a command, makes of the request that holds the offer.

use crate::model::ids::RepId;

use super::fact::RequestFact;
use super::offer::OfferState;
use super::progress::{Route, Search};
use super::request::Request;

impl Request {
    /// Makes a fact about an offer part of the state.
    pub(super) fn offer_changed(&mut self, fact: &RequestFact) -> bool {
        let Some(rep) = fact.offer() else { return false };
        let Some(offer) = self.offers.iter_mut().find(|offer| offer.rep == rep) else { return false };
        let Some(state) = offer.after(fact) else { return false };
        offer.creation = offer.creation_after(fact);
        offer.state = state;
        match fact {
            // An accept takes the PSR up (PROTOCOL: "What can happen after the offer").
            RequestFact::OfferAccepted(_) if matches!(self.route, Route::Made(_) | Route::MayExist) => {
                self.route = Route::Gone;
            }
            RequestFact::OfferEnded(..) if self.search == Search::Exhausted => {
                self.search = Search::Idle { dropped: 0 };
            }
            RequestFact::RepRefused { refusal, .. } => {
                self.refusal = Some(Box::new(refusal.clone()));
                if self.search == Search::Exhausted {
                    self.search = Search::Idle { dropped: 0 };
                }
            }
            _ => {}
        }
        true
    }

    /// Lets a command change an offer; `false` where the command does not fit its state.
    pub(super) fn change_offer(
        &mut self,
        rep: RepId,
        change: impl FnOnce(OfferState) -> Option<OfferState>,
    ) -> bool {
        let Some(offer) = self.offers.iter_mut().find(|offer| offer.rep == rep) else { return false };
        match change(offer.state) {
            Some(state) => {
                offer.state = state;
                true
            }
            None => false,
        }
    }
}
