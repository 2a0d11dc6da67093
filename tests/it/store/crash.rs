//! A process that appends is killed, again and again: what it was answered is there, whole and in order.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use byoc_connector::model::ids::ConversationId;
use byoc_connector::routing::{Conversation, Fact};
use byoc_connector::store::Store as _;

use super::sqlite::open;
use crate::support::turns::*;

/// Where the child finds its folder and the number that its ids begin with.
const FOLDER: &str = "BYOC_TEST_STORE_FOLDER";
const START: &str = "BYOC_TEST_STORE_START";

const KILLS: u32 = 10;

/// How many turns the child has under way.
const UNDER_WAY: usize = 48;

type States = BTreeMap<ConversationId, Conversation>;

/// Not a test by itself: what the test below starts and kills.
#[tokio::test]
#[ignore = "the child of another test"]
async fn appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let start: u32 = std::env::var(START).unwrap().parse().unwrap();
    let store = open(Path::new(&folder)).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    let mut actor = Actor::new(channel, loaded, start.into(), start);
    let mut under_way = VecDeque::new();
    let mut out = std::io::stdout();
    loop {
        let turn = actor.turn();
        let change = turn.change.as_ref().unwrap();
        let told = serde_json::to_string(&(&change.conversation, &change.facts)).unwrap();
        writeln!(out, "turn {told}").unwrap();
        under_way.push_back((change.conversation.clone(), store.append(turn)));
        if under_way.len() == UNDER_WAY {
            let (conversation, pending) = under_way.pop_front().unwrap();
            actor.noted(conversation, pending.await.unwrap());
            writeln!(out, "stored").unwrap();
        }
    }
}

/// What a child said before it died.
struct Told {
    turns: Vec<(ConversationId, Vec<Fact>)>,
    stored: usize,
}

/// Starts a child, kills it once so many of its turns are stored, and reads what it said to the end.
fn run_and_kill(folder: &Path, start: u32, after: usize) -> Told {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(START, start.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (enough, killing) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut told = Told { turns: Vec::new(), stored: 0 };
        for line in output.lines().map_while(Result::ok) {
            if let Some(turn) = line.strip_prefix("turn ") {
                // The last line may be cut off where the child died.
                told.turns.extend(serde_json::from_str(turn).ok());
            } else if line == "stored" {
                told.stored += 1;
                if told.stored == after {
                    enough.send(()).unwrap();
                }
            }
        }
        told
    });
    let in_time = killing.recv_timeout(Duration::from_secs(20));
    child.kill().unwrap();
    child.wait().unwrap();
    let told = reader.join().unwrap();
    assert!(in_time.is_ok(), "only {} turns were stored in time", told.stored);
    told
}

fn apply(states: &mut States, (conversation, facts): &(ConversationId, Vec<Fact>)) {
    let state = states.entry(conversation.clone()).or_insert_with(|| Conversation::new(conversation.clone()));
    for fact in facts {
        state.apply(fact).unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill_and_nothing_is_stored_by_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut states = States::new();
    let mut dice = Dice::new(11);
    let mut turns = 0;
    for kill in 0..KILLS {
        let after = 1 + dice.below(600);
        let told = run_and_kill(folder.path(), 1 + kill * 1_000_000, after);
        assert!(told.stored >= after);
        for turn in &told.turns[..told.stored] {
            apply(&mut states, turn);
        }
        let store = open(folder.path()).await.unwrap();
        let found = by_id(&store.load(&channel("chat")).await.unwrap());
        store.close().await.unwrap();
        // What was under way is there or not; but only from the front.
        let mut unanswered = told.turns[told.stored..].iter();
        while states != found {
            let turn = unanswered.next();
            assert!(turn.is_some(), "kill {kill}: what is stored is not what any number of turns makes");
            apply(&mut states, turn.unwrap());
        }
        turns += told.turns.len();
    }
    assert!(turns > 1000, "{turns} turns");
}
