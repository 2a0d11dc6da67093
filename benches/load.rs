//! The whole of `byoc serve`, a process of its own on its SQLite store, against emulated orgs that are served
//! here: what it sustains, how fast it is, what it takes, and how soon it is back.
//!
//! `cargo bench --bench load [-- PART…] [--json]`; the parts are `throughput`, `latency`, `memory` and `resume`,
//! all of them where none is named. Two more run only by name: `cost`, processor time and commits at 200 and 2,000 calls
//! a second, beside the program that `BYOC_BENCH_AGAINST` names, which may be of another commit; and `orgs`, what 1,000
//! idle orgs take, and what they feel of one more that floods. `BYOC_BENCH_PROGRAM` puts a program in the place of
//! today's in the parts but `cost`. `BYOC_BENCH_FOLDER` names the disk (the system's folder for temporary files where it
//! is not set, which must not be in memory). Orgs and connector share the machine, so that what the orgs take is shown
//! beside.

#![expect(clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

#[path = "load/bare.rs"]
mod bare;
mod chat;
#[path = "load/cost.rs"]
mod cost;
#[path = "load/drive.rs"]
mod drive;
#[path = "load/org.rs"]
mod org;
#[path = "load/orgs.rs"]
mod orgs;
#[path = "load/serve.rs"]
mod serve;

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use byoc_connector::model::time::{Clock as _, SystemClock};
use byoc_connector::store::{ChannelKey, Options, Sqlite, Store as _};
use serde::Serialize;

use chat::{Chat, RINGING};
use drive::{CALLS, Held, Load, Spread};
use org::{Ledger, Org};
use serve::{Home, Serve};

/// What `throughput` offers, one after the other, in calls a second, until it is too much.
const RATES: [f64; 5] = [1_000.0, 2_000.0, 2_500.0, 3_000.0, 3_600.0];

/// Which of them must be held, and is for longer.
const WANTED_RATE: f64 = 2_000.0;

/// At what rate `latency` is measured, in calls a second.
const LATENCY_RATE: f64 = 1_000.0;

/// How many requests are in flight in `memory` and `resume`.
const IN_FLIGHT: usize = 100_000;

/// Most requests of a part.
const MOST_REQUESTS: usize = 100_000;

/// What is measured.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Vec<Held>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Vec<cost::Round>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orgs: Option<orgs::Orgs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_flight: Option<InFlight>,
}

/// From the org publishing a request to the arrival of the first call for it, in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Latency {
    connector: Held,
    connector_milliseconds: Spread,
    /// Who subscribes and calls at once, in the same minute, turn and turn about.
    bare_milliseconds: Spread,
    /// One write of a page that is waited for until it is on the disk.
    sync_milliseconds: Spread,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InFlight {
    requests: usize,
    megabytes: f64,
    megabytes_at_most: f64,
    /// What an operator who lists them waits.
    listed_milliseconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_seconds: Option<f64>,
}

/// How long everything goes on.
struct Times {
    step: Duration,
    wanted_step: Duration,
    round: Duration,
    rounds: u32,
    in_flight: usize,
    orgs: usize,
}

impl Times {
    /// `cargo bench` says that it is a benchmark; without that, as from `cargo test --benches`, it is enough to
    /// show that it runs.
    fn new(measured: bool) -> Self {
        let seconds = |seconds| if measured { Duration::from_secs(seconds) } else { Duration::from_secs(1) };
        Self {
            step: seconds(8),
            wanted_step: seconds(16),
            round: seconds(10),
            rounds: if measured { 2 } else { 1 },
            in_flight: if measured { IN_FLIGHT } else { 1_000 },
            orgs: if measured { orgs::MANY } else { 20 },
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let said = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !["throughput", "cost", "latency", "orgs", "memory", "resume"].into_iter().any(said);
    let (times, json) = (Times::new(said("--bench")), said("--json"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    if all || said("throughput") {
        report.throughput = Some(runtime.block_on(throughput(&times, json)));
    }
    if said("cost") {
        report.cost = Some(runtime.block_on(cost::cost(&times, json)));
    }
    if all || said("latency") {
        report.latency = Some(runtime.block_on(latency(&times, json)));
    }
    if said("orgs") {
        report.orgs = Some(runtime.block_on(orgs::orgs(&times, json)));
    }
    if all || said("memory") || said("resume") {
        report.in_flight = Some(runtime.block_on(in_flight(&times, all || said("resume"), json)));
    }
    if json {
        println!("{}", serde_json::to_string(&report).expect("JSON"));
    }
}

/// Says a line to whoever reads along.
macro_rules! say {
    ($json:expr, $($what:tt)*) => {
        if !$json { println!($($what)*) }
    };
}

/// Two orgs, for one takes no more than 1,900 calls a second.
async fn throughput(times: &Times, json: bool) -> Vec<Held> {
    let ledger = Ledger::new(MOST_REQUESTS);
    let orgs = vec![Org::start(1, true, &ledger).await, Org::start(2, true, &ledger).await];
    let home = Home::new(&orgs);
    let mut load = Load::new(orgs, ledger);
    let mut serve = Serve::start(&home);
    serve.until_ready(0).await;
    warm_up(&mut load, LATENCY_RATE).await;
    say!(json, "throughput: conferences with a queue (3 calls, 5 events) in two orgs");
    say!(json, "  offered    made  kept up  cores: connector  orgs    MB  event to first call");
    let mut steps = Vec::new();
    for rate in RATES {
        let time = if rate.total_cmp(&WANTED_RATE).is_eq() { times.wanted_step } else { times.step };
        let held = load.hold(&serve, rate, time).await;
        say!(
            json,
            "  {:>7.0} {:>7.0}  {:>7} {:>17.2} {:>5.2} {:>5.0}  {}",
            held.calls_offered_a_second,
            held.calls_made_a_second,
            if held.kept_up { "yes" } else { "no" },
            held.connector_cores,
            held.orgs_cores,
            held.megabytes,
            held.first_call_milliseconds
        );
        let kept_up = held.kept_up;
        steps.push(held);
        if !kept_up {
            return steps;
        }
    }
    load.all_joined().await;
    steps
}

async fn warm_up(load: &mut Load, calls_a_second: f64) {
    let numbers = load.ask(calls_a_second / CALLS, Duration::from_secs(3)).await;
    assert_eq!(load.undone(&numbers).await, 0, "it is warm when all is done");
}

/// The connector and the floor, turn and turn about, so that what else the machine does befalls both.
async fn latency(times: &Times, json: bool) -> Latency {
    let ledger = Ledger::new(MOST_REQUESTS);
    let orgs = vec![Org::start(1, true, &ledger).await];
    let home = Home::new(&orgs);
    let mut load = Load::new(orgs, ledger);
    let bare_ledger = Ledger::new(MOST_REQUESTS);
    let bare_orgs = vec![Org::start(2, true, &bare_ledger).await];
    for org in &bare_orgs {
        bare::begin(org).await;
    }
    let mut bare = Load::new(bare_orgs, Arc::clone(&bare_ledger));
    let mut serve = Serve::start(&home);
    serve.until_ready(0).await;
    warm_up(&mut load, LATENCY_RATE).await;
    let (mut connector, mut waits, mut bare_waits, mut syncs) = (None, Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times.rounds {
        let first = load.asked;
        connector = Some(load.hold(&serve, LATENCY_RATE, times.round).await);
        waits.extend(load.ledger.waits(&(first..load.asked)));
        let numbers = bare.ask(LATENCY_RATE / CALLS, times.round).await;
        bare_waits.extend(bare_ledger.waits(&numbers));
        syncs.extend(sync(&home));
    }
    load.all_joined().await;
    let spread = |mut times: Vec<Duration>| {
        times.sort_unstable();
        Spread::of(&times)
    };
    let latency = Latency {
        connector: connector.expect("a round"),
        connector_milliseconds: spread(waits),
        bare_milliseconds: spread(bare_waits),
        sync_milliseconds: spread(syncs),
    };
    let (half, p99) = latency.connector_milliseconds.ratio(latency.bare_milliseconds);
    say!(json, "latency: event to first call at {LATENCY_RATE:.0} calls/s, measured in nanoseconds");
    say!(json, "  connector   {}", latency.connector_milliseconds);
    say!(json, "  bare loop   {}", latency.bare_milliseconds);
    say!(json, "  ratio       {half:.1} at the half, {p99:.1} at p99");
    say!(json, "  disk        {} for one synced write", latency.sync_milliseconds);
    latency
}

/// What the disk takes for a page, with nothing else to do.
fn sync(home: &Home) -> Vec<Duration> {
    let mut file = File::create(home.path("sync")).expect("a file");
    let page = [0; 4096];
    let mut write = || {
        let begin = Instant::now();
        file.write_all(&page).expect("a write");
        file.sync_data().expect("a sync");
        begin.elapsed()
    };
    (0..100).map(|_| write()).collect()
}

/// A store with so many requests that ring, a connector on it, and one more after a kill.
async fn in_flight(times: &Times, resume: bool, json: bool) -> InFlight {
    let ledger = Ledger::new(MOST_REQUESTS);
    let orgs = vec![Org::start(1, false, &ledger).await];
    let home = Home::new(&orgs);
    for org in &orgs {
        fill(&home, org, times.in_flight).await;
    }
    let mut load = Load::new(orgs, ledger);
    let mut serve = Serve::start(&home);
    let open = times.in_flight as u64;
    serve.until_ready(open).await;
    // Some that are under way, so that there is a log to be read when it comes back.
    warm_up(&mut load, LATENCY_RATE / 2.0).await;
    let (megabytes, megabytes_at_most) = serve.megabytes();
    let requests = times.in_flight + load.asked;
    let listed_milliseconds = serve.listed().await.as_secs_f64() * 1e3;
    say!(
        json,
        "memory: {requests} requests in flight take {megabytes:.0} MB, at most {megabytes_at_most:.0} MB"
    );
    say!(json, "        the oldest of them are listed in {listed_milliseconds:.1} ms");
    let mut resumed_seconds = None;
    if resume {
        drop(serve);
        let mut serve = Serve::start(&home);
        let took = serve.until_ready(requests as u64).await;
        say!(json, "resume: ready with {requests} requests in {:.2} s after a kill", took.as_secs_f64());
        resumed_seconds = Some(took.as_secs_f64());
    }
    InFlight { requests, megabytes, megabytes_at_most, listed_milliseconds, resumed_seconds }
}

/// Conferences that ring, as the connector would have stored them until now.
async fn fill(home: &Home, org: &Org, count: usize) {
    let settings = &org.options.settings;
    let channel = ChannelKey { org: settings.org, channel: settings.channel.developer_name.as_str().into() };
    let store = Sqlite::open(Options::new(home.path("byoc.db"))).await.expect("a store");
    let epoch = store.load(&channel).await.expect("a channel").epoch;
    let now = SystemClock.now();
    let mut chats: Vec<Chat> = (0..count).map(|number| Chat::new(number, now)).collect();
    for some in chats.chunks_mut(2_000) {
        let mut under_way = Vec::new();
        for _ in 0..RINGING {
            under_way.extend(some.iter_mut().map(|chat| store.append(chat.turn(&channel, epoch))));
        }
        for pending in under_way {
            pending.await.expect("it is stored");
        }
    }
    store.close().await.expect("it closes");
    assert!(chats.iter().all(|chat| !chat.is_over()), "they ring");
}
