//! How long a rep is looked for among many, and what a change costs beside a directory of a million contacts.
//!
//! `cargo bench --bench people`.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark talks to its reader")]

use std::sync::LazyLock;
use std::time::Instant;

use byoc_connector::connector::RepFinder;
use byoc_connector::contacts::{ConversationView, Directory, Query};
use byoc_connector::model::contact::{ContactsFilter, ListType};
use byoc_connector::model::ids::{QueueId, RepId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::{OutsideContact, Rep, Roster};
use byoc_connector::model::words::Availability;
use byoc_connector::people::{People, RepChange};
use byoc_connector::rep_finder::Choice;
use divan::{Bencher, black_box};
use futures_util::FutureExt;

const REPS: u32 = 10_000;

const CONTACTS: u32 = 990_000;

/// Ten thousand reps, of whom one in a hundred is offline, and outside contacts up to a million.
static PEOPLE: LazyLock<People> = LazyLock::new(|| {
    let contacts = (0..CONTACTS).map(|n| OutsideContact {
        id: format!("c{n}"),
        name: format!("Contact {} {n}", n.wrapping_mul(2_654_435_761) % 100_000),
        phone_number: Some(format!("+351{n:09}")),
        description: None,
    });
    let roster = Roster { reps: reps(REPS), contacts: contacts.collect(), ..Roster::default() };
    let began = Instant::now();
    let people = People::new(roster, Choice::MostAvailable);
    println!("{REPS} reps and {CONTACTS} contacts: {} ms to begin with", began.elapsed().as_millis());
    people
});

fn queue() -> QueueId {
    QueueId::parse("00G000000000001").unwrap()
}

fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005{number:012}")).unwrap()
}

fn reps(count: u32) -> Vec<Rep> {
    let one = |n: u32| Rep {
        name: format!("Rep {n}"),
        queues: vec![queue()],
        capacity_used: f64::from(n % 7),
        availability: if n.is_multiple_of(100) { Availability::Offline } else { Availability::Available },
        ..Rep::named(rep(n))
    };
    (0..count).map(one).collect()
}

fn main() {
    LazyLock::force(&PEOPLE);
    let began = Instant::now();
    PEOPLE.set(rep(1), RepChange { name: Some("Renamed".to_owned()), ..RepChange::default() }).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(PEOPLE.listed());
    println!("a new name is in the list after {} ms", began.elapsed().as_millis());
    divan::main();
}

#[divan::bench(args = [100, 1_000, 10_000, 100_000])]
fn find_in_a_queue_of(bencher: Bencher<'_, '_>, count: u32) {
    let people = People::new(Roster { reps: reps(count), ..Roster::default() }, Choice::MostAvailable);
    let query = RepQuery { queue_id: Some(queue()), limit: 1, ..RepQuery::default() };
    bencher.bench(|| people.find(black_box(&query)).now_or_never());
}

#[divan::bench]
fn presence_changes(bencher: Bencher<'_, '_>) {
    let mut n = 0_u32;
    bencher.bench_local(|| {
        n += 1;
        let to = if n.is_multiple_of(2) { Availability::Busy } else { Availability::Available };
        PEOPLE.set(rep(n % REPS), RepChange::to(to)).unwrap()
    });
}

fn page(filter: ContactsFilter) -> Query {
    let conversation = ConversationView::of_channel(true);
    Query { filter, list: ListType::All, conversation, work_item: None }
}

#[divan::bench]
fn first_page_of_a_million(bencher: Bencher<'_, '_>) {
    let query = page(ContactsFilter::default());
    bencher.bench(|| PEOPLE.contacts(black_box(&query)).now_or_never());
}

#[divan::bench]
fn page_in_the_middle_of_a_million(bencher: Bencher<'_, '_>) {
    let query = page(ContactsFilter { offset: 500_000, ..ContactsFilter::default() });
    bencher.bench(|| PEOPLE.contacts(black_box(&query)).now_or_never());
}

#[divan::bench]
fn no_match_in_a_million(bencher: Bencher<'_, '_>) {
    let query = page(ContactsFilter { contains: Some("wolverhampton".into()), ..ContactsFilter::default() });
    bencher.bench(|| PEOPLE.contacts(black_box(&query)).now_or_never());
}
