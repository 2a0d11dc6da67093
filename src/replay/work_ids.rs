//! Recorded agent work ids and the live ones that stand for them.
//!
//! A live side gives its own ids. What a recording says of an offer is about the live offer to the same
//! rep in the same conversation, and where the rep is not known, about the oldest that is not spoken for.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use crate::interaction::{ApiCall as _, Operation};
use crate::model::call::CreateAgentWork;
use crate::model::event::WorkChanged;
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::recording::Exchange;

/// How many conversations, and how many recorded offers, are remembered. A recording may have any number of
/// them, but only so many are under way at once.
const REMEMBERED: usize = 10_000;

/// Which live offer a recorded id means.
#[derive(Debug, Default)]
pub(super) struct WorkIds {
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

impl WorkIds {
    /// A recorded exchange may tell the rep of a recorded offer.
    pub(super) fn learn(&mut self, exchange: &Exchange) {
        let Operation { method, path, .. } = CreateAgentWork::OPERATION;
        if &*exchange.path != path || &*exchange.method != method.as_str() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::words::WorkChange;
    use crate::recording::{Json, Response};
    use serde_json::json;

    fn rep(name: &str) -> RepId {
        RepId::parse(&format!("005{name:0>12}")).unwrap()
    }

    fn work(name: &str) -> AgentWorkId {
        AgentWorkId::parse(&format!("0Bz{name:0>12}")).unwrap()
    }

    fn chat(name: &str) -> ConversationId {
        ConversationId::parse(name).unwrap()
    }

    fn change(recorded: &str, who: Option<&str>) -> WorkChanged {
        WorkChanged { work: work(recorded), work_item: None, rep: who.map(rep), change: WorkChange::Accepted }
    }

    /// A recorded offer to a rep.
    fn offered(method: &str, to: &str, recorded: &str) -> Exchange {
        Exchange {
            method: method.into(),
            path: "/api/v1/agentWork".into(),
            headers: std::collections::BTreeMap::new(),
            body: Some(Json::of(&json!({"userId": rep(to)})).unwrap()),
            response: Some(Response {
                status: 202,
                headers: std::collections::BTreeMap::new(),
                body: Some(Json::of(&json!({"agentWorkId": work(recorded).to_18()})).unwrap()),
            }),
        }
    }

    #[test]
    fn an_event_that_names_its_rep_is_about_the_live_offer_to_that_rep() {
        let mut works = WorkIds::default();
        works.on_offer(&chat("a"), rep("bo"), work("live1"));
        works.on_offer(&chat("a"), rep("cem"), work("live2"));
        assert_eq!(works.live(&chat("a"), &change("old9", Some("cem")), vec![]), Some(work("live2")));
        assert_eq!(
            works.live(&chat("a"), &change("old9", None), vec![]),
            Some(work("live2")),
            "and stays so"
        );
        assert_eq!(works.live(&chat("a"), &change("old7", Some("dee")), vec![]), None);
    }

    #[test]
    fn a_recorded_answer_tells_the_rep_of_an_event_that_does_not() {
        let mut works = WorkIds::default();
        works.learn(&offered("POST", "cem", "old2"));
        works.learn(&offered("PATCH", "bo", "old2"));
        works.on_offer(&chat("a"), rep("bo"), work("live1"));
        works.on_offer(&chat("a"), rep("cem"), work("live2"));
        assert_eq!(works.live(&chat("a"), &change("old2", None), vec![]), Some(work("live2")));
    }

    #[test]
    fn where_the_rep_is_not_known_it_is_the_oldest_offer_that_is_not_spoken_for() {
        let mut works = WorkIds::default();
        for (who, live) in [("bo", "live1"), ("cem", "live2")] {
            works.on_offer(&chat("a"), rep(who), work(live));
        }
        assert_eq!(works.live(&chat("a"), &change("old1", None), vec![]), Some(work("live1")));
        assert_eq!(works.live(&chat("a"), &change("old2", None), vec![]), Some(work("live2")));
        assert_eq!(works.live(&chat("a"), &change("old3", None), vec![]), None, "there are only two");
    }

    #[test]
    fn an_offer_whose_answer_was_lost_is_looked_up_on_the_side() {
        let mut works = WorkIds::default();
        let there = vec![(rep("bo"), work("live1"))];
        assert_eq!(works.live(&chat("a"), &change("old1", None), vec![]), None);
        assert_eq!(works.live(&chat("a"), &change("old1", None), there.clone()), Some(work("live1")));
        assert_eq!(works.live(&chat("a"), &change("old2", None), there), None, "it is spoken for");
    }

    #[test]
    fn an_offer_of_one_conversation_is_none_of_anothers() {
        let mut works = WorkIds::default();
        works.on_offer(&chat("a"), rep("bo"), work("live1"));
        assert_eq!(works.live(&chat("b"), &change("old1", Some("bo")), vec![]), None);
        assert_eq!(works.live(&chat("a"), &change("old1", Some("bo")), vec![]), Some(work("live1")));
    }

    #[test]
    fn only_so_many_conversations_and_offers_are_remembered() {
        let mut works = WorkIds::default();
        for number in 0..=REMEMBERED {
            works.learn(&offered("POST", "bo", &number.to_string()));
            works.on_offer(&chat(&number.to_string()), rep("bo"), work(&number.to_string()));
        }
        assert_eq!(works.live(&chat("0"), &change("x", None), vec![]), None, "long gone");
        let last = REMEMBERED.to_string();
        assert_eq!(works.live(&chat(&last), &change(&last, None), vec![]), Some(work(&last)));
        assert_eq!((works.reps.len(), works.told.len()), (REMEMBERED, REMEMBERED));
        assert!(works.conversations.len() <= REMEMBERED && works.begun.len() <= REMEMBERED);
    }
}
