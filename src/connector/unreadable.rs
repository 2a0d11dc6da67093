//! Conversations that the store has and nobody can read: which they are, and giving them up.
//!
//! What may be open of them at Salesforce rings or waits for ever unless somebody undoes it. It is undone first, call
//! by call; only when nothing is left, or an operator insists, is the conversation forgotten. So what could not be
//! undone stays listed, and in the store, until it is.
//!
//! Must never know who asks, or what HTTP is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::direct::DirectCalls;
use crate::model::call::{Answer, Call, ClearRoute, UpdateAgentWork};
use crate::model::ids::ConversationId;
use crate::model::words::CancelReason;
use crate::store::{self, ChannelKey, Store, Unreadable};

/// The unreadable conversations of a channel. A clone is the same list.
#[derive(Clone)]
pub struct UnreadableConversations(Arc<Inner>);

struct Inner {
    key: ChannelKey,
    direct: DirectCalls,
    store: Arc<dyn Store>,
    all: Mutex<BTreeMap<ConversationId, Unreadable>>,
}

impl std::fmt::Debug for UnreadableConversations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("UnreadableConversations").field(&self.lock().len()).finish()
    }
}

/// What giving one up came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GivenUp {
    /// Which.
    pub conversation: ConversationId,
    /// Whether it is given up. Where not, something could not be undone, and it can be tried again.
    pub given_up: bool,
    /// What was undone at Salesforce, or was over already, in order.
    pub undone: Vec<String>,
    /// What could not be undone, and why.
    pub left: Vec<String>,
}

impl UnreadableConversations {
    pub(super) fn new(key: ChannelKey, direct: DirectCalls, store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner { key, direct, store, all: Mutex::default() }))
    }

    /// Takes note of what a load has found. Those that are known already stay, though events have meanwhile begun
    /// them anew: what may be open of them still is.
    pub(super) fn found(&self, unreadable: Vec<Unreadable>) {
        let mut all = self.lock();
        for lost in unreadable {
            all.insert(lost.conversation.clone(), lost);
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Unreadable> {
        self.lock().values().cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Undoes what its rows name, and forgets it when nothing is left; where `insist`, even so. `anew` says that it has
    /// begun anew meanwhile: then the PSR may be another request's, and what is stored is readable, so both are left
    /// alone. `None` where no unreadable conversation has that id.
    ///
    /// # Errors
    /// Where the store cannot forget it; what was undone is undone, and it can be tried again.
    pub async fn give_up(
        &self,
        conversation: &ConversationId,
        insist: bool,
        anew: bool,
    ) -> Result<Option<GivenUp>, store::Error> {
        let Some(lost) = self.lock().get(conversation).cloned() else { return Ok(None) };
        let mut calls: Vec<(String, Call)> = Vec::new();
        for work in lost.left.works {
            calls.push((format!("offer {work}"), Call::UpdateAgentWork(UpdateAgentWork::cancel(work))));
        }
        if !lost.left.psrs.is_empty() && !anew {
            let names: Vec<String> = lost.left.psrs.iter().map(ToString::to_string).collect();
            let call = Call::ClearRoute(ClearRoute {
                conversation: conversation.clone(),
                reason: CancelReason::Unknown,
            });
            calls.push((format!("PSR {}", names.join(", ")), call));
        }
        let mut given = GivenUp {
            conversation: conversation.clone(),
            given_up: false,
            undone: Vec::new(),
            left: Vec::new(),
        };
        for (what, call) in calls {
            match self.undo(&what, call).await {
                Ok(()) => given.undone.push(what),
                Err(why) => given.left.push(format!("{what}: {why}")),
            }
        }
        given.given_up = insist || given.left.is_empty();
        if given.given_up {
            if !anew {
                self.0.store.forget(&self.0.key, conversation).await?;
            }
            self.lock().remove(conversation);
            tracing::warn!(
                %conversation,
                undone = given.undone.join(", "),
                left = given.left.join(", "),
                "unreadable conversation given up"
            );
        }
        Ok(Some(given))
    }

    async fn undo(&self, what: &str, call: Call) -> Result<(), String> {
        match self.0.direct.make(what, call).await {
            Answer::Done(_) => Ok(()),
            Answer::Lost(what) => Err(format!("Salesforce did not answer: {what}")),
            Answer::Refused(refusal) => {
                let code = refusal.code.map(|code| format!(" ({code})")).unwrap_or_default();
                Err(format!("Salesforce refused{code}: {}", refusal.message))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Unreadable>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
