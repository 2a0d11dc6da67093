//! What the connector asks for, on its way to Salesforce and to the rep finder and back.

use std::sync::Arc;
use std::time::Duration;

use byoc_connector::emulator::{AnswerFate, ApiRequest, LedgerEvent, Operation, Salesforce};
use byoc_connector::engine::{CallId, Search};
use byoc_connector::interaction::{Tried, Try, TryOutcome, decode, encode};
use byoc_connector::model::call::Call;
use byoc_connector::model::ids::{AgentWorkId, ConversationId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::words::RoutingType;
use byoc_connector::rep_finder::choose;
use byoc_connector::routing::{CommandId, SearchFailure};

use super::super::link::Fate;
use super::super::seeds::rep_id;
use super::{Due, Made, OpenCall, TRY_TIMEOUT, UnderWay, World};

/// The number of a rep who is in nobody's roster but that of a rep finder in trouble.
const UNKNOWN_REP: usize = 99;

impl World {
    pub(super) fn find(&mut self, search: Search) {
        let Search { id, query, give_up_at } = search;
        self.trace.commands.insert(id.command.clone(), id.conversation.clone());
        let reps = self.reps.iter().filter_map(|id| self.salesforce.rep(*id)).cloned().collect();
        let mut found = Ok(choose(&Roster { reps, ..Roster::default() }, &query));
        let mut after = self.now + Duration::from_millis(self.dice.between(1, 1_500));
        if self.dice.chance(self.habits.finder_trouble) {
            match self.dice.below(5) {
                0 => found = Ok(Vec::new()),
                1 => after = give_up_at,
                2 => found = Err(SearchFailure::Failed { why: "down".to_owned(), wait: Duration::ZERO }),
                3 => after = self.now + Duration::from_millis(self.dice.between(1_000, 60_000)),
                // Whoever comes to its mind: reps who are offline, and one whom the org does not know.
                _ => {
                    let mut reps: Vec<RepId> = (0..3).map(|_| *self.dice.pick(&self.reps)).collect();
                    reps.insert(self.dice.below(4), rep_id(UNKNOWN_REP));
                    found = Ok(reps);
                }
            }
        }
        if after >= give_up_at {
            found = Err(SearchFailure::Silent);
        }
        self.at(after.min(give_up_at), Due::Found(self.process, id, found));
    }

    pub(super) fn found(&mut self, process: u32, id: CallId, found: Result<Vec<RepId>, SearchFailure>) {
        if process != self.process {
            return;
        }
        self.say(|| format!("found {found:?} for {:?}", id.command));
        self.engine.found(self.now, id, found);
        self.do_outputs();
    }

    pub(super) fn send(&mut self, id: CallId, attempt: Try, first: bool) {
        let Try { call, give_up_at, .. } = attempt;
        self.trace.commands.insert(id.command.clone(), id.conversation.clone());
        if first {
            if let Err(overtaken) = self.commanded.on_first_try(&id) {
                self.trace.overtaken.push(overtaken);
            }
            self.open.insert(id.clone(), OpenCall { call: Arc::clone(&call), failures: 0 });
        }
        if self.now >= give_up_at {
            let outcome = TryOutcome::not_sent("its time was over before it could be sent");
            return self.engine.tried(self.now, &id, Tried { outcome, token: None });
        }
        let until = (self.now + TRY_TIMEOUT).min(give_up_at);
        let way = Duration::from_millis(self.link.way(&mut self.dice));
        let under_way = UnderWay { id, call, until, process: self.process };
        self.at((self.now + way).min(until - Duration::from_millis(1)), Due::Reaches(under_way));
    }

    pub(super) fn reaches(&mut self, under_way: UnderWay) {
        let UnderWay { id, call, until, process } = under_way;
        let clean_up =
            matches!(*call, Call::UpdateAgentWork(_) | Call::ClearRoute(_) | Call::RemoveParticipant(_));
        // Who made it may be gone; it arrives all the same.
        let open = if process == self.process { self.open.get_mut(&id) } else { None };
        let failures = open.map_or(0, |open| open.failures);
        let fate = self.link.fate(&mut self.dice, self.now.as_millis(), clean_up, failures);
        let outcome = self.deliver(&id, &call, fate);
        self.listen();
        if process != self.process {
            return;
        }
        if let Some(open) = self.open.get_mut(&id).filter(|_| fate != Fate::Fine) {
            open.failures += 1;
        }
        let back = self.now + Duration::from_millis(self.link.way_back(&mut self.dice));
        if back >= until {
            self.at(until, Due::Tried(process, id, TryOutcome::answer_lost("it took too long")));
        } else {
            self.at(back, Due::Tried(process, id, outcome));
        }
    }

    pub(super) fn tried(&mut self, process: u32, id: &CallId, outcome: TryOutcome) {
        if process == self.process {
            self.engine.tried(self.now, id, Tried { outcome, token: None });
            self.do_outputs();
        }
    }

    /// Lets a try meet Salesforce, and books what it did there.
    fn deliver(&mut self, id: &CallId, call: &Call, fate: Fate) -> TryOutcome {
        let request = api_request(&self.salesforce, &id.command, call);
        if let Some(fault) = fate.fault(operation_of(call)) {
            self.salesforce.plan_fault(fault);
        }
        self.salesforce.advance(self.now);
        let before = self.salesforce.books().entries().len();
        let draw = self.dice.unit();
        let delivery = self.salesforce.deliver(self.now, &request, draw);
        self.salesforce.clear_faults();
        let entries = &self.salesforce.books().entries()[before..];
        let changed: Vec<LedgerEvent> = entries.iter().map(|entry| entry.what.clone()).collect();
        let answered = changed.iter().find_map(|booked| match booked {
            LedgerEvent::Call { status, code, .. } => Some((*status, *code)),
            _ => None,
        });
        self.say(|| format!("at Salesforce: {:?} {call:?} {fate:?} -> {answered:?}", id.command.number));
        if let Some((status, code)) = answered {
            self.note_made(Made {
                at: self.now,
                id: id.command.clone(),
                conversation: id.conversation.clone(),
                call: call.clone(),
                status,
                code,
                changed,
            });
        }
        match (delivery, fate) {
            (AnswerFate::NoAnswer { .. }, Fate::NotConnected) => TryOutcome::not_sent("no connection"),
            (AnswerFate::NoAnswer { .. }, _) => TryOutcome::answer_lost("the connection broke"),
            (AnswerFate::Answer { .. }, Fate::DoneAnd503) => decode(call, 503, None, b"upstream is not well"),
            (AnswerFate::Answer { response, .. }, Fate::DoneAndGarbled) if response.status < 300 => {
                decode(call, response.status, None, b"{}")
            }
            (AnswerFate::Answer { response, .. }, _) => {
                let wait = response.headers.iter().find(|(name, _)| name == "Retry-After");
                let wait = wait.and_then(|(_, seconds)| seconds.parse().ok()).map(Duration::from_secs);
                decode(call, response.status, wait, response.body.to_string().as_bytes())
            }
        }
    }

    fn note_made(&mut self, made: Made) {
        for booked in &made.changed {
            match booked {
                LedgerEvent::OfferCreated { work, .. } => {
                    self.trace.works.insert(*work, made.id.request.clone());
                    self.count_seats(&made.conversation, *work);
                }
                LedgerEvent::PsrCreated { psr, .. } => {
                    self.trace.psrs.insert(*psr, made.id.request.clone());
                }
                _ => {}
            }
        }
        self.trace.made.push(made);
    }

    fn count_seats(&mut self, conversation: &ConversationId, work: AgentWorkId) {
        let Some(limit) = self.settings.participant_limit else { return };
        let joins = |id| self.salesforce.work(id).is_some_and(|it| it.routing_type != RoutingType::Transfer);
        if !joins(work) {
            return;
        }
        let there = self.salesforce.conversation(conversation).unwrap();
        let open = there.works.iter().filter_map(|id| self.salesforce.work(*id));
        let known = |id| id == work || (joins(id) && !self.is_nameless(id));
        let open = open.filter(|work| work.state.is_open() && known(work.id)).count();
        let taken = there.participants.len() + open;
        if taken > limit as usize {
            let text = format!("{taken} of {limit} seats with the offer {work} in {conversation}");
            self.trace.over_limit.push(text);
        }
    }
}

/// A call as the client puts it on the wire.
pub(crate) fn api_request(salesforce: &Salesforce, id: &CommandId, call: &Call) -> ApiRequest {
    let wire = encode(call);
    let settings = salesforce.settings();
    let mut headers = vec![
        ("Authorization".to_owned(), "Bearer simulation".to_owned()),
        ("OrgId".to_owned(), settings.org.to_string()),
        ("AuthorizationContext".to_owned(), settings.channel.developer_name.clone()),
        ("RequestId".to_owned(), id.request_id().to_string()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    headers.extend(wire.headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    ApiRequest {
        method: wire.method.as_str().to_owned(),
        path: wire.path.to_owned(),
        headers,
        body: wire.body.to_string().into_bytes(),
    }
}

/// The emulator's operation that a call is, by method and path.
pub(crate) fn operation_of(call: &Call) -> Operation {
    let wire = encode(call);
    let is_it = |it: &&Operation| {
        it.method() == wire.method.as_str() && wire.path.strip_prefix("/api/v1/") == Some(it.resource())
    };
    *Operation::ALL.iter().find(is_it).expect("the emulator answers every operation")
}
