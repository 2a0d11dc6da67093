//! Many orgs in one process: what an idle one takes, and what the others feel of one that floods.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::drive::{Load, Spread};
use super::org::{Ledger, Org};
use super::serve::{Home, Serve, Used};
use super::{MOST_REQUESTS, Times, sync};

/// How many orgs there are beside the one that floods.
pub(crate) const MANY: usize = 1_000;

/// Requests a second of all orgs but the one that floods, one org after the other.
const RATE: f64 = 50.0;

/// Requests a second of the one that floods: more than it is served, so that they pile up.
const FLOOD: f64 = 1_000.0;

/// How many turns a round is cut into.
const TURNS: u32 = 5;

/// How long the connector is looked at while nothing happens.
const IDLE: Duration = Duration::from_secs(10);

/// What the system says of the connector's process.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    orgs: usize,
    ready_seconds: f64,
    megabytes: f64,
    sockets: usize,
    threads: usize,
    cores: f64,
}

/// The first call of the other orgs' requests.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Others {
    quiet_milliseconds: Spread,
    flooded_milliseconds: Spread,
    /// How many requests the one org had, and how many of them were done when their turns were over.
    flood: (usize, usize),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Orgs {
    one: Taken,
    many: Taken,
    kilobytes_an_org: f64,
    others: Others,
    /// One write of a page that is waited for until it is on the disk: a first call waits for one at least.
    sync_milliseconds: Spread,
}

async fn start(count: usize, ledger: &Arc<Ledger>) -> Vec<Org> {
    let mut orgs = Vec::new();
    for number in 1..=count {
        orgs.push(Org::start(number as u64, true, ledger).await);
    }
    orgs
}

/// A connector on those orgs, and what it takes while they are idle.
async fn idle(orgs: &[Org], home: &Home) -> (Serve, Taken) {
    let mut serve = Serve::start(home);
    let ready = serve.until_ready(0).await;
    // What the start has taken for itself is given back, and the logins are over.
    tokio::time::sleep(IDLE / 2).await;
    let before = serve.used();
    tokio::time::sleep(IDLE).await;
    let taken = Taken {
        orgs: orgs.len(),
        ready_seconds: ready.as_secs_f64(),
        megabytes: serve.megabytes().0,
        sockets: serve.sockets(),
        threads: serve.threads(),
        cores: serve.used().cores_since(before),
    };
    (serve, taken)
}

/// Quiet and flooded turns, one after the other: short ones, so that what else the machine does befalls both.
async fn others(times: &Times, load: &mut Load, flood: &mut Load, home: &Home) -> (Others, Spread) {
    let (mut quiet, mut flooded, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    let mut came = (0, 0);
    let time = times.round / TURNS;
    for _ in 0..times.rounds * TURNS {
        let numbers = load.ask(RATE, time).await;
        assert_eq!(load.undone(&numbers).await, 0, "all is done where nothing floods");
        quiet.extend(load.ledger.waits(&numbers));
        let (numbers, of_flood) = tokio::join!(load.ask(RATE, time), flood.ask(FLOOD, time));
        assert_eq!(load.undone(&numbers).await, 0, "the others' requests are done");
        flooded.extend(load.ledger.waits(&numbers));
        came.0 += of_flood.len();
        came.1 += flood.ledger.done(&of_flood);
        let began = Instant::now();
        while flood.ledger.done(&of_flood) < of_flood.len() {
            assert!(began.elapsed() < Duration::from_secs(120), "the flood goes down");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        syncs.extend(sync(home));
    }
    let spread = |mut waits: Vec<Duration>| {
        waits.sort_unstable();
        Spread::of(&waits)
    };
    let others =
        Others { quiet_milliseconds: spread(quiet), flooded_milliseconds: spread(flooded), flood: came };
    (others, spread(syncs))
}

pub(crate) async fn orgs(times: &Times, json: bool) -> Orgs {
    let (ledger, flood_ledger) = (Ledger::new(MOST_REQUESTS), Ledger::new(MOST_REQUESTS));
    let alone = start(1, &ledger).await;
    let (serve, one) = idle(&alone, &Home::new(&alone)).await;
    drop((serve, alone));
    let mut all = start(times.orgs, &ledger).await;
    all.push(Org::start(times.orgs as u64 + 1, true, &flood_ledger).await);
    let home = Home::new(&all);
    let (serve, many) = idle(&all, &home).await;
    let flooding = all.split_off(times.orgs);
    let (mut load, mut flood) = (Load::new(all, ledger), Load::new(flooding, flood_ledger));
    // Every org has made its first call, and so has its connection.
    let time = Duration::try_from_secs_f64(times.orgs as f64 / RATE).expect("a time");
    let numbers = load.ask(RATE * 2.0, time).await;
    assert_eq!(load.undone(&numbers).await, 0, "it is warm when all is done");
    let before = (serve.used(), Used::here());
    let (others, sync_milliseconds) = others(times, &mut load, &mut flood, &home).await;
    let after = (serve.used(), Used::here());
    let kilobytes_an_org = (many.megabytes - one.megabytes) * 1e3 / (many.orgs - one.orgs).max(1) as f64;
    if !json {
        for Taken { orgs, ready_seconds, megabytes, sockets, threads, cores } in [one, many] {
            println!(
                "orgs: {orgs:>5} idle: {megabytes:.0} MB, {sockets} sockets, {threads} threads, {cores:.3} cores, \
                 ready in {ready_seconds:.1} s"
            );
        }
        println!("      {kilobytes_an_org:.0} KB an idle org");
        let Others { quiet_milliseconds: quiet, flooded_milliseconds: flooded, flood } = &others;
        let (half, p99) = flooded.ratio(*quiet);
        println!("      event to first call of the others at {RATE:.0} requests/s");
        println!("      quiet       {quiet}");
        println!("      one floods  {flooded}");
        println!("      ratio       {half:.1} at the half, {p99:.1} at p99");
        println!(
            "      the flood   {} requests, {} of them done when their turns were over",
            flood.0, flood.1
        );
        println!(
            "      cores       connector {:.2}, orgs {:.2}",
            after.0.cores_since(before.0),
            after.1.cores_since(before.1)
        );
    }
    Orgs { one, many, kilobytes_an_org, others, sync_milliseconds }
}
