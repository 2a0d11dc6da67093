//! Recorded agent work ids and the live ones that stand for them.
//!
//! A live side gives its own ids. What a recording says of an offer is about the live offer to the same
//! rep in the same conversation, and where the rep is not known, about the oldest that is not spoken for.

use std::collections::HashMap;

use serde_json::Value;

use crate::model::event::WorkChanged;
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::recording::Exchange;

/// Which live offer a recorded id means.
#[derive(Debug, Default)]
pub(super) struct Works {
    /// The reps of recorded offers, as recorded answers told them.
    reps: HashMap<AgentWorkId, RepId>,
    live: HashMap<AgentWorkId, AgentWorkId>,
    /// Live offers, as live answers told them.
    offers: Vec<(ConversationId, RepId, AgentWorkId)>,
}

impl Works {
    /// A recorded exchange may tell the rep of a recorded offer.
    pub(super) fn learn(&mut self, exchange: &Exchange) {
        if &*exchange.path != "/api/v1/agentWork" || &*exchange.method != "POST" {
            return;
        }
        let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
        let field = |body: Option<Value>, name: &str| Some(body?.get(name)?.as_str()?.to_owned());
        let rep = field(exchange.body.as_ref().and_then(|body| parse(body.get())), "userId");
        let answer = exchange.response.as_ref().and_then(|response| response.body.as_ref());
        let work = field(answer.and_then(|body| parse(body.get())), "agentWorkId");
        if let (Some(Ok(rep)), Some(Ok(work))) =
            (rep.map(|rep| RepId::parse(&rep)), work.map(|work| AgentWorkId::parse(&work)))
        {
            self.reps.insert(work, rep);
        }
    }

    /// A live offer was made.
    pub(super) fn on_offer(&mut self, conversation: &ConversationId, rep: RepId, work: AgentWorkId) {
        self.offers.push((conversation.clone(), rep, work));
    }

    /// The live offer that a recorded event is about.
    pub(super) fn live(
        &mut self,
        conversation: &ConversationId,
        change: &WorkChanged,
        on_the_side: Vec<(RepId, AgentWorkId)>,
    ) -> Option<AgentWorkId> {
        if let Some(live) = self.live.get(&change.work) {
            return Some(*live);
        }
        let rep = change.rep.or_else(|| self.reps.get(&change.work).copied());
        let told = self
            .offers
            .iter()
            .filter(|(place, ..)| place == conversation)
            .map(|(_, rep, work)| (*rep, *work));
        let live = told
            .chain(on_the_side)
            .filter(|(who, work)| {
                rep.is_none_or(|rep| rep == *who) && !self.live.values().any(|taken| taken == work)
            })
            .map(|(_, work)| work)
            .next()?;
        self.live.insert(change.work, live);
        Some(live)
    }
}
