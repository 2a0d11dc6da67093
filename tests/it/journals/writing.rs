//! Journals as this release writes them: of every recording in `fixtures/`, and of seeds of the simulation
//! that reach what no recording does.

use std::collections::{BTreeMap, BTreeSet};

use byoc_connector::model::ids::ConversationId;
use byoc_connector::routing::{Conversation, Fact};
use serde_json::Value;

use super::golden::{self, Ended, Row};
use super::scripted;
use crate::simulation::seeds;
use crate::support::replaying;

/// Set to a format's number, and its golden journals are written anew.
pub(crate) const WRITE: &str = "BYOC_WRITE_JOURNALS";

/// How many seeds are looked through for something new: where journals are written, and where they are not.
const SEEDS: (u64, u64) = (3_000, 100);

/// The journals of this release, by name.
pub(crate) fn journals(seeds: u64) -> Vec<(String, Vec<Row>)> {
    let mut all: Vec<_> =
        replaying::names().into_iter().map(|name| (name.clone(), recorded(&name))).collect();
    let mut known: BTreeSet<String> = all.iter().flat_map(|(_, rows)| rows).flat_map(shapes).collect();
    let mut simulated = Vec::new();
    let (mut states, mut known_states) = (Vec::new(), BTreeSet::new());
    for seed in 0..seeds {
        for rows in one_each(seed, &mut known_states, &mut states) {
            let news: Vec<String> =
                rows.iter().flat_map(shapes).filter(|shape| !known.contains(shape)).collect();
            if !news.is_empty() {
                known.extend(news);
                simulated.extend(rows);
            }
        }
    }
    all.push(("simulated".to_owned(), simulated));
    all.push(("scripted".to_owned(), scripted::journals()));
    all.push(("open-states".to_owned(), states));
    all
}

fn recorded(name: &str) -> Vec<Row> {
    replaying::journal(replaying::text(name))
        .into_iter()
        .map(|row| {
            let ended = |ending: byoc_connector::routing::Ending| Ended {
                request: ending.request.to_string(),
                at: ending.at.as_millis(),
                outcome: ending.outcome.as_str().to_owned(),
                reason: serde_json::to_value(ending.reason).unwrap(),
            };
            Row {
                at: row.at.as_millis(),
                conversation: row.conversation.to_string(),
                began: row.began,
                ended: row.ended,
                facts: row.facts.iter().map(|fact| serde_json::to_value(fact).unwrap()).collect(),
                state: row.state.map(|state| serde_json::to_value(state).unwrap()),
                endings: row.endings.into_iter().map(ended).collect(),
            }
        })
        .collect()
}

/// The journal of each conversation of a seed. Open states that have something new in them are added to
/// `states`: rows of conversations that begin with one.
fn one_each(seed: u64, known: &mut BTreeSet<String>, states: &mut Vec<Row>) -> Vec<Vec<Row>> {
    let mut conversations: BTreeMap<ConversationId, (Conversation, Vec<Row>)> = BTreeMap::new();
    for (turn, (id, facts)) in (0_i64..).zip(seeds::journal(seed)) {
        let (state, rows) =
            conversations.entry(id.clone()).or_insert_with(|| (Conversation::new(id.clone()), Vec::new()));
        let facts: Vec<Fact> = serde_json::from_str(&facts).unwrap();
        for fact in &facts {
            state.apply(fact).unwrap();
        }
        let row = Row {
            at: 1_780_000_000_000 + turn,
            conversation: format!("{id}-{seed}"),
            began: rows.is_empty(),
            ended: false,
            facts: facts.iter().map(|fact| serde_json::to_value(fact).unwrap()).collect(),
            state: None,
            endings: Vec::new(),
        };
        if !state.is_idle() {
            let conversation = format!("{}-{turn}", row.conversation);
            let state = Some(renamed(state, &conversation));
            let open = Row { conversation, began: true, facts: Vec::new(), state, ..row.clone() };
            let news: Vec<String> = shapes(&open).filter(|shape| !known.contains(shape)).collect();
            if !news.is_empty() {
                known.extend(news);
                states.push(open);
            }
        }
        rows.push(row);
    }
    conversations.into_values().map(|(_, rows)| rows).collect()
}

fn renamed(state: &Conversation, name: &str) -> Value {
    let mut value = serde_json::to_value(state).unwrap();
    value["id"] = name.into();
    value
}

/// What is in a row, by name: each variant with what it stands in.
fn shapes(row: &Row) -> impl Iterator<Item = String> + use<> {
    let mut found = BTreeSet::new();
    for fact in &row.facts {
        look(fact, "fact", &mut found);
    }
    if let Some(state) = &row.state {
        look(state, "state", &mut found);
    }
    found.into_iter()
}

fn look(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    let is_variant = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphabetic())
    };
    match value {
        Value::String(text) if is_variant(text) => drop(found.insert(format!("{place} {text}"))),
        Value::Array(all) => all.iter().for_each(|one| look(one, place, found)),
        Value::Object(fields) => {
            for (name, inside) in fields {
                if is_variant(name) {
                    found.insert(format!("{place} {name}"));
                }
                // What is null, or not, is read by other code.
                found.insert(format!("{place} {name} {}", if inside.is_null() { "null" } else { "" }));
                look(inside, name, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_recording_leaves_a_journal() {
    let format: Option<u32> = std::env::var(WRITE).ok().map(|format| format.parse().unwrap());
    let all = journals(if format.is_some() { SEEDS.0 } else { SEEDS.1 });
    for (name, rows) in &all {
        assert!(!rows.is_empty(), "{name} has no rows");
        if let Some(format) = format {
            golden::write(format, name, rows);
        }
    }
}
