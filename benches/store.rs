//! Durable turns a second, recovery, and bytes on disk.
//!
//! `cargo bench --bench store [OPEN]`; 100,000 open conversations are recovered where nothing is said.
//! `BYOC_BENCH_FOLDER` names the disk to measure (the system's folder for temporary files where it is not
//! set, which must not be in memory). Beside it stand two others that write in the same groups: a loop that writes
//! the same rows with SQLite and does nothing else, and the floor, a file into which the same bytes are written, each
//! group with an `fdatasync`: what durability costs without a database.

#![expect(clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

#[path = "store/bare.rs"]
mod bare;
mod chat;

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use byoc_connector::model::ids::OrgId;
use byoc_connector::model::time::Timestamp;
use byoc_connector::store::{ChannelKey, FACTS_BEFORE_STATE, Options, Sqlite, Store};

use chat::{Chat, RINGING};

/// How long each number of appenders is measured.
const SPAN: Duration = Duration::from_secs(4);

/// How large the floor's file is, in bytes: what SQLite's log has when it is worked in.
const LOG: usize = 16 << 20;

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn main() {
    let open = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = std::env::var_os("BYOC_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    encoding();
    for pass in 1..=2 {
        println!("pass {pass}");
        for appenders in [1, 16, 256] {
            let path = fresh(&folder);
            let measured = runtime.block_on(throughput(&path, appenders));
            let group = (measured.turns / measured.commits.max(1)).max(1);
            let bare = bare::rate(&fresh(&folder), usize::try_from(group).expect("it fits"), SPAN / 2);
            measured.print(appenders, bare, floor(&folder, &measured));
        }
    }
    runtime.block_on(recovery(&fresh(&folder), open));
    remove(&folder.join("byoc-bench.db"));
}

fn fresh(folder: &Path) -> PathBuf {
    let path = folder.join("byoc-bench.db");
    remove(&path);
    path
}

fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        fs::remove_file(name).ok();
    }
}

fn channel() -> ChannelKey {
    ChannelKey { org: OrgId::parse("00D000000000001").expect("an id"), channel: "acme_Chat".into() }
}

/// What JSON costs, to be held against what a commit costs.
fn encoding() {
    let (mut turns, mut facts, mut facts_bytes, mut state_bytes) = (0_usize, 0, 0, 0);
    let start = Instant::now();
    for number in 0..20_000 {
        let mut chat = Chat::new(number, NOW);
        while !chat.is_over() {
            let (change, _) = chat.change();
            facts += change.facts.len();
            facts_bytes += serde_json::to_string(&change.facts).expect("JSON").len();
            state_bytes += change.state.map_or(0, |state| serde_json::to_string(&state).expect("JSON").len());
            turns += 1;
        }
    }
    let took = start.elapsed();
    let each = 20_000;
    println!(
        "a queue conference: {} turns, {} facts in {} bytes of JSON, {} bytes of state when it is over; \
         deciding and encoding {:.1} us a turn; a state is asked for after {FACTS_BEFORE_STATE} facts",
        turns / each,
        facts / each,
        facts_bytes / each,
        state_bytes / each,
        took.as_secs_f64() * 1e6 / turns as f64
    );
}

/// What so many appenders brought about.
struct Throughput {
    turns: u64,
    commits: u64,
    took: Duration,
    /// How long a turn waited: half of them less, and all but one in a hundred less.
    median: Duration,
    p99: Duration,
    bytes_each: u64,
}

async fn throughput(path: &Path, appenders: usize) -> Throughput {
    let store = Arc::new(Sqlite::open(Options::new(path)).await.expect("a store"));
    let channel = channel();
    let epoch = store.load(&channel).await.expect("a channel").epoch;
    let before = store.health();
    let start = Instant::now();
    let mut tasks = Vec::new();
    for appender in 0..appenders {
        let (store, channel) = (Arc::clone(&store), channel.clone());
        tasks.push(tokio::spawn(async move {
            let mut waited = Vec::new();
            let mut number = appender;
            while start.elapsed() < SPAN {
                let mut chat = Chat::new(number, NOW);
                while !chat.is_over() {
                    let asked = Instant::now();
                    store.append(chat.turn(&channel, epoch)).await.expect("it is stored");
                    waited.push(asked.elapsed());
                }
                number += appenders;
            }
            waited
        }));
    }
    let mut waited = Vec::new();
    for task in tasks {
        waited.extend(task.await.expect("no panic"));
    }
    let took = start.elapsed();
    let after = store.health();
    store.close().await.expect("it closes");
    waited.sort_unstable();
    let turns = after.turns - before.turns;
    Throughput {
        turns,
        commits: after.commits - before.commits,
        took,
        median: waited.get(waited.len() / 2).copied().unwrap_or_default(),
        p99: waited.get(waited.len() * 99 / 100).copied().unwrap_or_default(),
        bytes_each: fs::metadata(path).expect("a file").len() / turns.max(1),
    }
}

impl Throughput {
    fn print(&self, appenders: usize, bare: f64, floor: f64) {
        let rate = self.turns as f64 / self.took.as_secs_f64();
        println!(
            "  {appenders:>3} appenders: {rate:>8.0} turns/s, {:>5.1} turns a commit, wait p50 {:.2} ms, \
             p99 {:.2} ms; bare rows {bare:>8.0} turns/s ({:.0} %), floor {floor:>8.0} turns/s ({:.0} %)",
            self.turns as f64 / self.commits.max(1) as f64,
            self.median.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3,
            100.0 * rate / bare,
            100.0 * rate / floor
        );
    }
}

/// The same bytes in the same groups, by a file alone.
fn floor(folder: &Path, measured: &Throughput) -> f64 {
    let path = folder.join("byoc-bench.floor");
    let mut file = File::create(&path).expect("a file");
    let group = (measured.turns / measured.commits.max(1)).max(1);
    let bytes = vec![b'x'; usize::try_from(group * measured.bytes_each.max(1)).expect("it fits")];
    // SQLite's log is written over and over; a file that grows would pay for its size with every sync.
    file.write_all(&vec![b'x'; LOG]).expect("a write");
    file.sync_all().expect("a sync");
    let start = Instant::now();
    let (mut turns, mut place) = (0, LOG);
    while start.elapsed() < SPAN / 2 {
        if place + bytes.len() > LOG {
            file.rewind().expect("a seek");
            place = 0;
        }
        place += bytes.len();
        file.write_all(&bytes).expect("a write");
        file.sync_data().expect("a sync");
        turns += group;
    }
    let rate = turns as f64 / start.elapsed().as_secs_f64();
    fs::remove_file(path).ok();
    rate
}

async fn recovery(path: &Path, open: usize) {
    let channel = channel();
    let store = Sqlite::open(Options::new(path)).await.expect("a store");
    let epoch = store.load(&channel).await.expect("a channel").epoch;
    let mut chats: Vec<Chat> = (0..open).map(|number| Chat::new(number, NOW)).collect();
    let start = Instant::now();
    for _ in 0..RINGING {
        for some in chats.chunks_mut(2_000) {
            let under_way: Vec<_> =
                some.iter_mut().map(|chat| store.append(chat.turn(&channel, epoch))).collect();
            for pending in under_way {
                pending.await.expect("it is stored");
            }
        }
    }
    let turns = open * RINGING;
    let rate = turns as f64 / start.elapsed().as_secs_f64();
    store.close().await.expect("it closes");
    drop(store);
    let size = fs::metadata(path).expect("a file").len();
    println!("{open} conversations that ring ({turns} turns, {rate:.0} turns/s with 2,000 under way):");
    println!("  {} bytes on disk each", size / open as u64);
    for _ in 0..3 {
        let start = Instant::now();
        let store = Sqlite::open(Options::new(path)).await.expect("a store");
        let loaded = store.load(&channel).await.expect("a channel");
        println!("  opened and loaded in {:.2} s", start.elapsed().as_secs_f64());
        assert_eq!(loaded.conversations.iter().filter(|one| !one.conversation.is_idle()).count(), open);
        assert_eq!(loaded.conversations.len(), open);
        store.close().await.expect("it closes");
    }
    finish(path, &mut chats).await;
}

/// Ends all of them, and shows what is left on disk of a request that is over.
async fn finish(path: &Path, chats: &mut [Chat]) {
    let channel = channel();
    let store = Sqlite::open(Options::new(path)).await.expect("a store");
    let epoch = store.load(&channel).await.expect("a channel").epoch;
    for some in chats.chunks_mut(2_000) {
        let mut under_way = Vec::new();
        for chat in some.iter_mut() {
            while !chat.is_over() {
                under_way.push(store.append(chat.turn(&channel, epoch)));
            }
        }
        for pending in under_way {
            pending.await.expect("it is stored");
        }
    }
    store.close().await.expect("it closes");
    let size = fs::metadata(path).expect("a file").len();
    println!("  {} bytes on disk each when all are over (for at most 80 hours)", size / chats.len() as u64);
}
