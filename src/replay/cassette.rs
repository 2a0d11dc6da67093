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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Json;
    use serde_json::json;
    use std::collections::BTreeMap;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn offer(to: &str) -> Value {
        json!({"userId": to, "capacityWeight": 1, "routingContext": {"conversationIdentifier": "chat"}})
    }

    fn report(success: bool, message: Option<&str>) -> Value {
        json!({"conversationIdentifier": "chat", "success": success, "errorMessage": message})
    }

    /// A recorded call; its status tells which one it is.
    fn recorded(path: &str, body: &Value, status: u16) -> Exchange {
        Exchange {
            method: "POST".into(),
            path: path.into(),
            headers: BTreeMap::new(),
            body: Some(Json::of(body).unwrap()),
            response: Some(Response { status, headers: BTreeMap::new(), body: None }),
        }
    }

    fn tried(exchanges: &mut Exchanges, call: u64, path: &str, body: &Value) -> Option<Match> {
        exchanges.on_try(TryId { call }, "POST", path, body)
    }

    /// Which call a match answers, with which exchange, and what differs.
    fn said(found: Option<Match>) -> Option<(u64, u16, String)> {
        found.map(|Match { id, response, difference }| {
            let status = response.map_or(0, |response| response.status);
            (id.call, status, difference.map(|difference| difference.to_string()).unwrap_or_default())
        })
    }

    fn left(exchanges: &mut Exchanges, now: Timestamp) -> Vec<Option<u64>> {
        exchanges.left_over(now).map(|difference| difference.line()).collect()
    }

    #[test]
    fn a_call_and_its_exchange_meet_in_either_order_and_once() {
        let mut exchanges = Exchanges::default();
        assert!(exchanges.on_exchange(3, NOW, recorded("/a", &offer("bo"), 201)).is_none());
        assert_eq!(said(tried(&mut exchanges, 1, "/a", &offer("bo"))), Some((1, 201, String::new())));
        assert!(tried(&mut exchanges, 2, "/a", &offer("bo")).is_none(), "it has been taken");
        let second = exchanges.on_exchange(4, NOW, recorded("/a", &offer("bo"), 202));
        assert_eq!(said(second), Some((2, 202, String::new())));
        assert_eq!(left(&mut exchanges, Timestamp::MAX), []);
    }

    #[test]
    fn a_lost_answer_is_an_answer_of_its_own_kind() {
        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &offer("bo"));
        let lost = Exchange { response: None, ..recorded("/a", &offer("bo"), 0) };
        let found = exchanges.on_exchange(3, NOW, lost).unwrap();
        assert!(found.response.is_none() && found.difference.is_none());
    }

    #[test]
    fn reps_who_are_rung_at_once_each_get_their_own_answer() {
        let mut exchanges = Exchanges::default();
        for (call, to) in [(1, "bo"), (2, "cem"), (3, "dee")] {
            tried(&mut exchanges, call, "/a", &offer(to));
        }
        for (line, to, call) in [(7, "dee", 3), (8, "bo", 1), (9, "cem", 2)] {
            let found = exchanges.on_exchange(line, NOW, recorded("/a", &offer(to), 202));
            assert_eq!(said(found), Some((call, 202, String::new())), "{to}");
        }
        // The same with the answers first.
        for (line, to, status) in [(10, "dee", 203), (11, "bo", 201), (12, "cem", 202)] {
            exchanges.on_exchange(line, NOW, recorded("/a", &offer(to), status));
        }
        for (call, to, status) in [(4, "bo", 201), (5, "cem", 202), (6, "dee", 203)] {
            assert_eq!(
                said(tried(&mut exchanges, call, "/a", &offer(to))),
                Some((call, status, String::new()))
            );
        }
    }

    #[test]
    fn of_two_exchanges_of_a_place_the_one_that_says_the_same_is_taken() {
        let heavy = json!({"userId": "bo", "capacityWeight": 3, "routingContext": {"conversationIdentifier": "chat"}});
        let mut exchanges = Exchanges::default();
        exchanges.on_exchange(1, NOW, recorded("/a", &heavy, 203));
        exchanges.on_exchange(2, NOW, recorded("/a", &offer("bo"), 201));
        assert_eq!(said(tried(&mut exchanges, 1, "/a", &offer("bo"))), Some((1, 201, String::new())));
        let other = said(tried(&mut exchanges, 2, "/a", &offer("bo"))).unwrap();
        let difference = "line 1: POST /a was made with a different body: capacityWeight was 3 and is 1";
        assert_eq!(other, (2, 203, difference.to_owned()));

        tried(&mut exchanges, 3, "/a", &heavy);
        tried(&mut exchanges, 4, "/a", &offer("bo"));
        let found = exchanges.on_exchange(3, NOW, recorded("/a", &offer("bo"), 201));
        assert_eq!(said(found), Some((4, 201, String::new())));
    }

    #[test]
    fn another_body_for_the_same_rep_is_nearer_than_any_for_another_rep() {
        let light = |to: &str| json!({"userId": to, "routingContext": {"conversationIdentifier": "chat"}});
        let mut exchanges = Exchanges::default();
        exchanges.on_exchange(1, NOW, recorded("/a", &light("cem"), 201));
        exchanges.on_exchange(2, NOW, recorded("/a", &light("bo"), 202));
        let (call, status, _) = said(tried(&mut exchanges, 1, "/a", &offer("bo"))).unwrap();
        assert_eq!((call, status), (1, 202));

        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &offer("cem"));
        tried(&mut exchanges, 2, "/a", &offer("bo"));
        let found = said(exchanges.on_exchange(3, NOW, recorded("/a", &light("bo"), 202))).unwrap();
        assert_eq!((found.0, found.2.contains("capacityWeight is new: 1")), (2, true));
    }

    #[test]
    fn another_rep_is_another_body_where_only_one_can_be_meant() {
        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &offer("bo"));
        let found = said(exchanges.on_exchange(5, NOW, recorded("/a", &offer("cem"), 202))).unwrap();
        assert_eq!(
            found.2,
            r#"line 5: POST /a was made with a different body: userId was "cem" and is "bo""#
        );
        // Which of the two would be meant?
        tried(&mut exchanges, 2, "/a", &offer("bo"));
        tried(&mut exchanges, 3, "/a", &offer("cem"));
        assert!(exchanges.on_exchange(6, NOW, recorded("/a", &offer("dee"), 202)).is_none());
    }

    #[test]
    fn another_conversation_path_or_method_is_another_call() {
        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &report(true, None));
        let elsewhere = json!({"conversationIdentifier": "another", "success": true});
        assert!(exchanges.on_exchange(1, NOW, recorded("/a", &elsewhere, 202)).is_none());
        assert!(exchanges.on_exchange(2, NOW, recorded("/b", &report(true, None), 202)).is_none());
        let delete = Exchange { method: "DELETE".into(), ..recorded("/a", &report(true, None), 202) };
        assert!(exchanges.on_exchange(3, NOW, delete).is_none());
        assert_eq!(left(&mut exchanges, Timestamp::MAX), [Some(1), Some(2), Some(3)]);
        let missed = exchanges.give_up(TryId { call: 1 }).unwrap().to_string();
        assert!(
            missed.starts_with("POST /a {") && missed.ends_with("the recording does not have it"),
            "{missed}"
        );
    }

    #[test]
    fn a_message_for_people_may_be_worded_otherwise_but_must_be_there() {
        let differs = |recorded_as: &Value, made: &Value| {
            let mut exchanges = Exchanges::default();
            tried(&mut exchanges, 1, "/a", made);
            said(exchanges.on_exchange(1, NOW, recorded("/a", recorded_as, 202))).unwrap().2
        };
        let failed = report(false, Some("Nobody is free."));
        assert_eq!(differs(&failed, &report(false, Some("Everybody is busy."))), "");
        let gone = differs(&failed, &report(false, None));
        assert!(gone.ends_with(r#"errorMessage was "Nobody is free." and is gone"#), "{gone}");
        let new = differs(&report(false, None), &failed);
        assert!(new.ends_with(r#"errorMessage is new: "Nobody is free.""#), "{new}");
        let both = differs(&failed, &report(true, Some("Everybody is busy.")));
        assert!(both.ends_with("a different body: success was false and is true"), "{both}");
    }

    #[test]
    fn what_is_left_over_is_told_when_it_has_waited_long_enough() {
        let mut exchanges = Exchanges::default();
        exchanges.on_exchange(1, NOW, recorded("/a", &offer("bo"), 202));
        exchanges.on_exchange(2, NOW + EXCHANGE_WAITS, recorded("/b", &offer("bo"), 202));
        assert_eq!(left(&mut exchanges, NOW + EXCHANGE_WAITS - Duration::from_millis(1)), []);
        assert_eq!(left(&mut exchanges, NOW + EXCHANGE_WAITS), [Some(1)]);
        assert!(tried(&mut exchanges, 1, "/a", &offer("bo")).is_none(), "it was told, and is gone");
        assert_eq!(left(&mut exchanges, Timestamp::MAX), [Some(2)]);
        assert_eq!(left(&mut exchanges, Timestamp::MAX), []);
    }

    #[test]
    fn a_call_that_was_answered_cannot_be_given_up() {
        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &offer("bo"));
        exchanges.on_exchange(1, NOW, recorded("/a", &offer("bo"), 202));
        assert_eq!(exchanges.give_up(TryId { call: 1 }), None);
    }

    #[test]
    fn a_body_that_is_missing_is_as_good_as_an_empty_one() {
        let mut exchanges = Exchanges::default();
        tried(&mut exchanges, 1, "/a", &Value::Null);
        let bare = Exchange { body: None, ..recorded("/a", &Value::Null, 202) };
        assert_eq!(said(exchanges.on_exchange(1, NOW, bare)), Some((1, 202, String::new())));
    }
}
