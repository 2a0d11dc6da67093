//! What is open at Salesforce of conversations that nobody works on any more.
//!
//! Counts and names nothing: which ones they are stays in the store.

use serde::Serialize;

use super::conversation::Conversation;
use super::conversations::Conversations;
use super::offer::Offer;
use super::progress::Route;

/// What is open at Salesforce, or may be: of requests that go on, and of those that have ended and are not cleaned up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOpen {
    /// Requests that have no outcome.
    pub requests: usize,
    /// Offers that their reps may still accept.
    pub offers: usize,
    /// PSRs that are there, or may be.
    pub psrs: usize,
    /// Clean-ups that failed and were to be tried again: of these offers and PSRs, and of reps to be taken out.
    pub owed: usize,
}

impl LeftOpen {
    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what is open elsewhere.
    pub fn add(&mut self, other: Self) {
        let Self { requests, offers, psrs, owed } = other;
        self.requests = self.requests.saturating_add(requests);
        self.offers = self.offers.saturating_add(offers);
        self.psrs = self.psrs.saturating_add(psrs);
        self.owed = self.owed.saturating_add(owed);
    }

    fn of(conversation: &Conversation) -> Self {
        let requests = || conversation.requests.iter();
        let has_psr = |route: &Route| match route {
            Route::Asked(_)
            | Route::Made(_)
            | Route::MayExist
            | Route::Clearing(..)
            | Route::ClearOwed(_) => true,
            Route::NotNeeded | Route::Wanted | Route::Gone => false,
        };
        Self {
            requests: requests().filter(|request| request.verdict.is_none()).count(),
            offers: requests()
                .flat_map(|request| &request.offers)
                .filter(|offer: &&Offer| offer.is_open())
                .count(),
            psrs: requests().filter(|request| has_psr(&request.route)).count(),
            owed: conversation.owes().map_or(0, |owes| owes.count),
        }
    }
}

impl Conversations {
    /// What all of them have open at Salesforce.
    pub fn left_open(&self) -> LeftOpen {
        let mut all = LeftOpen::default();
        self.busy().for_each(|conversation| all.add(LeftOpen::of(conversation)));
        all
    }
}
