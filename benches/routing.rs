//! Transitions a second of the routing state machine, and what a request in flight weighs.
//!
//! `cargo bench --bench routing [CONVERSATIONS]`; 200,000 where nothing is said. A transition is one input:
//! an event or an answer. The floor beside it is what any router does before it decides anything: each
//! event is made and put into a map by its conversation.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::event::{Event, EventKind, RoutingRequested, Target, WorkChanged};
use byoc_connector::model::ids::{
    AgentWorkId, ConversationId, EventId, PsrId, QueueId, RepId, Subject, WorkItemId,
};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{RoutingType, WorkChange};
use byoc_connector::routing::{Command, Conversations, Order, Outcome, Policy, Settings, Turn};

/// How many conversations are under way at once.
const AT_ONCE: usize = 1_000;

/// Inputs of one conference with a queue: work item, request, route, rep, offer, result, assigned, accepted.
const INPUTS: usize = 8;

fn main() {
    let conversations = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(200_000);
    for pass in 1..=3 {
        println(&format!("pass {pass}: {conversations} queue conferences, {INPUTS} inputs each"));
        let floor = timed(|| floor(conversations));
        let machine = timed(|| machine(conversations));
        let rate = |took: Duration| (conversations * INPUTS) as f64 / took.as_secs_f64();
        println(&format!("  floor: make and file events       {:>10.0} events/s", rate(floor)));
        println(&format!("  state machine                     {:>10.0} transitions/s", rate(machine)));
        println(&format!(
            "  machine takes {:.1} times the floor",
            machine.as_secs_f64() / floor.as_secs_f64()
        ));
    }
    weigh(conversations.min(100_000));
}

fn println(text: &str) {
    println!("{text}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn settings() -> Settings {
    Settings { conference_supported: true, participant_limit: Some(5), policy: Policy::default() }
}

/// One conversation's ids.
struct Chat {
    id: ConversationId,
    event: EventId,
    work_item: WorkItemId,
    rep: RepId,
    work: AgentWorkId,
    psr: PsrId,
    queue: QueueId,
}

impl Chat {
    fn new(number: usize) -> Self {
        let uuid = |space: u128| uuid::Uuid::from_u128((space << 96) | number as u128).to_string();
        let record = |prefix: &str| format!("{prefix}{number:012}");
        Self {
            id: ConversationId::parse(&uuid(1)).expect("a UUID"),
            event: EventId::parse(&uuid(2)).expect("a UUID"),
            work_item: WorkItemId::parse(&record("0Mw")).expect("an id"),
            rep: RepId::parse(&record("005")).expect("an id"),
            work: AgentWorkId::parse(&record("0Bz")).expect("an id"),
            psr: PsrId::parse(&record("0JR")).expect("an id"),
            queue: QueueId::parse("00G000000000001").expect("an id"),
        }
    }

    fn event(&self, what: EventKind) -> Event {
        Event { conversation: Some(self.id.clone()), what }
    }

    fn requested(&self, now: Timestamp) -> Event {
        self.event(EventKind::RoutingRequested(Box::new(RoutingRequested {
            event: self.event.clone(),
            created: now,
            routing_type: RoutingType::Conference,
            target: Target::Queue(self.queue),
            work_item: None,
            end_user: Subject::parse("customer").ok(),
            requester: None,
            list_opened_by: None,
        })))
    }

    fn work_changed(&self, change: WorkChange) -> Event {
        let (work, work_item, rep) = (self.work, Some(self.work_item), None);
        self.event(EventKind::WorkChanged(WorkChanged { work, work_item, rep, change }))
    }

    fn answer(&self, call: &Call) -> Answer {
        Answer::Done(match call {
            Call::Route(_) => Reply::Routed(Routed { psr: Some(self.psr), ..Routed::default() }),
            Call::CreateAgentWork(_) => Reply::Offered(Some(self.work)),
            _ => Reply::Ok,
        })
    }
}

fn floor(conversations: usize) {
    let now = Timestamp::from_millis(0);
    let mut filed: HashMap<ConversationId, Vec<Event>> = HashMap::new();
    for first in (0..conversations).step_by(AT_ONCE) {
        let chats: Vec<Chat> = (first..(first + AT_ONCE).min(conversations)).map(Chat::new).collect();
        for round in 0..INPUTS {
            for chat in &chats {
                let event =
                    if round == 0 { chat.requested(now) } else { chat.work_changed(WorkChange::Accepted) };
                filed.entry(chat.id.clone()).or_default().push(black_box(event));
            }
        }
        filed.clear();
    }
}

fn machine(conversations: usize) {
    let mut all = Conversations::new(settings());
    let mut joined = 0;
    for first in (0..conversations).step_by(AT_ONCE) {
        // An hour later the ones before have long been forgotten, as they would be.
        let now = Timestamp::from_millis(i64::try_from(first).expect("few") * 300_000);
        while all.on_deadline(now).is_some() {}
        let chats: Vec<Chat> = (first..(first + AT_ONCE).min(conversations)).map(Chat::new).collect();
        let mut open = begin(&mut all, &chats, now);
        // Route, search, offer, result: each answer leads to the next command.
        for _ in 0..4 {
            open = open
                .into_iter()
                .filter_map(|(at, command)| answer(&mut all, &chats[at], now, command).map(|next| (at, next)))
                .collect();
        }
        for change in [WorkChange::Assigned, WorkChange::Accepted] {
            for chat in &chats {
                let turn = all.on_event(now, chat.work_changed(change)).expect("known");
                joined += turn.effects.endings.iter().filter(|end| end.outcome == Outcome::Joined).count();
            }
        }
    }
    assert_eq!(joined, conversations, "every conference has been joined");
}

/// The work item becomes known and the rep asks: the first command of each.
fn begin(all: &mut Conversations, chats: &[Chat], now: Timestamp) -> Vec<(usize, Command)> {
    let mut open = Vec::with_capacity(chats.len());
    for (at, chat) in chats.iter().enumerate() {
        let known = all.on_event(now, chat.event(EventKind::WorkItemSeen(chat.work_item)));
        black_box(known.expect("a turn").effects.facts.len());
        let turn = all.on_event(now, chat.requested(now)).expect("a turn");
        open.extend(only(turn).map(|command| (at, command)));
    }
    open
}

/// Answers a command; what comes of it is the next.
fn answer(all: &mut Conversations, chat: &Chat, now: Timestamp, command: Command) -> Option<Command> {
    let turn = match &command.order {
        Order::Find(_) => all.on_found(now, chat.id.clone(), command.id, Ok(vec![chat.rep])),
        Order::Call(call) => {
            let answer = chat.answer(call);
            all.on_answer(now, chat.id.clone(), command.id, answer)
        }
    };
    only(turn.expect("an open conversation"))
}

fn only(turn: Turn) -> Option<Command> {
    turn.effects.commands.into_iter().next()
}

/// What so many ringing requests take of memory, as the operating system counts it.
fn weigh(requests: usize) {
    let Some(before) = resident() else { return println("no /proc/self/statm: memory is not measured") };
    let mut all = Conversations::new(settings());
    let now = Timestamp::from_millis(0);
    for first in (0..requests).step_by(AT_ONCE) {
        let chats: Vec<Chat> = (first..(first + AT_ONCE).min(requests)).map(Chat::new).collect();
        let mut open = begin(&mut all, &chats, now);
        for _ in 0..4 {
            open = open
                .into_iter()
                .filter_map(|(at, command)| answer(&mut all, &chats[at], now, command).map(|next| (at, next)))
                .collect();
        }
    }
    assert_eq!(all.open(), requests, "all of them ring");
    let after = resident().unwrap_or(before);
    let each = after.saturating_sub(before) / requests.max(1);
    println(&format!("{requests} requests in flight: {each} bytes each, maps and timers included"));
    black_box(&all);
}

/// Resident memory of this process, in bytes.
fn resident() -> Option<usize> {
    let pages: usize = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
