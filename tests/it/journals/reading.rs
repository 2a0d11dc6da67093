//! Golden journals, read, cut after each fact, taken up and ended.

use std::collections::BTreeMap;

use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::Conversation;
use byoc_connector::store::format::{self, CURRENT};

use super::ending::{Answering, end};
use super::golden::{self, Row};
use super::writing;
use crate::support::scenario::settings;

fn ends(state: &Conversation, at: Timestamp) -> Result<(), String> {
    [Answering::Always, Answering::LateOn].into_iter().try_for_each(|how| end(state.clone(), at, how))
}

/// Applies a row's facts one by one. After each the conversation can be taken up; after the last, which is where
/// a turn ends and a store can be cut, it is, and ends.
fn cut(states: &mut BTreeMap<String, Conversation>, format: u32, row: &Row) -> Result<usize, String> {
    let id = ConversationId::parse(&row.conversation).unwrap();
    if row.began {
        states.insert(row.conversation.clone(), Conversation::new(id));
    }
    let state = states.get_mut(&row.conversation).ok_or("it never began")?;
    let at = Timestamp::from_millis(row.at);
    let facts = serde_json::to_string(&row.facts).unwrap();
    let facts = format::facts(format.into(), &facts).map_err(|error| format!("{facts}: {error}"))?;
    let cuts = facts.len();
    for fact in facts {
        state.apply(&fact).map_err(|error| error.to_string())?;
        state.outstanding(&settings());
    }
    if !row.facts.is_empty() {
        ends(state, at)?;
    }
    if let Some(stored) = &row.state {
        let stored = stored.to_string();
        let stored = format::state(format.into(), &stored).map_err(|error| format!("{stored}: {error}"))?;
        assert_eq!(stored.id().as_str(), row.conversation);
        if !row.facts.is_empty() {
            assert_eq!(&stored, state, "the state is what the facts make");
        }
        ends(&stored, at)?;
        *state = stored;
    }
    Ok(cuts)
}

/// Reads journals that a format has, and says how many cuts there were.
fn read(format: u32, journals: &[(String, Vec<Row>)]) -> usize {
    let mut cuts = 0;
    for (name, rows) in journals {
        let mut states = BTreeMap::new();
        for (line, row) in (1..).zip(rows) {
            let cut = cut(&mut states, format, row);
            cuts += cut.unwrap_or_else(|wrong| panic!("format {format}, {name}:{line}: {wrong}"));
            for ended in &row.endings {
                format::reason(format.into(), &ended.reason.to_string()).unwrap();
            }
        }
    }
    cuts
}

#[test]
fn golden_journals_of_every_format_read_and_end_wherever_they_are_cut() {
    for format in 1..CURRENT {
        let cuts = read(format, &golden::all(format));
        assert!(cuts > 300, "{cuts} cuts in format {format}");
    }
}

#[test]
fn journals_of_this_release_read_and_end_wherever_they_are_cut() {
    let cuts = read(CURRENT, &writing::journals(20));
    assert!(cuts > 300, "{cuts} cuts");
}
