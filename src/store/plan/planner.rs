//! What plans are made from: the channels that are loaded, and what decides how a conversation's next turn is written.

use std::collections::{HashMap, HashSet};

use super::known::{Adopted, Channel, Head, TURN_BITS};
use super::turn::Turn;
use crate::model::ids::ConversationId;
use crate::store::record::{ChannelKey, Epoch};

/// How many conversations are known by heart; above it, all are forgotten and looked up again.
const MOST_HEADS: usize = 400_000;

/// What is known without looking.
#[derive(Debug, Default)]
pub(in crate::store) struct Planner {
    pub(super) channels: HashMap<ChannelKey, Channel>,
    heads: HashMap<i64, HashMap<ConversationId, Head>>,
    /// How many there are of these.
    count: usize,
    pub(super) next_conversation: i64,
}

impl Planner {
    /// Takes in a channel whose new epoch is stored. `next_conversation` is above every number that is stored.
    pub(in crate::store) fn open(
        &mut self,
        key: &ChannelKey,
        (id, epoch): (i64, Epoch),
        next_turn: i64,
        next_conversation: i64,
    ) {
        let next_turn = next_turn.max((id << TURN_BITS).saturating_add(1));
        self.next_conversation = self.next_conversation.max(next_conversation);
        self.channels.insert(key.clone(), Channel { id, epoch, broken: false, next_turn });
    }

    /// The conversations that the turns go on with and nothing is known of: to be looked up before planning.
    pub(in crate::store) fn unknown<'t>(&self, turns: &[Turn<'t>]) -> Vec<(i64, &'t ConversationId)> {
        let mut met = HashSet::new();
        let mut unknown = Vec::new();
        for turn in turns {
            let Some(channel) = self.channels.get(turn.channel) else { continue };
            let Some(Ok(change)) = &turn.change else { continue };
            let name = change.conversation;
            if self.head(channel.id, name).is_none() && met.insert((channel.id, name)) && !change.began {
                unknown.push((channel.id, name));
            }
        }
        unknown
    }

    /// Takes in what is stored of a conversation.
    pub(in crate::store) fn learn(&mut self, channel: i64, name: &ConversationId, head: Head) {
        if self.heads.entry(channel).or_default().insert(name.clone(), head).is_none() {
            self.count = self.count.saturating_add(1);
        }
    }

    pub(super) fn head(&self, channel: i64, name: &ConversationId) -> Option<Head> {
        self.heads.get(&channel)?.get(name).copied()
    }

    /// Goes on from a plan that is committed.
    pub(in crate::store) fn adopt(&mut self, adopted: Adopted<'_>) {
        for (key, channel) in adopted.channels {
            if let Some(known) = self.channels.get_mut(key) {
                *known = channel;
            }
        }
        for ((channel, name), head) in adopted.heads {
            match self.heads.get_mut(&channel).and_then(|heads| heads.get_mut(name)) {
                Some(known) => *known = head,
                None => self.learn(channel, name, head),
            }
        }
        self.next_conversation = adopted.next_conversation;
        if self.count > MOST_HEADS {
            self.distrust();
        }
    }

    /// Refuses whatever a channel appends until it has been loaded again.
    pub(in crate::store) fn break_off(&mut self, channel: &ChannelKey) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.broken = true;
        }
    }

    /// Forgets what it knows of conversations; it is looked up again.
    pub(in crate::store) fn distrust(&mut self) {
        self.heads = HashMap::new();
        self.count = 0;
    }

    /// A conversation is not stored any more.
    pub(in crate::store) fn forget(&mut self, channel: i64, name: &ConversationId) {
        if self.heads.get_mut(&channel).is_some_and(|heads| heads.remove(name).is_some()) {
            self.count = self.count.saturating_sub(1);
        }
    }
}
