//! Who joined, as either side's books have it: they must be the same. And what Salesforce's books say of a request.

use std::collections::BTreeSet;

use byoc_connector::emulator::{Ledger, LedgerEvent, ResultEffect, Salesforce, WorkState};
use byoc_connector::model::ids::{EventId, RepId};
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::Reason;
use byoc_connector::store::OutcomeRecord;

/// Requests, and the reps who joined through them.
pub(crate) type Joined = BTreeSet<(EventId, RepId)>;

/// As the connector has it.
pub(crate) fn said_to_have_joined(outcomes: &[OutcomeRecord]) -> Joined {
    let joined = outcomes.iter().filter_map(|record| match record.ending.reason {
        Reason::Joined(rep) => Some((record.request().clone(), rep)),
        _ => None,
    });
    joined.collect()
}

/// As Salesforce has it: who accepted, and was not put out again. Nobody else may have left meanwhile, but with
/// the session.
pub(crate) fn joined(salesforce: &Salesforce) -> Joined {
    let accepted = salesforce.works().filter(|work| {
        let place = salesforce.conversation(&work.conversation).unwrap();
        salesforce.request(&work.correlation).is_some()
            && matches!(work.state, WorkState::Accepted | WorkState::Closed)
            && (place.is_over() || place.reps().any(|rep| rep == work.rep))
    });
    accepted.map(|work| (work.correlation.clone(), work.rep)).collect()
}

/// Fails with some of those whom only one side knows.
pub(crate) fn assert_same(here: &Joined, there: &Joined) {
    let some = |one: &Joined, other: &Joined| one.difference(other).take(3).cloned().collect::<Vec<_>>();
    assert_eq!(some(here, there), [], "the connector says that these joined, and Salesforce does not");
    assert_eq!(some(there, here), [], "Salesforce says that these joined, and the connector does not");
}

/// How many routing results of a request had an effect; more than one would be a fault of the emulator.
pub(crate) fn effective_results(books: &Ledger, wanted: &EventId) -> usize {
    books.count(|what| {
        matches!(what, LedgerEvent::ResultReceived { request: Some(it), verdict: ResultEffect::Effective, .. }
            if it == wanted)
    })
}

/// The most offers of a request that were unanswered at one time; 1 where reps are rung one at a time.
pub(crate) fn most_open_offers(books: &Ledger, wanted: &EventId) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for entry in books.entries() {
        match &entry.what {
            LedgerEvent::OfferCreated { correlation, .. } if correlation == wanted => open += 1,
            LedgerEvent::OfferChanged {
                correlation,
                change: WorkChange::Accepted | WorkChange::Declined | WorkChange::Cancelled,
                ..
            } if correlation == wanted => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}
