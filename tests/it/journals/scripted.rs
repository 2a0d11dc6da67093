//! What neither the recordings nor the simulation reach, brought about on purpose.

use byoc_connector::model::event::Target;
use byoc_connector::model::ids::ConversationId;
use byoc_connector::routing::{Conclusion, Conversation, Fact, Outcome, Reason, RequestFact};
use serde_json::Value;

use super::golden::Row;
use crate::support::scenario::*;

/// The journals of all of them, one conversation each.
pub(crate) fn journals() -> Vec<Row> {
    let silent_router = {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.seconds(130);
        chat
    };
    let too_old = {
        let mut chat = Scenario::new();
        chat.seconds(61);
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat
    };
    let no_fallback = {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Flow { flow: flow(), fallback: None }));
        chat
    };
    let lost_offer = {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", lost());
        chat.seconds(60);
        chat
    };
    let lost_route = {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", lost());
        chat
    };
    let told_before_it_was_made = {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo", "cem"]);
        chat.when(declined(2));
        chat.answer("offer bo", offered(1));
        chat.answer("offer cem", offered(2));
        chat
    };
    // Which of these comes about hangs on chance or takes 64 offers; what is stored is the same.
    let said_of_nobody = {
        let mut chat = undecided();
        for reason in [Reason::TooManyOffers, Reason::OfferUnclear] {
            let verdict = Conclusion { outcome: Outcome::Failed, reason, at: chat.now };
            chat.facts.push(Fact::OfRequest(0, RequestFact::Decided(verdict)));
            chat.turns.push(chat.facts.len());
        }
        chat
    };
    let all = [
        silent_router,
        too_old,
        no_fallback,
        lost_offer,
        lost_route,
        told_before_it_was_made,
        said_of_nobody,
    ];
    (1..).zip(&all).flat_map(|(number, chat)| rows(number, chat)).collect()
}

/// A request as it stands before anything was decided about it.
fn undecided() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat
}

fn rows(number: u32, chat: &Scenario) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut from = 0;
    for (turn, &to) in (0_i64..).zip(&chat.turns) {
        let facts: Vec<Value> =
            chat.facts[from..to].iter().map(|fact| serde_json::to_value(fact).unwrap()).collect();
        if facts.is_empty() {
            continue;
        }
        rows.push(Row {
            at: chat.times.get(from).map_or(chat.now.as_millis(), |at| at.as_millis()) + turn,
            conversation: format!("conversation-{number}"),
            began: rows.is_empty(),
            ended: false,
            facts,
            state: None,
            endings: Vec::new(),
        });
        from = to;
    }
    if let Some(last) = rows.last_mut() {
        let mut state = Conversation::new(ConversationId::parse(&last.conversation).unwrap());
        for fact in &chat.facts {
            state.apply(fact).unwrap();
        }
        last.state = Some(serde_json::to_value(state).unwrap());
    }
    rows
}
