//! Whatever is done in whatever order, the org and its books agree.

use byoc_connector::emulator::SeededRandom;
use proptest::prelude::*;

use super::*;

/// One step of a random run.
#[derive(Debug, Clone)]
enum Step {
    Call(u8, u8, bool),
    Act(u8, u8),
    Wait(u16),
    Fault(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(a, b, c)| Step::Call(a, b, c)),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Act(a, b)),
        2 => (0_u16..30_000).prop_map(Step::Wait),
        1 => any::<u8>().prop_map(Step::Fault),
    ];
    prop::collection::vec(step, 1..60)
}

/// A run over one org: whatever ids it has made so far are what later steps name.
struct Run {
    org: Org,
    now: Timestamp,
    draws: SeededRandom,
    events: Vec<Emitted>,
}

impl Run {
    fn new() -> Self {
        let org = Org::scripted(CLEO, Script::Accept { after_milliseconds: 700 });
        Self { org, now: START, draws: SeededRandom::new(5), events: Vec::new() }
    }

    fn work(&self, pick: u8) -> AgentWorkId {
        let works: Vec<_> = self.org.salesforce.works().map(|work| work.id).collect();
        works[usize::from(pick) % works.len()]
    }

    fn request(&self, pick: u8) -> EventId {
        let requests: Vec<_> = self.org.salesforce.requests().map(|request| request.event.clone()).collect();
        if requests.is_empty() {
            return EventId::parse(AN_ID).unwrap();
        }
        requests[usize::from(pick) % requests.len()].clone()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(which, pick, flag) => self.call(which, pick, flag),
            Step::Act(which, pick) => {
                let conversation = self.org.conversation.clone();
                let target = match pick % 4 {
                    0 => Target::Queue(queue()),
                    1 => Target::Rep(rep(BO)),
                    2 => Target::Flow { flow: flow(1), fallback: Some(queue()) },
                    _ => Target::Unreadable,
                };
                let act = match which % 12 {
                    0..=3 => Act::RequestConference { conversation, requester: None, target },
                    4 => Act::RequestTransfer { conversation, requester: None, target },
                    5 => Act::CancelRequest { request: self.request(pick) },
                    6 | 7 => Act::Accept { work: self.work(pick) },
                    8 => Act::Decline { work: self.work(pick) },
                    9 if pick < 8 => Act::EndUserLeaves { conversation },
                    9 => Act::RepLeaves { conversation, rep: rep(u32::from(pick) % 3 + 1) },
                    10 if pick < 8 => Act::EndSession { conversation },
                    10 => Act::RepGoesOffline { rep: rep(u32::from(pick) % 3 + 1) },
                    _ => Act::SetPresence {
                        rep: rep(u32::from(pick) % 3 + 1),
                        availability: if pick < 128 { Availability::Available } else { Availability::Busy },
                    },
                };
                // What cannot be as things stand is refused; that is an answer too.
                drop(self.org.salesforce.act(self.now, act));
            }
            Step::Wait(ms) => self.now = self.now + Duration::from_millis(u64::from(ms)),
            Step::Fault(which) => self.org.salesforce.plan_fault(Fault {
                probability: 0.5,
                ..Fault::always(match which % 4 {
                    0 => FaultKind::Latency { milliseconds: 3 },
                    1 => FaultKind::ServerError { status: 503 },
                    2 => FaultKind::AnswerLost { after_milliseconds: 1 },
                    _ => FaultKind::ConnectionRefused,
                })
            }),
        }
        self.events.extend(self.org.salesforce.take_events());
    }

    fn call(&mut self, which: u8, pick: u8, flag: bool) {
        let request_of = self.request(pick);
        let (method, path, body) = match which % 7 {
            0 => ("POST", "/api/v1/route", self.org.route_body(&json!({ "queueId": queue() }))),
            1 => ("DELETE", "/api/v1/route", json!({ "conversationIdentifier": self.org.conversation })),
            2 | 3 => {
                let mut body = self.org.offer_body(u32::from(pick) % 3 + 1, &request_of);
                body["capacityWeight"] = if flag { json!(1.5) } else { Value::Null };
                ("POST", "/api/v1/agentWork", body)
            }
            4 => {
                let status = ["Cancel", "Accept", "Decline", "Close"][usize::from(pick) % 4];
                let body = json!({ "workId": self.work(pick), "contextType": "Agent", "status": status });
                ("PATCH", "/api/v1/agentWork", body)
            }
            5 => ("POST", "/api/v1/routingResult", self.org.result_body(flag)),
            _ => {
                let person =
                    json!({ "appType": "agent", "subject": rep(u32::from(pick) % 3 + 1), "role": "Agent" });
                let body = json!({
                    "conversationIdentifier": self.org.conversation, "operation": "Remove",
                    "participants": [person],
                });
                ("POST", "/api/v1/participant", body)
            }
        };
        self.org.calls += 1;
        let call = request(method, path, &body, self.org.calls);
        let draw = self.draws.next_unit();
        self.org.salesforce.deliver(self.now, &call, draw);
    }

    fn check(&self) {
        let org = &self.org.salesforce;
        let entries = org.books().entries();
        assert!(entries.iter().enumerate().all(|(n, entry)| entry.number == n as u64 + 1));
        assert!(entries.is_sorted_by_key(|entry| entry.at), "the books are in the order of time");
        for request in org.requests() {
            assert!(effective_results(org.books(), &request.event) <= 1);
            let ends = |it: &LedgerEvent| matches!(it, LedgerEvent::RequestEnded { request: r, .. } if *r == request.event);
            assert_eq!(org.books().count(ends), usize::from(request.ended.is_some()));
        }
        let created = org.books().count(|it| matches!(it, LedgerEvent::PsrCreated { .. }));
        let deleted = org.books().count(|it| matches!(it, LedgerEvent::PsrDeleted { .. }));
        assert_eq!(created - deleted, org.psrs().count());
        let conversation = org.conversation(&self.org.conversation).unwrap();
        for number in [ANNA, BO, CLEO] {
            let mine: Vec<_> =
                org.works().filter(|it| it.rep == rep(number) && it.state.is_active()).collect();
            assert!(mine.len() <= 1, "one active agent work a rep and work item: {mine:?}");
            let held: f64 = mine.iter().filter(|it| it.state != WorkState::Waiting).map(|it| it.weight).sum();
            assert!((org.rep(rep(number)).unwrap().capacity_used - held).abs() < 1e-9, "{mine:?}");
            let accepted = mine.iter().any(|it| it.state == WorkState::Accepted);
            let inside = conversation.reps().any(|it| it == rep(number));
            assert!(
                accepted == inside || conversation.is_over(),
                "who accepted is in, and who is in accepted"
            );
        }
        serde_json::to_string(&org.snapshot()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_calls_and_acts_keeps_the_books_and_repeats_exactly(steps in steps()) {
        let (mut one, mut two) = (Run::new(), Run::new());
        for step in &steps {
            one.step(step);
            one.check();
            two.step(step);
        }
        prop_assert_eq!(one.events, two.events);
        prop_assert_eq!(one.org.salesforce.books().entries(), two.org.salesforce.books().entries());
    }

    #[test]
    fn any_bytes_get_an_answer(
        method in "(POST|PATCH|DELETE|GET|.{0,4})", path in "(/api/v1/)?(route|agentWork|routingResult|participant|.{0,9})",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut org = Org::new();
        let call = ApiRequest { body, ..request(&method, &path, &Value::Null, 1) };
        let answer = org.salesforce.handle(START, &call);
        prop_assert!(answer.status >= 400 && answer.code().is_some());
    }
}
