//! An actor as the runtime has one, made of dice: it keeps conversations in memory, and every turn of it is a
//! record to be stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use byoc_connector::model::call::Call;
use byoc_connector::model::event::{EventKind, Target};
use byoc_connector::model::ids::{ConversationId, OrgId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::SessionStatus;
use byoc_connector::routing::{Command, Conversation, Effects, Input, Order, SearchFailure, Settings};
use byoc_connector::store::{
    Appended, Cause, Change, ChannelKey, Epoch, Loaded, Position, StoredConversation, TurnRecord,
};

use super::scenario::{
    REPS, accepted, came, declined, offered, ok, queue, refused, rep, requested, requester_cancelled, routed,
    session, settings, went,
};

pub(crate) fn channel(name: &str) -> ChannelKey {
    ChannelKey { org: OrgId::parse("00D000000000001").unwrap(), channel: name.into() }
}

/// Numbers that look like chance and are the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

pub(crate) struct Actor {
    pub(crate) channel: ChannelKey,
    pub(crate) epoch: Epoch,
    pub(crate) now: Timestamp,
    /// How many conversations there are to choose from.
    pub(crate) crowd: usize,
    pub(crate) conversations: BTreeMap<ConversationId, Conversation>,
    ended: BTreeSet<ConversationId>,
    wants_state: BTreeSet<ConversationId>,
    open: Vec<(ConversationId, Command)>,
    settings: Settings,
    dice: Dice,
    next: u32,
}

impl Actor {
    /// Goes on from what a store has. `start` keeps the ids of several actors apart.
    pub(crate) fn new(channel: ChannelKey, loaded: Loaded, seed: u64, start: u32) -> Self {
        let settings = settings();
        let (mut conversations, mut ended, mut open) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        let mut now = Timestamp::from_millis(1_780_000_000_000);
        for StoredConversation { conversation, heard, ended: over } in loaded.conversations {
            let id = conversation.id().clone();
            open.extend(conversation.outstanding(&settings).into_iter().map(|command| (id.clone(), command)));
            if over {
                ended.insert(id.clone());
            }
            now = now.max(heard);
            conversations.insert(id, conversation);
        }
        Self {
            channel,
            epoch: loaded.epoch,
            now,
            crowd: 12,
            conversations,
            ended,
            wants_state: BTreeSet::new(),
            open,
            settings,
            dice: Dice::new(seed),
            next: start,
        }
    }

    /// One input, and what is to be stored of it.
    pub(crate) fn turn(&mut self) -> TurnRecord {
        self.now = self.now + Duration::from_millis(self.dice.below(400) as u64);
        self.next += 1;
        if !self.open.is_empty() && self.dice.below(3) > 0 {
            let which = self.dice.below(self.open.len());
            let (id, command) = self.open.swap_remove(which);
            let input = self.answer(command);
            return self.feed(id, input, None);
        }
        let number = self.dice.below(self.crowd);
        let id = ConversationId::parse(&format!("conversation-{number}")).unwrap();
        let late = self.conversations.get(&id).and_then(|known| known.deadline(&self.settings));
        if late.is_some_and(|deadline| deadline <= self.now) {
            return self.feed(id, Input::DeadlineReached, None);
        }
        let what = self.event();
        match what {
            EventKind::SessionChanged { status: SessionStatus::Ended, .. } => self.ended.insert(id.clone()),
            _ => self.ended.remove(&id),
        };
        let cause = Cause::replay_id(&self.next.to_be_bytes()).unwrap();
        self.feed(id, Input::Happened(what), Some(cause))
    }

    fn event(&mut self) -> EventKind {
        let who = REPS[self.dice.below(REPS.len())];
        // Works of this actor's answers have these numbers, so that most of what happens to offers is of ours.
        let recent = self.next.saturating_sub(u32::try_from(self.dice.below(40)).unwrap());
        match self.dice.below(12) {
            0..=3 => {
                let target =
                    if self.dice.below(2) == 0 { Target::Queue(queue()) } else { Target::Rep(rep(who)) };
                let EventKind::RoutingRequested(mut request) = requested(self.next, target) else {
                    unreachable!("a request was asked for")
                };
                request.created = self.now;
                EventKind::RoutingRequested(request)
            }
            4..=5 => accepted(recent),
            6 => declined(recent),
            7 => requester_cancelled(),
            8 => came(who),
            9 => went(who),
            10 => session(SessionStatus::Ended, Some(SessionStatus::Active)),
            _ => session(SessionStatus::Active, None),
        }
    }

    fn answer(&mut self, command: Command) -> Input {
        let no_answer = self.dice.below(8) == 0;
        match command.order {
            Order::Find(query) => {
                let found = REPS.iter().map(|who| rep(who)).filter(|rep| !query.exclude.contains(rep));
                let failed = SearchFailure::Failed { why: "it answered 503".into(), wait: Duration::ZERO };
                let found =
                    if no_answer { Err(failed) } else { Ok(found.take(self.dice.below(3)).collect()) };
                Input::Found(command.id, found)
            }
            Order::Call(_) if no_answer => Input::Answered(command.id, super::scenario::lost()),
            Order::Call(Call::Route(_)) => Input::Answered(command.id, routed()),
            Order::Call(Call::CreateAgentWork(_)) => Input::Answered(command.id, offered(self.next)),
            Order::Call(Call::UpdateAgentWork(_)) if self.dice.below(4) == 0 => {
                Input::Answered(command.id, refused(10085, false))
            }
            Order::Call(_) => Input::Answered(command.id, ok()),
        }
    }

    fn feed(&mut self, id: ConversationId, input: Input, cause: Option<Cause>) -> TurnRecord {
        let began = !self.conversations.contains_key(&id);
        let conversation =
            self.conversations.entry(id.clone()).or_insert_with(|| Conversation::new(id.clone()));
        let Effects { facts, commands, endings, .. } = conversation.handle(&self.settings, self.now, input);
        self.open.extend(commands.into_iter().map(|command| (id.clone(), command)));
        let asked = self.wants_state.remove(&id);
        let give = !facts.is_empty() && (conversation.is_idle() || asked);
        let state = give.then(|| Box::new(conversation.clone()));
        let position =
            cause.is_some().then(|| Position::new("/event/E__e", &self.next.to_be_bytes()).unwrap());
        TurnRecord {
            channel: self.channel.clone(),
            epoch: self.epoch,
            at: self.now,
            cause,
            position,
            urgent: true,
            change: Some(Change {
                ended: self.ended.contains(&id),
                conversation: id,
                began,
                facts,
                state,
                endings,
                tellings: Vec::new(),
            }),
        }
    }

    /// Takes note of an answer of the store.
    pub(crate) fn noted(&mut self, conversation: ConversationId, appended: Appended) {
        assert_ne!(appended, Appended::Duplicate, "every cause of an actor is a new one");
        if appended == (Appended::Stored { wants_state: true }) {
            self.wants_state.insert(conversation);
        }
    }
}

/// What was loaded, in an order.
pub(crate) fn by_id(loaded: &Loaded) -> BTreeMap<ConversationId, Conversation> {
    assert_eq!(loaded.unreadable, []);
    loaded.conversations.iter().map(|one| (one.conversation.id().clone(), one.conversation.clone())).collect()
}

/// A turn of a conversation that nothing is known of, to be changed by the test.
pub(crate) fn record(channel: &ChannelKey, epoch: Epoch, conversation: &str) -> TurnRecord {
    TurnRecord {
        channel: channel.clone(),
        epoch,
        at: Timestamp::from_millis(1_780_000_000_000),
        cause: None,
        position: None,
        urgent: true,
        change: Some(Change {
            conversation: ConversationId::parse(conversation).unwrap(),
            began: true,
            ended: false,
            facts: Vec::new(),
            state: None,
            endings: Vec::new(),
            tellings: Vec::new(),
        }),
    }
}

/// The names of what is loaded.
pub(crate) fn names(loaded: &Loaded) -> Vec<String> {
    let mut names: Vec<_> =
        loaded.conversations.iter().map(|one| one.conversation.id().to_string()).collect();
    names.sort();
    names
}

/// A conversation's name as text, for a channel of tests.
pub(crate) fn of(record: &TurnRecord) -> ConversationId {
    record.change.as_ref().unwrap().conversation.clone()
}

/// A shared store, as the runtime holds one.
pub(crate) type Shared = Arc<dyn byoc_connector::store::Store>;
