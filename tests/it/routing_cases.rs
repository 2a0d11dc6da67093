//! The recordings of `fixtures/cases/` about routing: small inputs that once went wrong, and what is right.

use byoc_connector::replay::What;

use crate::support::replaying::{from_cassette, text};

/// How the requests of each end, in order.
const CASES: [(&str, &[&str]); 5] = [
    // Salesforce refuses two reps of a queue, each for a reason of their own: the third is asked, and joins.
    ("refused-rep", &["joined"]),
    // A rep who left is not brought back by what they wrote, typed or read before, and can be invited.
    ("words-behind-the-leave", &["joined"]),
    // From a status other than Active, and a second time soon after: routed both times.
    ("waiting-after-inactive", &["joined", "joined"]),
    // Nothing is begun while a rep rings; when that rep declines, the customer is not left waiting.
    ("waiting-behind-a-decline", &["declined", "joined"]),
    // The request waits for the event that tells its work item.
    ("work-item-told-later", &["joined"]),
];

#[test]
fn every_case_replays_without_a_difference_and_ends_as_is_right() {
    for (name, right) in CASES {
        let told = from_cassette(text(&format!("cases/{name}")));
        assert!(told.differences().is_empty(), "{name}: {:?}", told.differences());
        let outcomes = told.notes.iter().filter_map(|note| match &note.what {
            What::Ended { outcome, .. } => Some(outcome.as_str()),
            _ => None,
        });
        assert_eq!(outcomes.collect::<Vec<_>>(), right, "{name}");
    }
}
