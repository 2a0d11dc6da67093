//! Recorded agent work ids and the live ones that stand for them.
//!
//! A live side gives its own ids. What a recording says of an offer is about the live offer to the same
//! rep in the same conversation, and where the rep is not known, about the oldest that is not spoken for.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use crate::model::event::WorkChanged;
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::recording::Exchange;

/// How many conversations, and how many recorded offers, are remembered. A recording may have any number of
/// them, but only so many are under way at once.
const REMEMBERED: usize = 10_000;

/// Which live offer a recorded id means.
#[derive(Debug, Default)]
pub(super) struct Works {
    /// The reps of recorded offers, as recorded answers told them; and in which order.
    reps: HashMap<AgentWorkId, RepId>,
    told: VecDeque<AgentWorkId>,
    conversations: HashMap<ConversationId, Pairs>,
    begun: VecDeque<ConversationId>,
}

/// The offers of one conversation.
#[derive(Debug, Default)]
struct Pairs {
    /// Live offers, as live answers told them.
    offers: Vec<(RepId, AgentWorkId)>,
    /// Recorded ids, and the live ones that stand for them.
    live: Vec<(AgentWorkId, AgentWorkId)>,
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
            self.told.push_back(work);
            if self.told.len() > REMEMBERED
                && let Some(oldest) = self.told.pop_front()
            {
                self.reps.remove(&oldest);
            }
        }
    }

    /// A live offer was made.
    pub(super) fn on_offer(&mut self, conversation: &ConversationId, rep: RepId, work: AgentWorkId) {
        self.pairs(conversation).offers.push((rep, work));
    }

    /// The live offer that a recorded event is about.
    pub(super) fn live(
        &mut self,
        conversation: &ConversationId,
        change: &WorkChanged,
        on_the_side: Vec<(RepId, AgentWorkId)>,
    ) -> Option<AgentWorkId> {
        let rep = change.rep.or_else(|| self.reps.get(&change.work).copied());
        let pairs = self.pairs(conversation);
        if let Some((_, live)) = pairs.live.iter().find(|(recorded, _)| *recorded == change.work) {
            return Some(*live);
        }
        let is_free = |work: &AgentWorkId| !pairs.live.iter().any(|(_, taken)| taken == work);
        let live = pairs
            .offers
            .iter()
            .copied()
            .chain(on_the_side)
            .find(|(who, work)| rep.is_none_or(|rep| rep == *who) && is_free(work))
            .map(|(_, work)| work)?;
        pairs.live.push((change.work, live));
        Some(live)
    }

    fn pairs(&mut self, conversation: &ConversationId) -> &mut Pairs {
        if !self.conversations.contains_key(conversation) {
            self.begun.push_back(conversation.clone());
            if self.begun.len() > REMEMBERED
                && let Some(oldest) = self.begun.pop_front()
            {
                self.conversations.remove(&oldest);
            }
        }
        self.conversations.entry(conversation.clone()).or_default()
    }
}
