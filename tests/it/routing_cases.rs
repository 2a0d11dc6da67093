//! The recordings of `fixtures/cases/` about routing: small inputs that once went wrong, and what is right.

use crate::support::replaying::{from_cassette, text};

/// How each ends.
const CASES: [(&str, &str); 1] = [
    // Salesforce refuses two reps of a queue, each for a reason of their own: the third is asked, and joins.
    ("refused-rep", "joined"),
];

#[test]
fn every_case_replays_without_a_difference_and_ends_as_is_right() {
    for (name, outcome) in CASES {
        let told = from_cassette(text(&format!("cases/{name}")));
        assert!(told.differences().is_empty(), "{name}: {:?}", told.differences());
        let outcomes: Vec<_> = told.outcomes().into_values().collect();
        assert_eq!(outcomes, [outcome], "{name}");
    }
}
