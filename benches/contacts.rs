//! How long a rep waits for a page of contacts: 1,000, 100,000 and 1,000,000 of them.
//!
//! `cargo bench --bench contacts`. Each index is built once, and says what it takes beside its roster.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark talks to its reader"
)]

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;
use std::{collections::HashMap, sync::Arc};

use byoc_connector::contacts::{ConversationView, Index, Query};
use byoc_connector::model::contact::{ContactsFilter, ContactsResult, ListType};
use byoc_connector::model::roster::Roster;
use divan::{Bencher, black_box};
use serde_json::json;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

const FIRST: [&str; 16] = [
    "María",
    "José",
    "Anna",
    "João",
    "Björk",
    "John",
    "Sarah",
    "Nguyễn",
    "Wei",
    "Oluwaseun",
    "Giovanna",
    "Hannah",
    "Zoë",
    "Susan",
    "Brian",
    "Łukasz",
];
const LAST: [&str; 16] = [
    "Silva",
    "Müller",
    "Straße",
    "Anderson",
    "Tanaka",
    "Santana",
    "Hernández",
    "Fernández",
    "Kowalski",
    "Smith",
    "Johnson",
    "Santos",
    "Pereira",
    "O'Brien",
    "Sørensen",
    "Nakamura",
];

fn main() {
    for size in SIZES {
        index(size);
    }
    divan::main();
}

/// One rep and one queue in a hundred, the rest outside with a phone number, as in a large directory.
fn roster(size: usize) -> Roster {
    let mut roster = Roster::default();
    let mut state = 1_u64;
    for n in 0..size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = usize::try_from(state >> 33).unwrap();
        let name = format!("{} {} {}", FIRST[draw % 16], LAST[draw / 16 % 16], LAST[draw / 256 % 16]);
        match n % 100 {
            0 => roster
                .reps
                .push(serde_json::from_value(json!({"id": format!("005{n:012}"), "name": name})).unwrap()),
            1 => roster
                .queues
                .push(serde_json::from_value(json!({"id": format!("00G{n:012}"), "name": name})).unwrap()),
            _ => roster.contacts.push(
                serde_json::from_value(
                    json!({"id": format!("c{n}"), "name": name, "phoneNumber": format!("+351{n:09}")}),
                )
                .unwrap(),
            ),
        }
    }
    if let Some(contact) = roster.contacts.get_mut(size / 2) {
        contact.name = "Ximena Quetzalcóatl".into();
    }
    roster
}

fn index(size: usize) -> Arc<Index> {
    static BUILT: LazyLock<Mutex<HashMap<usize, Arc<Index>>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let index = built.entry(size).or_insert_with(|| {
        let roster = roster(size);
        let started = Instant::now();
        let index = Index::build(roster);
        let (took, megabytes) = (started.elapsed().as_millis(), index.memory() / 1_000_000);
        println!("{size} contacts: built in {took} ms, {megabytes} MB beside the roster");
        Arc::new(index)
    });
    Arc::clone(index)
}

fn bench(bencher: Bencher<'_, '_>, size: usize, contains: Option<&str>, found: usize) {
    bench_filter(
        bencher,
        size,
        ContactsFilter { contains: contains.map(Into::into), ..ContactsFilter::default() },
        found,
    );
}

fn bench_filter(bencher: Bencher<'_, '_>, size: usize, filter: ContactsFilter, found: usize) {
    let index = index(size);
    // So that those outside, the most of them, are listed too.
    let conversation = ConversationView { transfers_routed: true, ..ConversationView::of_channel(true) };
    let query = Query { filter, list: ListType::All, conversation, work_item: None };
    assert_eq!(index.search(&query).contacts.len(), found);
    bencher.bench(|| -> ContactsResult { black_box(&index).search(black_box(&query)) });
}

#[divan::bench(args = SIZES)]
fn first_page(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, None, 50);
}

#[divan::bench(args = SIZES)]
fn first_page_of_a_common_word(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("an"), 50);
}

#[divan::bench(args = SIZES)]
fn page_in_the_middle(bencher: Bencher<'_, '_>, size: usize) {
    let filter = ContactsFilter { offset: size / 2, ..ContactsFilter::default() };
    bench_filter(bencher, size, filter, 50);
}

#[divan::bench(args = SIZES)]
fn rare_word(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("QUETZALCOATL"), 1);
}

#[divan::bench(args = SIZES)]
fn rare_number(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("+351 000 000 998"), 1);
}

#[divan::bench(args = SIZES)]
fn no_match(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("wolverhampton"), 0);
}

/// Letters that many names have, with a space between them where none was typed.
#[divan::bench(args = SIZES)]
fn no_match_across_words(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("asil"), 0);
}

/// What SIMD likes least: a word of nothing but the commonest letters, which is almost there everywhere.
#[divan::bench(args = SIZES)]
fn no_match_of_common_letters(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, size, Some("annannan"), 0);
}
