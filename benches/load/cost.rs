//! What the connector takes at a rate, and how often it commits; beside another release's program where one is named,
//! turn and turn about.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::drive::Load;
use super::org::{Ledger, Org};
use super::serve::{Home, Serve};
use super::{LATENCY_RATE, MOST_REQUESTS, Times, warm_up};

/// Calls a second: a quiet org, and as much as one process must take.
const RATES: [f64; 2] = [200.0, 2_000.0];

/// Platform events of a conference with a queue.
const EVENTS: f64 = 5.0;

/// A round of one program.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Round {
    program: &'static str,
    calls_a_second: f64,
    kept_up: bool,
    cores: f64,
    commits_an_event: f64,
    first_call_milliseconds: super::Spread,
}

/// A program that runs, and its orgs.
struct Side {
    name: &'static str,
    load: Load,
    serve: Serve,
    /// Configuration and store, which go with it.
    _home: Home,
}

impl Side {
    async fn start(name: &'static str, program: PathBuf, number: u64) -> Self {
        let ledger = Ledger::new(MOST_REQUESTS);
        let orgs = vec![Org::start(number, true, &ledger).await, Org::start(number + 1, true, &ledger).await];
        let home = Home::new(&orgs);
        let mut load = Load::new(orgs, Arc::clone(&ledger));
        let mut serve = Serve::start_program(&home, program);
        serve.until_ready(0).await;
        warm_up(&mut load, LATENCY_RATE).await;
        Self { name, load, serve, _home: home }
    }

    async fn round(&mut self, rate: f64, time: Duration) -> Round {
        let (commits, asked) = (self.serve.commits().await, self.load.asked);
        let held = self.load.hold(&self.serve, rate, time).await;
        self.load.all_joined().await;
        let events = (self.load.asked - asked) as f64 * EVENTS;
        Round {
            program: self.name,
            calls_a_second: rate,
            kept_up: held.kept_up,
            cores: held.connector_cores,
            commits_an_event: (self.serve.commits().await - commits) / events,
            first_call_milliseconds: held.first_call_milliseconds,
        }
    }
}

/// `BYOC_BENCH_AGAINST` names the other program.
pub(crate) async fn cost(times: &Times, json: bool) -> Vec<Round> {
    let mut sides = vec![Side::start("today", env!("CARGO_BIN_EXE_byoc").into(), 1).await];
    if let Some(other) = std::env::var_os("BYOC_BENCH_AGAINST") {
        sides.push(Side::start("against", other.into(), 3).await);
    }
    let mut rounds = Vec::new();
    for rate in RATES {
        for _ in 0..=times.rounds {
            for side in &mut sides {
                let round = side.round(rate, times.round).await;
                if !json {
                    println!(
                        "cost: {rate:>5.0} calls/s, {:>7}: {:.3} cores, {:.2} commits an event, kept up: {}; {}",
                        round.program,
                        round.cores,
                        round.commits_an_event,
                        round.kept_up,
                        round.first_call_milliseconds
                    );
                }
                rounds.push(round);
            }
        }
        for side in &sides {
            let mut of: Vec<&Round> = rounds
                .iter()
                .filter(|round| round.program == side.name && round.calls_a_second.total_cmp(&rate).is_eq())
                .collect();
            of.sort_by(|one, other| one.cores.total_cmp(&other.cores));
            if let Some(middle) = of.get(of.len() / 2).filter(|_| !json) {
                println!(
                    "cost: {rate:>5.0} calls/s, {:>7}: {:.3} cores, the middle",
                    side.name, middle.cores
                );
            }
        }
    }
    rounds
}
