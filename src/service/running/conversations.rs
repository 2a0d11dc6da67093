//! Conversations that the partner begins, with what the end user wrote.
//!
//! Invariants
//! 1. However often the same is brought, Salesforce has the message once: its id follows from the key that it comes under.
//! 2. It is routed as one that Salesforce asks a first rep for, and so once.

use std::sync::PoisonError;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::RunningChannel;
use crate::connector::Delivery;
use crate::interaction::{Attempt, Failure};
use crate::model::call::{MessageText, RoutingAttributes, SendText, Sent};
use crate::model::error_codes::ErrorCode;
use crate::model::event::{Event, EventKind, Participant, RoutingRequested, Target};
use crate::model::ids::{ChannelAddressId, ConversationId, EventId, Subject, WorkItemId};
use crate::model::words::RoutingType;
use crate::routing::Conversation;
use crate::service::Error;
use crate::store::Cause;

/// How long Salesforce has to take the message: whoever brings it waits, and may bring it again.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many conversations are remembered by the keys under which they were begun.
const REMEMBERED: usize = 4096;

/// What the end user wrote, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstMessage {
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The end user's client id.
    pub end_user: Subject,
    /// What they wrote.
    pub text: MessageText,
    /// What the org's routing is told.
    pub attributes: RoutingAttributes,
}

/// A conversation that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BegunView {
    /// The conversation; none where Salesforce says only that the message is there.
    pub conversation: Option<ConversationId>,
    /// Its messaging session.
    pub work_item: Option<WorkItemId>,
    /// Whether the same had been brought before.
    pub repeated: bool,
}

/// What is known of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationState {
    /// Its id.
    pub conversation: ConversationId,
    /// Its messaging session.
    pub work_item: Option<WorkItemId>,
    /// Who is in it.
    pub participants: Vec<Participant>,
    /// Whether it looks for its only rep.
    pub waits_for_a_rep: bool,
    /// The routing events whose requests are open.
    pub open_requests: Vec<EventId>,
}

impl From<&Conversation> for ConversationState {
    fn from(one: &Conversation) -> Self {
        Self {
            conversation: one.id().clone(),
            work_item: one.work_item(),
            participants: one.participants().to_vec(),
            waits_for_a_rep: one.waits_for_a_rep(),
            open_requests: one.open_requests().cloned().collect(),
        }
    }
}

impl RunningChannel {
    /// Sends what the end user wrote, which begins a conversation, and has it routed. The same under the same key
    /// begins nothing new.
    ///
    /// # Errors
    /// Where Salesforce refuses it or does not answer, or what follows could not be made durable: bring it again.
    pub async fn begin_conversation(&self, key: &str, message: FirstMessage) -> Result<BegunView, Error> {
        let entry = self.entry_of(key);
        if let Some(known) = self.remembered(entry) {
            return self.routed(entry, known, message.end_user, true).await;
        }
        let FirstMessage { channel, end_user, text, attributes } = message;
        let now = self.0.clock.now();
        let attempt = Attempt { request_id: Uuid::new_v4(), give_up_at: now + PATIENCE };
        let call = SendText { channel, end_user: end_user.clone(), entry, text, at: now, attributes };
        let (sent, repeated) = match self.0.client.make(attempt, call).await {
            Ok(sent) => (sent, false),
            Err(Failure::Refused(no)) if no.code.map(ErrorCode) == Some(ErrorCode::MESSAGE_EXISTS) => {
                (Sent::default(), true)
            }
            Err(failure) => return Err(failure.into()),
        };
        self.remember(entry, &sent);
        self.routed(entry, sent, end_user, repeated).await
    }

    /// What is known of a conversation; `None` where none is known by that id.
    ///
    /// # Errors
    /// Where the store fails, or the service is stopping.
    pub async fn conversation(&self, id: &ConversationId) -> Result<Option<ConversationState>, Error> {
        let id = id.clone();
        self.look(move |all| all.get(&id).map(ConversationState::from)).await
    }

    /// The message's id: the same for the same key, and another's for every other channel.
    fn entry_of(&self, key: &str) -> Uuid {
        const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d66_4972_9374_2d6d_7367_2d31);
        let channel = &self.0.key;
        Uuid::new_v5(&NAMESPACE, format!("{}/{}/{key}", channel.org, channel.channel).as_bytes())
    }

    /// Asks routing for a first rep, by the channel's own setting; a second time changes nothing.
    async fn routed(
        &self,
        entry: Uuid,
        sent: Sent,
        end_user: Subject,
        repeated: bool,
    ) -> Result<BegunView, Error> {
        let Sent { conversation, work_items } = sent;
        let work_item = work_items.first().copied();
        let event = EventId::parse(&entry.to_string()).ok().filter(|_| self.0.is_ours);
        if let (Some(conversation), Some(event)) = (conversation.clone(), event) {
            let requested = RoutingRequested {
                event,
                created: self.0.clock.now(),
                routing_type: RoutingType::Initial,
                target: Target::Unreadable,
                work_item,
                end_user: Some(end_user),
                requester: None,
                list_opened_by: None,
            };
            let what = EventKind::RoutingRequested(Box::new(requested));
            let event = Event { conversation: Some(conversation), what };
            let cause = Some(Cause::named(&format!("begun/{entry}"))?);
            self.0
                .handle
                .deliver(Delivery { events: [event].into_iter().collect(), cause, position: None })
                .await?;
        }
        Ok(BegunView { conversation, work_item, repeated })
    }

    fn remembered(&self, entry: Uuid) -> Option<Sent> {
        let begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.iter().find(|(known, _)| *known == entry).map(|(_, sent)| sent.clone())
    }

    fn remember(&self, entry: Uuid, sent: &Sent) {
        if sent.conversation.is_some() {
            let mut begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner);
            if begun.len() == REMEMBERED {
                begun.pop_front();
            }
            begun.push_back((entry, sent.clone()));
        }
    }
}
