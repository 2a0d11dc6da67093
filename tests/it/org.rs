//! What is set up in an org is read by typed questions, page by page, within bounds and within the org's daily limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options, RestPlan};
use byoc_connector::emulator::{Act, BearerRule, Done, Settings};
use byoc_connector::interaction::FixedToken;
use byoc_connector::model::ids::{ConversationId, WorkItemId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, Timestamp};
use byoc_connector::org::{Budget, OrgReader, ReadLimits, RestApi};
use serde_json::json;

mod bounds;
mod questions;
mod refusals;

const TOKEN: &str = "a-fixed-token";

struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// An org that is served, and somebody who reads it.
struct Rig {
    emulator: Emulator,
    address: String,
    clock: Arc<Stopped>,
    reader: OrgReader,
}

fn reader(address: &str, token: &str, clock: &Arc<Stopped>, per_day: u32) -> OrgReader {
    let limits = ReadLimits { per_day, ..ReadLimits::default() };
    let clock: Arc<dyn Clock> = Arc::<Stopped>::clone(clock);
    let tokens = Arc::new(FixedToken::new(token));
    OrgReader::new(RestApi::new(address, tokens, clock, Budget::new(limits)).unwrap())
}

impl Rig {
    async fn start(roster: serde_json::Value) -> Self {
        let roster: Roster = serde_json::from_value(roster).unwrap();
        let settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
        let fixed_tokens = vec![TOKEN.to_owned()];
        let options = Options { seed: 3, roster, settings, app: AppSettings::default(), fixed_tokens };
        let clock = Arc::new(Stopped(AtomicI64::new(1_780_000_000_000)));
        let emulator = Emulator::new(options, clock.clone()).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(http::serve(listener, emulator.clone(), std::future::pending()));
        let reader = reader(&address, TOKEN, &clock, 100);
        Self { emulator, address, clock, reader }
    }

    fn plan(&self, change: impl FnOnce(&mut RestPlan)) {
        let mut plan = self.emulator.rest_plan();
        change(&mut plan);
        self.emulator.plan_rest(plan);
    }

    fn used(&self) -> u64 {
        self.emulator.rest_plan().used
    }

    fn conversation(&self) -> (ConversationId, WorkItemId) {
        let act = Act::StartConversation { end_user: None, reps: Vec::new() };
        match self.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap() {
            Done::Started { conversation, work_item } => (conversation, work_item),
            other => panic!("{other:?}"),
        }
    }
}

/// So many reps.
fn reps(count: usize) -> serde_json::Value {
    let rep = |n| json!({ "id": format!("005Hu{n:010}"), "name": format!("Rep {n}") });
    json!({ "reps": (0..count).map(rep).collect::<Vec<_>>() })
}
