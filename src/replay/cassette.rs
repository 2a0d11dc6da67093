//! The recorded answers: which exchange belongs to which call, and what is left over on either side.
//!
//! Calls and recorded exchanges meet in either order. A call waits for its exchange to be read; an
//! exchange that is read before its call is made waits for the call. Neither waits for ever.
//!
//! Invariants
//! 1. An exchange answers one try, once.
//! 2. Memory is bounded by what is open, not by the length of the recording.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::model::time::Timestamp;
use crate::recording::{Exchange, Response};

use super::difference::{Difference, FieldDifference, compare};

/// How long an exchange waits for a call that is made later than it was when it was recorded.
const EXCHANGE_WAITS: Duration = Duration::from_secs(600);

/// One try of a call that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TryId {
    pub(super) call: u64,
}

/// What tells calls of one operation apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    method: Box<str>,
    path: Box<str>,
    /// The conversation, or the agent work where no conversation is named.
    place: String,
    /// The rep, where one is named.
    rep: String,
}

impl Address {
    fn of(method: &str, path: &str, body: &Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let first = |pointers: &[&str]| {
            pointers.iter().map(|p| text(p)).find(|found| !found.is_empty()).unwrap_or_default().to_owned()
        };
        Self {
            method: method.into(),
            path: path.into(),
            place: first(&["/conversationIdentifier", "/routingContext/conversationIdentifier", "/workId"]),
            rep: first(&["/userId", "/participants/0/subject"]),
        }
    }

    fn is_near(&self, other: &Self) -> bool {
        self.method == other.method && self.path == other.path && self.place == other.place
    }
}

#[derive(Debug)]
struct OpenTry {
    id: TryId,
    address: Address,
    body: Value,
}

#[derive(Debug)]
struct OpenExchange {
    line: u64,
    at: Timestamp,
    address: Address,
    body: Value,
    response: Option<Response>,
}

/// A try and the exchange that answers it.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) id: TryId,
    pub(super) response: Option<Response>,
    pub(super) difference: Option<Difference>,
}

/// What is open on both sides.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    tries: Vec<OpenTry>,
    exchanges: VecDeque<OpenExchange>,
}

impl Exchanges {
    /// A try begins: the exchange that answers it, if it has been read already.
    pub(super) fn on_try(&mut self, id: TryId, method: &str, path: &str, body: &Value) -> Option<Match> {
        let address = Address::of(method, path, body);
        let exact = |open: &OpenExchange| open.address == address && compare(&open.body, body).is_empty();
        let place = self
            .exchanges
            .iter()
            .position(exact)
            .or_else(|| self.exchanges.iter().position(|open| open.address == address))
            .or_else(|| self.exchanges.iter().position(|open| open.address.is_near(&address)));
        let open = OpenTry { id, address, body: body.clone() };
        match place.and_then(|place| self.exchanges.remove(place)) {
            Some(exchange) => Some(join(&open, exchange)),
            None => {
                self.tries.push(open);
                None
            }
        }
    }

    /// An exchange was read: the try that it answers, if it has been made already.
    pub(super) fn on_exchange(&mut self, line: u64, at: Timestamp, exchange: Exchange) -> Option<Match> {
        let body =
            exchange.body.and_then(|body| serde_json::from_str(body.get()).ok()).unwrap_or(Value::Null);
        let address = Address::of(&exchange.method, &exchange.path, &body);
        let place = self
            .tries
            .iter()
            .position(|open| open.address == address && compare(&body, &open.body).is_empty())
            .or_else(|| self.tries.iter().position(|open| open.address == address))
            .or_else(|| self.only_near(&address));
        let open = OpenExchange { line, at, address, body, response: exchange.response };
        match place {
            Some(place) => {
                let open_try = self.tries.remove(place);
                Some(join(&open_try, open))
            }
            None => {
                self.exchanges.push_back(open);
                None
            }
        }
    }

    /// The one try that could be meant, where the body says something else altogether.
    fn only_near(&self, address: &Address) -> Option<usize> {
        let mut near = self.tries.iter().enumerate().filter(|(_, open)| open.address.is_near(address));
        match (near.next(), near.next()) {
            (Some((place, _)), None) => Some(place),
            _ => None,
        }
    }

    /// A try is given up: what the recording does not have.
    pub(super) fn give_up(&mut self, id: TryId) -> Option<Difference> {
        let place = self.tries.iter().position(|open| open.id == id)?;
        let OpenTry { address, body, .. } = self.tries.remove(place);
        Some(Difference::NotRecorded { method: address.method, path: address.path, body })
    }

    /// Exchanges that have waited too long for a call, or, at the end, all that are left.
    pub(super) fn left_over(&mut self, now: Timestamp) -> impl Iterator<Item = Difference> + use<> {
        let mut old = Vec::new();
        while self.exchanges.front().is_some_and(|open| open.at + EXCHANGE_WAITS <= now) {
            old.extend(self.exchanges.pop_front());
        }
        old.into_iter().map(|OpenExchange { line, address, body, .. }| Difference::NotMade {
            line,
            method: address.method,
            path: address.path,
            body,
        })
    }
}

/// Whether only the words of a message for people differ. Two releases may say the same in other words;
/// whether there is a message at all is another matter.
fn is_other_wording(field: &FieldDifference) -> bool {
    field.path == "errorMessage" && field.recorded.is_some() && field.made.is_some()
}

fn join(open: &OpenTry, exchange: OpenExchange) -> Match {
    let mut fields = compare(&exchange.body, &open.body);
    fields.retain(|field| !is_other_wording(field));
    let difference = (!fields.is_empty()).then_some(Difference::OtherBody {
        line: exchange.line,
        method: exchange.address.method,
        path: exchange.address.path,
        fields,
    });
    Match { id: open.id, response: exchange.response, difference }
}
