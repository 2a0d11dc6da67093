//! Golden journals, read, cut after each fact, taken up and ended.

use std::collections::BTreeMap;

use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Conversation, Fact};

use super::ending::{Answering, end};
use super::golden::{self, Row};
use crate::support::scenario::settings;

fn ends(state: &Conversation, at: Timestamp) -> Result<(), String> {
    [Answering::Always, Answering::LateOn].into_iter().try_for_each(|how| end(state.clone(), at, how))
}

/// Applies a row's facts one by one. After each the conversation can be taken up; after the last, which is where
/// a turn ends and a store can be cut, it is, and ends.
fn cut(states: &mut BTreeMap<String, Conversation>, row: &Row) -> Result<usize, String> {
    let id = ConversationId::parse(&row.conversation).unwrap();
    if row.began {
        states.insert(row.conversation.clone(), Conversation::new(id));
    }
    let state = states.get_mut(&row.conversation).ok_or("it never began")?;
    let at = Timestamp::from_millis(row.at);
    let mut cuts = 0;
    for fact in &row.facts {
        let fact: Fact = serde_json::from_value(fact.clone()).map_err(|error| format!("{fact}: {error}"))?;
        state.apply(&fact).map_err(|error| error.to_string())?;
        cuts += 1;
        state.outstanding(&settings());
    }
    if !row.facts.is_empty() {
        ends(state, at)?;
    }
    if let Some(stored) = &row.state {
        let stored: Conversation =
            serde_json::from_value(stored.clone()).map_err(|error| format!("{stored}: {error}"))?;
        assert_eq!(stored.id().as_str(), row.conversation);
        if !row.facts.is_empty() {
            assert_eq!(&stored, state, "the state is what the facts make");
        }
        ends(&stored, at)?;
        *state = stored;
    }
    Ok(cuts)
}

#[test]
fn golden_journals_read_and_end_wherever_they_are_cut() {
    let mut cuts = 0;
    for (name, rows) in golden::all(1) {
        let mut states = BTreeMap::new();
        for (line, row) in (1..).zip(&rows) {
            cuts += cut(&mut states, row).unwrap_or_else(|wrong| panic!("{name}:{line}: {wrong}"));
        }
    }
    assert!(cuts > 300, "{cuts} cuts");
}
