//! Doing what the engine asks for: tries of calls, and searches for reps.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::{CallId, Search as Asked};
use crate::interaction::{Operation, Tried, Try as Attempt, TryOutcome, decode, encode};
use crate::model::call::{Answer, Call, CreateAgentWork, Reply};
use crate::model::ids::{ConversationId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::recording::Response;
use crate::rep_finder::choose;
use crate::routing::SearchFailure;

use super::{Answers, Due, Kind, NoteSlot, Open, OpenCall, Player};
use crate::replay::cassette::{Match, TryId};
use crate::replay::note::{CallNote, Note, Search, What};
use crate::replay::side::{Arrival, Side, Try};

impl<S: Side> Player<S> {
    /// Makes a try; the first of a call begins it.
    pub(super) fn send(&mut self, id: CallId, attempt: &Attempt) {
        let number = match self.numbers.get(&id) {
            Some(number) => *number,
            None => {
                self.summary.calls = self.summary.calls.saturating_add(1);
                let call = Arc::clone(&attempt.call);
                let wire = encode(&call);
                let kind = Kind::Call(Box::new(OpenCall { call, wire, status: None, response: None }));
                self.begin(id, attempt.give_up_at, kind)
            }
        };
        self.try_call(number);
        if self.at_end {
            self.nothing_more_will_come(number);
        }
    }

    pub(super) fn search(&mut self, search: Asked) {
        let Asked { id, query, give_up_at } = search;
        let number = self.begin(id, give_up_at, Kind::Search(query.clone()));
        if !self.searches_recorded {
            let reps = choose(&self.roster, &query);
            self.schedule(self.now, Due::Found(number, Ok(reps)));
        } else if let Some(reps) = self.searches.on_search(self.now, number, &query) {
            self.schedule(self.now, Due::Found(number, Ok(reps)));
        }
        if self.at_end {
            self.nothing_more_will_come(number);
        }
    }

    fn begin(&mut self, id: CallId, give_up_at: Timestamp, kind: Kind) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.numbers.insert(id.clone(), number);
        let open = Open { id, began: self.now, give_up_at, kind };
        self.open.insert(number, open);
        self.slots.push_back(NoteSlot::Open(number));
        self.schedule(give_up_at, Due::GiveUp(number));
        number
    }

    /// With the recording over, whoever still waits for a line of it waits in vain.
    pub(super) fn nothing_more_will_come(&mut self, number: u64) {
        match self.open.get(&number).map(|open| &open.kind) {
            Some(Kind::Search(_)) if self.searches_recorded => {
                self.schedule(self.now, Due::Found(number, Ok(Vec::new())));
            }
            Some(Kind::Call(_)) if matches!(self.answers, Answers::Recorded(_)) => {
                self.schedule(self.now, Due::GiveUp(number));
            }
            _ => {}
        }
    }

    pub(super) fn found(&mut self, number: u64, found: Result<Vec<RepId>, SearchFailure>) {
        let Some(Open { id, began, kind: Kind::Search(query), .. }) = self.open.remove(&number) else {
            return;
        };
        self.searches.close(number);
        self.numbers.remove(&id);
        let took = self.now.since(began);
        let RepQuery { queue_id: queue, skills, .. } = query;
        let search =
            Search { request: id.command.request.clone(), queue, skills, found: found.clone(), took };
        self.fill(number, began, &id.conversation, What::Search(Box::new(search)));
        self.engine.found(self.now, id, found);
        self.do_outputs();
    }

    pub(super) fn try_call(&mut self, number: u64) {
        let Some(open) = self.open.get(&number) else { return };
        let Kind::Call(open_call) = &open.kind else { return };
        let OpenCall { call, wire, .. } = &**open_call;
        match &mut self.answers {
            Answers::Recorded(cassette) => {
                let id = TryId { call: number };
                if let Some(found) = cassette.on_try(id, wire.method.as_str(), wire.path, &wire.body) {
                    self.matched(found);
                } else if self.at_end {
                    self.nothing_more_will_come(number);
                }
            }
            Answers::Live(side) => {
                let tried = Try { id: &open.id.command, call, wire, give_up_at: open.give_up_at };
                let arrival = side.call(self.now, &tried);
                if let Some(arrival) = self.fail(arrival) {
                    self.arrives(number, arrival);
                }
            }
        }
    }

    fn arrives(&mut self, number: u64, arrival: Arrival) {
        let (after, due, status, response) = match arrival {
            Arrival::TryOutcome { after, verdict, status, response } => {
                (after, Due::TryOutcome(number, verdict), status, response)
            }
            Arrival::Answer { after, answer, status, response } => {
                (after, Due::Answer(number, answer), status, response)
            }
        };
        self.keep_response(number, status, response);
        self.schedule(self.now + after, due);
    }

    fn keep_response(&mut self, number: u64, status: Option<u16>, response: Option<Value>) {
        if let Some(Open { kind: Kind::Call(call), .. }) = self.open.get_mut(&number) {
            call.status = status;
            call.response = response;
        }
    }

    /// A recorded exchange has met its try.
    pub(super) fn matched(&mut self, found: Match) {
        let Match { id: TryId { call: number }, response, difference } = found;
        let Some(open) = self.open.get(&number) else { return };
        let Kind::Call(open_call) = &open.kind else { return };
        let call = &open_call.call;
        let conversation = open.id.conversation.clone();
        let verdict = match &response {
            None => TryOutcome::answer_lost("no answer was recorded"),
            Some(response) => {
                let body = response.body.as_ref().map(|body| body.get().as_bytes()).unwrap_or_default();
                decode(call, response.status, response.retry_after(), body)
            }
        };
        let status = response.as_ref().map(|response| response.status);
        self.keep_response(number, status, response.as_ref().and_then(body_of));
        if let Some(difference) = difference {
            self.difference(Some(&conversation), difference);
        }
        self.judged(number, verdict);
    }

    /// A try was answered: the engine says whether the call is over.
    pub(super) fn judged(&mut self, number: u64, outcome: TryOutcome) {
        let Some(id) = self.open.get(&number).map(|open| open.id.clone()) else { return };
        self.engine.tried(self.now, &id, Tried { outcome, token: None });
        self.do_outputs();
    }

    pub(super) fn give_up(&mut self, number: u64) {
        let Some(open) = self.open.get(&number) else { return };
        if matches!(open.kind, Kind::Search(_)) {
            return self.found(number, Err(SearchFailure::Silent));
        }
        let conversation = open.id.conversation.clone();
        if let Answers::Recorded(cassette) = &mut self.answers
            && let Some(difference) = cassette.give_up(TryId { call: number })
        {
            self.difference(Some(&conversation), difference);
        }
        self.answered(number, Answer::Lost("no answer in time".into()));
    }

    pub(super) fn answered(&mut self, number: u64, answer: Answer) {
        let Some(id) = self.open.get(&number).map(|open| open.id.clone()) else { return };
        self.engine.answered(self.now, &id, answer);
        self.do_outputs();
    }

    /// A call is over: its note can be written.
    pub(super) fn note_answer(&mut self, id: &CallId, answer: Answer, tries: u32) {
        let Some(number) = self.numbers.remove(id) else { return };
        let Some(Open { id, began, kind, .. }) = self.open.remove(&number) else { return };
        let CallId { conversation, command } = id;
        let Kind::Call(open_call) = kind else { return };
        let OpenCall { call, wire, status, response } = *open_call;
        if let (
            Call::CreateAgentWork(CreateAgentWork { rep, .. }),
            Answer::Done(Reply::Offered(Some(work))),
        ) = (&*call, &answer)
        {
            self.works.on_offer(&conversation, *rep, *work);
        }
        let what = What::Call(Box::new(CallNote {
            request: command.request,
            operation: Operation::of(&call).name,
            method: wire.method.as_str(),
            path: wire.path,
            body: wire.body,
            status,
            response,
            answer,
            tries,
            took: self.now.since(began),
        }));
        self.fill(number, began, &conversation, what);
    }

    /// Writes the note of something that began earlier into its place.
    fn fill(&mut self, number: u64, began: Timestamp, conversation: &ConversationId, what: What) {
        let place =
            self.slots.iter_mut().find(|slot| matches!(slot, NoteSlot::Open(open) if *open == number));
        if let Some(slot) = place {
            let note = Note { at: began, conversation: conversation.clone(), what };
            *slot = NoteSlot::Written(Box::new(note));
        }
    }
}

fn body_of(response: &Response) -> Option<Value> {
    response.body.as_ref().and_then(|body| serde_json::from_str(body.get()).ok())
}
