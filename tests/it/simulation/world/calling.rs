//! What the connector asks for, on its way to Salesforce and to the rep finder and back.

use std::time::Duration;

use byoc_connector::emulator::{AnswerFate, ApiRequest, LedgerEvent, Operation, Salesforce};
use byoc_connector::interaction::{Next, Tries, TryOutcome, decode, encode, jitter};
use byoc_connector::model::call::{Answer, Call, CancelAgentWork, RemoveParticipant};
use byoc_connector::model::event::Event;
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, RepId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::Timestamp;
use byoc_connector::rep_finder::choose;
use byoc_connector::routing::{
    Command, CommandId, Effects, Fact, Order, RequestFact, SearchFailure, Turn, Undo,
};

use super::super::link::Fate;
use super::super::seeds::rep_id;
use super::{Core, Due, Made, Open, TRY_TIMEOUT, Trace, World};

/// The number of a rep who is in nobody's roster but that of a rep finder in trouble.
const UNKNOWN_REP: usize = 99;

impl<C: Core> World<C> {
    pub(super) fn on_turn(&mut self, turn: Turn) {
        let Turn { conversation, effects, .. } = turn;
        let Effects { facts, commands, announcements: _, endings, remarks } = effects;
        if facts.is_empty() {
            self.trace.remarks.extend(remarks);
            return;
        }
        for fact in &facts {
            self.say(|| format!("    {fact:?}"));
            self.note_decision(&conversation, fact);
        }
        self.trace.facts += facts.len();
        self.trace.remarks.extend(remarks);
        for ending in endings {
            let reps = self
                .core
                .conversation(&conversation)
                .into_iter()
                .flat_map(byoc_connector::routing::Conversation::participants);
            if reps.filter(|one| one.as_rep().is_some()).count() == 1 {
                self.trace.alone.insert(ending.request.clone());
            }
            self.trace.endings.push((conversation.clone(), ending));
        }
        let crash = self.crash.filter(|crash| crash.after_turn == self.trace.turns);
        self.trace.turns += 1;
        if crash.is_none_or(|crash| crash.commands_sent) {
            for command in commands {
                self.begin(&conversation, command, Tries::new());
            }
        }
        if let Some(crash) = crash {
            self.say(|| format!("the connector stops; what was asked for went out: {}", crash.commands_sent));
            self.down = true;
            for open in self.calls.values_mut() {
                open.orphan = true;
            }
            self.at(self.now + crash.down_for, Due::Restart);
        }
    }

    pub(super) fn note_decision(&mut self, conversation: &ConversationId, fact: &Fact) {
        let Trace { decided, numbers, named, owed_cancels, .. } = &mut self.trace;
        match fact {
            Fact::Requested(requested) => {
                numbers.insert((conversation.clone(), requested.number), requested.event.clone());
            }
            Fact::OfRequest(number, RequestFact::Decided(verdict)) => {
                let event = &numbers[&(conversation.clone(), *number)];
                decided.entry(event.clone()).or_insert(verdict.at);
            }
            Fact::OfRequest(number, RequestFact::Owed { undo: Undo::Cancel(rep), .. }) => {
                let event = &numbers[&(conversation.clone(), *number)];
                owed_cancels.insert((event.clone(), *rep));
            }
            Fact::OfRequest(
                _,
                RequestFact::OfferMade { work, .. }
                | RequestFact::OfferIdLearned { work, .. }
                | RequestFact::OfferRepeated { work, .. },
            ) => {
                named.insert(*work);
            }
            _ => {}
        }
    }

    pub(super) fn restart(&mut self) {
        self.say(|| "the connector starts again".to_owned());
        self.down = false;
        for (conversation, command) in self.core.restart() {
            self.begin(&conversation, command, Tries::resumed());
        }
        // The stream goes on from the last event that was processed, which comes again.
        let last: Vec<Event> =
            self.heard.values().filter_map(|heard| heard.last()).flatten().cloned().collect();
        self.hear_again(last);
        for event in std::mem::take(&mut self.missed_browser) {
            self.hear(event, "browser");
        }
        for (conversation, events) in std::mem::take(&mut self.missed) {
            self.hear_platform(conversation, events);
        }
    }

    pub(super) fn begin(&mut self, conversation: &ConversationId, command: Command, tries: Tries) {
        let Command { id, give_up_at, order } = command;
        self.trace.commands.insert(id.clone(), conversation.clone());
        let number = self.next;
        self.next += 1;
        let found = match &order {
            Order::Call(_) => None,
            Order::Find(query) => Some(query.clone()),
        };
        let conversation = conversation.clone();
        let open = Open { id, conversation, give_up_at, order, tries, failures: 0, orphan: false };
        self.calls.insert(number, open);
        match found {
            None => self.try_call(number),
            Some(query) => self.find(number, &query, give_up_at),
        }
    }

    pub(super) fn find(&mut self, number: u64, query: &RepQuery, give_up_at: Timestamp) {
        let reps = self.reps.iter().filter_map(|id| self.salesforce.rep(*id)).cloned().collect();
        let mut found = Ok(choose(&Roster { reps, ..Roster::default() }, query));
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
        self.at(after.min(give_up_at), Due::Found(number, found));
    }

    pub(super) fn found(&mut self, number: u64, found: Result<Vec<RepId>, SearchFailure>) {
        let Some(open) = self.calls.remove(&number) else { return };
        if open.orphan {
            return;
        }
        self.say(|| format!("found {found:?} for {:?}", open.id));
        if let Some(turn) = self.core.on_found(self.now, open.conversation, open.id, found) {
            self.on_turn(turn);
        }
    }

    pub(super) fn try_call(&mut self, number: u64) {
        let Some(open) = self.calls.get(&number).filter(|open| !open.orphan) else { return };
        if self.now >= open.give_up_at {
            return self.judge(number, TryOutcome::not_sent("its time was over before it could be sent"));
        }
        let until = (self.now + TRY_TIMEOUT).min(open.give_up_at);
        let way = Duration::from_millis(self.link.way(&mut self.dice));
        self.at((self.now + way).min(until - Duration::from_millis(1)), Due::Reaches(number, until));
    }

    pub(super) fn reaches(&mut self, number: u64, until: Timestamp) {
        let Some(open) = self.calls.get(&number) else { return };
        let Order::Call(call) = open.order.clone() else { return };
        let clean_up =
            matches!(call, Call::CancelAgentWork(_) | Call::ClearRoute(_) | Call::RemoveParticipant(_));
        let (id, conversation) = (open.id.clone(), open.conversation.clone());
        let fate = self.link.fate(&mut self.dice, self.now.as_millis(), clean_up, open.failures);
        let verdict = self.deliver(&id, conversation, &call, fate);
        self.listen();
        let Some(open) = self.calls.get_mut(&number) else { return };
        if fate != Fate::Fine {
            open.failures += 1;
        }
        let back = self.now + Duration::from_millis(self.link.way_back(&mut self.dice));
        if back >= until {
            self.at(until, Due::Judge(number, TryOutcome::answer_lost("it took too long")));
        } else {
            self.at(back, Due::Judge(number, verdict));
        }
    }

    /// Lets a try meet Salesforce, and books what it did there.
    pub(super) fn deliver(
        &mut self,
        id: &CommandId,
        conversation: ConversationId,
        call: &Call,
        fate: Fate,
    ) -> TryOutcome {
        let request = api_request(&self.salesforce, id, call);
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
        self.say(|| format!("at Salesforce: {:?} {call:?} {fate:?} -> {answered:?}", id.number));
        if let Some((status, code)) = answered {
            self.note_made(Made {
                at: self.now,
                id: id.clone(),
                conversation,
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

    pub(super) fn note_made(&mut self, made: Made) {
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

    pub(super) fn count_seats(&mut self, conversation: &ConversationId, work: AgentWorkId) {
        let Some(limit) = self.settings.participant_limit else { return };
        let there = self.salesforce.conversation(conversation).unwrap();
        let open = there.works.iter().filter_map(|id| self.salesforce.work(*id));
        let known = |id| id == work || !self.is_nameless(id);
        let open = open.filter(|work| work.state.is_open() && known(work.id)).count();
        let taken = there.participants.len() + open;
        if taken > limit as usize {
            let text = format!("{taken} of {limit} seats with the offer {work} in {conversation}");
            self.trace.over_limit.push(text);
        }
    }

    pub(super) fn judge(&mut self, number: u64, verdict: TryOutcome) {
        let Some(open) = self.calls.get_mut(&number) else { return };
        if open.orphan {
            self.calls.remove(&number);
            return;
        }
        let chance = jitter(open.id.request_id(), open.tries.made());
        match open.tries.next(verdict, self.now, open.give_up_at, chance) {
            Next::Answer(answer) => self.answered(number, answer),
            Next::TryAgainAt(at) => self.at(at, Due::Try(number)),
            Next::RefreshTokenAndTryAgain => self.later(0, Due::Try(number)),
        }
    }

    pub(super) fn answered(&mut self, number: u64, answer: Answer) {
        let Some(Open { id, conversation, order, .. }) = self.calls.remove(&number) else { return };
        self.say(|| format!("answer to {:?}: {answer:?}", id.number));
        let in_vain = !matches!(answer, Answer::Done(_));
        let request = id.request.clone();
        if let Some(turn) = self.core.on_answer(self.now, conversation.clone(), id, answer) {
            self.on_turn(turn);
        }
        if let Order::Call(call) = &order
            && in_vain
        {
            self.check_owed(&conversation, &request, call);
        }
    }

    /// What could not be undone, and is still there, is owed.
    fn check_owed(&mut self, conversation: &ConversationId, request: &EventId, call: &Call) {
        let there = self.salesforce.conversation(conversation).unwrap();
        let (undo, rep, needed) = match call {
            Call::CancelAgentWork(CancelAgentWork { work, .. }) => {
                let work = self.salesforce.work(*work).unwrap();
                ("cancelOffer", Some(work.rep), work.state.is_open())
            }
            Call::ClearRoute(_) => {
                ("clearRoute", None, there.psrs.iter().any(|psr| self.trace.psrs.get(psr) == Some(request)))
            }
            Call::RemoveParticipant(RemoveParticipant { rep, .. }) => {
                ("removeRep", Some(*rep), there.reps().any(|it| it == *rep) && there.reps().count() > 1)
            }
            _ => return,
        };
        let mut owed = self
            .core
            .conversation(conversation)
            .into_iter()
            .flat_map(byoc_connector::routing::Conversation::owed);
        let is_owed = owed.any(|it| it.undo == undo && it.rep == rep && it.request == *request);
        if needed && !is_owed && !there.is_over() {
            self.trace.not_owed.push(format!("{undo} {rep:?} of {request} failed, and is not owed"));
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

pub(crate) fn operation_of(call: &Call) -> Operation {
    match call {
        Call::Route(_) => Operation::CreateRoute,
        Call::ClearRoute(_) => Operation::DeleteRoute,
        Call::CreateAgentWork(_) => Operation::CreateAgentWork,
        Call::CancelAgentWork(_) => Operation::UpdateAgentWork,
        Call::ReportResult(_) => Operation::RoutingResult,
        Call::RemoveParticipant(_) => Operation::Participant,
    }
}
