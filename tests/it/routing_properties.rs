//! The invariants of the design, under any order of any inputs: events that lie, answers that come
//! late or twice, routers that name the wrong reps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::event::{EventKind, Target, WorkChanged};
use byoc_connector::model::ids::RepId;
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{
    Command, CommandId, Conversation, Fact, Input, Intent, Order, Outcome, Reason, Remark, Report,
    RequestFact, Ring, SearchFailure, Settings,
};
use proptest::prelude::*;

use crate::support::scenario::*;

#[derive(Debug, Clone)]
enum Step {
    Event(EventKind),
    Request(u32, Target),
    Answer(usize, Kind),
    AnswerAgain(usize, Kind),
    Wait(u64),
}

/// How a command is answered, whatever it is.
#[derive(Debug, Clone)]
enum Kind {
    Done { work: u32, rep: Option<usize> },
    Refused(u32, bool),
    Lost,
    Found(Vec<usize>),
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..REPS.len()).prop_map(|r| Target::Rep(rep(REPS[r]))),
        Just(Target::Queue(queue())),
        Just(Target::Flow { flow: flow(), fallback: Some(queue()) }),
        Just(Target::Skills(vec![skill("french", None), skill("mouse", Some(1))])),
        Just(Target::Unreadable),
    ]
}

fn happening() -> impl Strategy<Value = EventKind> {
    let change = prop_oneof![
        3 => Just(WorkChange::Assigned),
        4 => Just(WorkChange::Accepted),
        4 => Just(WorkChange::Declined),
        1 => Just(WorkChange::Cancelled),
        1 => Just(WorkChange::Closed),
    ];
    let work_changed =
        (1..6_u32, proptest::option::of(0..REPS.len()), change).prop_map(|(id, who, change)| {
            let rep = who.map(|who| rep(REPS[who]));
            EventKind::WorkChanged(WorkChanged { work: work(id), work_item: Some(work_item()), rep, change })
        });
    let reason = prop_oneof![
        4 => Just(CancelReason::Cancel),
        1 => Just(CancelReason::EndUserEnded),
        1 => Just(CancelReason::Decline),
    ];
    prop_oneof![
        8 => work_changed,
        3 => reason.prop_map(cancelled),
        1 => Just(session(SessionStatus::Ended, Some(SessionStatus::Active))),
        1 => (0..4_u32).prop_map(|number| EventKind::SessionChanged {
            entry: event(100 + number),
            work_item: work_item(),
            status: if number == 0 { SessionStatus::Active } else { SessionStatus::Waiting },
            previous: None,
            ended_by: None,
        }),
        2 => (0..REPS.len()).prop_map(|who| came(REPS[who])),
        1 => (0..REPS.len()).prop_map(|who| went(REPS[who])),
        1 => (0..REPS.len(), 0..90_000_i64).prop_map(|(who, at)| came_at(REPS[who], at)),
        1 => (0..REPS.len(), 0..90_000_i64).prop_map(|(who, at)| went_at(REPS[who], at)),
        1 => (0..REPS.len()).prop_map(|who| seen(REPS[who])),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        8 => (1..6_u32, proptest::option::of(0..REPS.len())).prop_map(|(work, rep)| Kind::Done { work, rep }),
        2 => (prop_oneof![Just(15109), Just(15112), Just(10032), Just(10085), Just(NO_ROOM)], any::<bool>())
            .prop_map(|(code, lost)| Kind::Refused(code, lost)),
        2 => Just(Kind::Lost),
        4 => proptest::collection::vec(0..REPS.len(), 0..4).prop_map(Kind::Found),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..6_u32, target()).prop_map(|(event, target)| Step::Request(event, target)),
        6 => happening().prop_map(Step::Event),
        9 => (0..8_usize, kind()).prop_map(|(which, kind)| Step::Answer(which, kind)),
        1 => (0..8_usize, kind()).prop_map(|(which, kind)| Step::AnswerAgain(which, kind)),
        3 => (0..40_000_u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..60)
}

fn rules() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>(), proptest::option::of(2..7_u32)).prop_map(|(all, accepted, limit)| {
        let mut settings = settings();
        settings.participant_limit = limit;
        settings.policy.ring = if all { Ring::All } else { Ring::OneAtATime };
        settings.policy.report = if accepted { Report::Accepted } else { Report::Offered };
        settings
    })
}

/// A scenario under watch: what the commands and facts so far allow to be said.
struct Watched {
    chat: Scenario,
    created: BTreeMap<u32, i64>,
    /// The requests that bring a rep beside those who are in.
    joins: BTreeSet<u32>,
    open: BTreeMap<u32, BTreeSet<RepId>>,
    reports: BTreeMap<u32, usize>,
    routes_left: BTreeSet<u32>,
    read: usize,
    answered: Vec<CommandId>,
    next_work: u32,
}

impl Watched {
    fn new(settings: Settings) -> Self {
        Self {
            chat: Scenario::with(settings),
            created: BTreeMap::new(),
            joins: BTreeSet::new(),
            open: BTreeMap::new(),
            reports: BTreeMap::new(),
            routes_left: BTreeSet::new(),
            read: 0,
            answered: Vec::new(),
            next_work: 100,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Event(happening) => self.chat.when(happening),
            Step::Request(number, target) => {
                let EventKind::RoutingRequested(mut request) = requested(number, target) else { return };
                request.created = self.chat.now;
                if number.is_multiple_of(3) {
                    request.routing_type = RoutingType::Transfer;
                } else if number.is_multiple_of(5) {
                    request.routing_type = RoutingType::Initial;
                }
                self.chat.when(EventKind::RoutingRequested(request));
            }
            Step::Answer(which, kind) => {
                if self.chat.open.is_empty() {
                    return;
                }
                let command = self.chat.open.remove(which % self.chat.open.len());
                self.answer(&command, kind);
            }
            Step::AnswerAgain(which, kind) => {
                if let Some(id) = self.answered.get(which % self.answered.len().max(1)).cloned() {
                    self.chat.input(input(id, None, &kind, self.next_work));
                }
            }
            Step::Wait(millis) => self.chat.wait(Duration::from_millis(millis)),
        }
        self.check();
    }

    fn answer(&mut self, command: &Command, kind: Kind) {
        self.answered.push(command.id.clone());
        // Salesforce never gives the same id to two offers.
        self.next_work += 1;
        let kind = match kind {
            Kind::Done { work, rep } if self.next_work.is_multiple_of(2) => {
                Kind::Done { work: work + self.next_work, rep }
            }
            Kind::Done { rep, .. } => Kind::Done { work: self.next_work, rep },
            Kind::Found(_) if matches!(command.order, Order::Call(_)) => {
                Kind::Done { work: self.next_work, rep: None }
            }
            other => other,
        };
        self.chat.input(input(command.id.clone(), Some(&command.order), &kind, self.next_work));
    }

    /// Answers whatever is open and lets time pass, until nothing is left to do.
    fn finish(&mut self, salt: usize) {
        for round in 0..400_usize {
            while !self.chat.open.is_empty() {
                let command = self.chat.open.remove(0);
                let kind = match (&command.order, (salt + round) % 5) {
                    (Order::Find(_), 0) => Kind::Found(vec![round % REPS.len()]),
                    (Order::Find(_), _) => Kind::Found(Vec::new()),
                    (_, 1) => Kind::Lost,
                    (_, 2) => Kind::Refused(10085, false),
                    _ => Kind::Done { work: 0, rep: None },
                };
                self.answer(&command, kind);
                self.check();
            }
            let deadline = self.chat.conversation.deadline(&self.chat.settings);
            if self.chat.conversation.is_idle() {
                let waits = self.chat.conversation.waits_for_a_rep();
                assert_eq!(deadline.is_some(), waits, "invariant 10: a session that waits is routed later");
                return;
            }
            match deadline {
                Some(deadline) => self.chat.wait(deadline.since(self.chat.now)),
                None => return,
            }
            self.check();
        }
        panic!("it never came to rest: {:?}", self.chat.conversation);
    }

    fn check(&mut self) {
        for remark in &self.chat.remarks {
            assert!(!matches!(remark, Remark::Broken(_)), "{remark:?}");
        }
        let facts: Vec<Fact> = self.chat.facts[self.read..].to_vec();
        let times = self.chat.times[self.read..].to_vec();
        self.read = self.chat.facts.len();
        for (fact, at) in facts.into_iter().zip(times) {
            match fact {
                Fact::Requested(requested) => {
                    self.created.insert(requested.number, requested.created.as_millis());
                    if requested.routing_type == RoutingType::Conference {
                        self.joins.insert(requested.number);
                    }
                }
                Fact::OfRequest(number, fact) => self.check_fact(number, &fact, at.as_millis()),
                _ => {}
            }
        }
    }

    fn check_fact(&mut self, number: u32, fact: &RequestFact, at: i64) {
        match fact {
            RequestFact::Commanded { intent: Intent::Offer(rep), .. } => {
                let open = self.open.entry(number).or_default();
                assert!(open.insert(*rep), "a rep is never offered the same request twice at once");
                if self.chat.settings.policy.ring == Ring::OneAtATime {
                    assert_eq!(open.len(), 1, "invariant 5: one at a time");
                }
                let joins = |number: &u32| self.joins.contains(number);
                let beside = self.open.iter().filter(|(number, _)| joins(number));
                let offers: usize = beside.map(|(_, open)| open.len()).sum();
                if let Some(limit) = self.chat.settings.participant_limit {
                    assert!(offers + 2 <= limit as usize, "invariant 5: {offers} offers, limit {limit}");
                }
            }
            RequestFact::Commanded { intent: Intent::Report { .. }, .. } => {
                *self.reports.entry(number).or_default() += 1;
                assert_eq!(self.reports[&number], 1, "invariant 2: one result");
                let after = at - self.created[&number];
                assert!(after < 60_000, "invariant 2: {after} ms after the event");
            }
            RequestFact::RouteMade { .. } | RequestFact::RouteUnknown => {
                self.routes_left.insert(number);
            }
            RequestFact::RouteCleared => {
                self.routes_left.remove(&number);
            }
            RequestFact::OfferAccepted(rep) => {
                self.routes_left.remove(&number);
                self.open.entry(number).or_default().remove(rep);
            }
            RequestFact::OfferEnded(rep, _)
            | RequestFact::RepRefused { rep, .. }
            | RequestFact::RepHasNoRoom { rep, .. }
            | RequestFact::RepRemoved(rep) => {
                self.open.entry(number).or_default().remove(rep);
            }
            RequestFact::Closed => {
                assert!(!self.routes_left.contains(&number), "invariant 4: a PSR is left");
                let left = self.open.get(&number).is_none_or(BTreeSet::is_empty);
                assert!(left, "invariant 3: {:?} can still accept", self.open[&number]);
            }
            _ => {}
        }
    }
}

fn input(id: CommandId, order: Option<&Order>, kind: &Kind, fresh: u32) -> Input {
    match (order, kind) {
        (Some(Order::Find(_)), Kind::Found(reps)) => {
            Input::Found(id, Ok(reps.iter().map(|which| rep(REPS[*which])).collect()))
        }
        (Some(Order::Call(Call::Route(_))), Kind::Done { rep: who, .. }) => {
            let chosen = who.map(|who| rep(REPS[who]));
            let made = Routed { psr: Some(psr(fresh)), rep: chosen, ..Routed::default() };
            Input::Answered(id, Answer::Done(Reply::Routed(made)))
        }
        (Some(Order::Call(Call::CreateAgentWork(_))), Kind::Done { work, .. }) => Input::Answered(
            id,
            if work.is_multiple_of(7) { Answer::Done(Reply::Offered(None)) } else { offered(*work) },
        ),
        (Some(Order::Find(_)), Kind::Lost) => Input::Found(id, Err(SearchFailure::Silent)),
        (Some(Order::Find(_)), Kind::Refused(..)) => {
            let failed = SearchFailure::Failed { why: "it answered 503".into(), wait: Duration::ZERO };
            Input::Found(id, Err(failed))
        }
        (Some(Order::Find(_)), _) | (_, Kind::Found(_)) => Input::Found(id, Ok(Vec::new())),
        (_, Kind::Refused(code, lost)) => Input::Answered(id, refused(*code, *lost)),
        (_, Kind::Lost) => Input::Answered(id, lost()),
        (_, Kind::Done { .. }) => Input::Answered(id, ok()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_any_inputs_keeps_the_invariants(steps in steps(), rules in rules(), salt in 0..5_usize) {
        let mut watched = Watched::new(rules);
        for step in steps {
            watched.step(step);
        }
        watched.finish(salt);

        let chat = &watched.chat;
        prop_assert!(chat.conversation.is_idle(), "it came to rest with something open: {:?}", chat.conversation);
        let mut ended: Vec<_> = chat.endings.iter().map(|ending| ending.request.clone()).collect();
        ended.sort();
        let count = ended.len();
        ended.dedup();
        prop_assert_eq!(ended.len(), count, "invariant 1: one last word");
        prop_assert_eq!(count, watched.created.len(), "invariant 1: every request ends");
        for ending in &chat.endings {
            prop_assert_eq!(ending.outcome == Outcome::Joined, matches!(ending.reason, Reason::Joined(_)));
            prop_assert!(!ending.reason.to_string().is_empty());
        }

        let mut again = Conversation::new(chat.conversation.id().clone());
        for fact in &chat.facts {
            prop_assert!(again.apply(fact).is_ok());
        }
        prop_assert_eq!(&again, &chat.conversation, "the facts give the state back");
    }

    #[test]
    fn a_stop_after_any_input_loses_nothing(steps in steps(), rules in rules(), cut in 0..60_usize) {
        let mut watched = Watched::new(rules);
        for step in steps.into_iter().take(cut) {
            watched.step(step);
        }
        let chat = &watched.chat;
        let stored = serde_json::to_string(&chat.facts).unwrap();
        let facts: Vec<Fact> = serde_json::from_str(&stored).unwrap();
        let mut again = Conversation::new(chat.conversation.id().clone());
        for fact in &facts {
            prop_assert!(again.apply(fact).is_ok());
        }
        prop_assert_eq!(&again, &chat.conversation);
        prop_assert_eq!(again.deadline(&chat.settings), chat.conversation.deadline(&chat.settings));
        // What goes on after the restart is among what was under way before it: the same ids, the same
        // orders. Commands that an event has overtaken are not given again.
        for command in again.outstanding(&chat.settings) {
            let before = chat.open.iter().find(|open| open.id == command.id);
            prop_assert!(before.is_some(), "{command:?} was never given");
            if let (Some(Order::Call(before)), Order::Call(after)) = (before.map(|c| &c.order), &command.order) {
                prop_assert_eq!(before, after);
            }
        }
    }
}
