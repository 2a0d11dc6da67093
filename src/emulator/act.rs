//! What people do: reps, end users, and whoever drives a test.

use serde::{Deserialize, Serialize};

use super::act_error::ActError;
use super::adopt::AdoptedConversation;
use super::salesforce::Salesforce;
use super::state::Request;
use crate::model::event::{SkillRequirement, Target};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, FlowId, QueueId, RepId, Subject, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{
    Availability, CancelReason, ParticipantRole, RoutingOwner, RoutingType, SessionStatus, WorkChange,
};

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Act {
    /// A conversation begins, with these reps in it already.
    StartConversation {
        /// The end user; one is made up where none is named.
        #[serde(default)]
        end_user: Option<Subject>,
        /// The reps who are in it.
        #[serde(default)]
        reps: Vec<RepId>,
    },
    /// A rep asks for somebody to join.
    RequestConference {
        /// In which conversation.
        conversation: ConversationId,
        /// The rep who asks; the first in the conversation where none is named.
        #[serde(default)]
        requester: Option<RepId>,
        /// For whom.
        #[serde(with = "RequestedTarget")]
        target: Target,
    },
    /// A rep hands over to somebody.
    RequestTransfer {
        /// In which conversation.
        conversation: ConversationId,
        /// The rep who asks; the first in the conversation where none is named.
        #[serde(default)]
        requester: Option<RepId>,
        /// To whom.
        #[serde(with = "RequestedTarget")]
        target: Target,
    },
    /// The rep who asked changes their mind.
    CancelRequest {
        /// The request's event.
        request: EventId,
    },
    /// A rep takes an offer.
    Accept {
        /// Which.
        work: AgentWorkId,
    },
    /// A rep says no to an offer.
    Decline {
        /// Which.
        work: AgentWorkId,
    },
    /// A rep leaves a conference.
    RepLeaves {
        /// Which conversation.
        conversation: ConversationId,
        /// Who.
        rep: RepId,
    },
    /// The end user leaves: every open request is called off, and the session ends.
    EndUserLeaves {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// A rep ends the session.
    EndSession {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// A rep goes offline.
    RepGoesOffline {
        /// Who.
        rep: RepId,
    },
    /// A rep's presence changes.
    SetPresence {
        /// Whose.
        rep: RepId,
        /// To what; `OFFLINE` is the same as going offline.
        availability: Availability,
    },
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "done", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Done {
    /// A conversation began.
    Started {
        /// Which.
        conversation: ConversationId,
        /// Its messaging session.
        work_item: WorkItemId,
    },
    /// A routing request was published.
    Requested {
        /// Its event.
        request: EventId,
    },
    /// Done, and nothing more to tell.
    Ok,
}

impl Salesforce {
    /// Lets somebody do something. What was due before `now` happens first.
    ///
    /// # Errors
    /// Where it cannot be done as things stand; nothing has changed then.
    pub fn act(&mut self, now: Timestamp, act: Act) -> Result<Done, ActError> {
        self.advance(now);
        match act {
            Act::StartConversation { end_user, reps } => self.start_conversation(now, end_user, reps),
            Act::RequestConference { conversation, requester, target } => {
                if !self.settings.channel.conference_supported {
                    return Err(ActError::ConferencesNotSupported);
                }
                self.request_routing(now, conversation, requester, target, RoutingType::Conference)
            }
            Act::RequestTransfer { conversation, requester, target } => {
                self.request_routing(now, conversation, requester, target, RoutingType::Transfer)
            }
            Act::CancelRequest { request } => self.cancel_request(now, &request),
            Act::Accept { work } => self.accept(now, work).map(|()| Done::Ok),
            Act::Decline { work } => self.decline(now, work).map(|()| Done::Ok),
            Act::RepLeaves { conversation, rep } => self.rep_leaves(now, &conversation, rep),
            Act::EndUserLeaves { conversation } => {
                self.running(&conversation)?;
                self.end_user_ends(now, &conversation);
                Ok(Done::Ok)
            }
            Act::EndSession { conversation } => {
                self.running(&conversation)?;
                self.end_session(now, &conversation, ParticipantRole::Agent);
                Ok(Done::Ok)
            }
            Act::RepGoesOffline { rep } => self.set_presence(now, rep, Availability::Offline),
            Act::SetPresence { rep, availability } => self.set_presence(now, rep, availability),
        }
    }

    fn running(&self, id: &ConversationId) -> Result<&super::Conversation, ActError> {
        match self.conversations.get(id) {
            None => Err(ActError::UnknownConversation { conversation: id.clone() }),
            Some(it) if it.is_over() => Err(ActError::SessionOver { conversation: id.clone() }),
            Some(it) => Ok(it),
        }
    }

    fn start_conversation(
        &mut self,
        now: Timestamp,
        end_user: Option<Subject>,
        reps: Vec<RepId>,
    ) -> Result<Done, ActError> {
        if let Some(&rep) = reps.iter().find(|rep| !self.reps.contains_key(rep)) {
            return Err(ActError::UnknownRep { rep });
        }
        let conversation: ConversationId = self.mint.text_id();
        let adopted =
            AdoptedConversation { conversation: conversation.clone(), work_item: None, end_user, reps };
        let work_item = self.seed_conversation(now, adopted)?;
        self.tell_session(now, &conversation, SessionStatus::New, None);
        let participants = self.conversations.get(&conversation).map(|it| it.participants.clone());
        for participant in participants.unwrap_or_default() {
            self.tell_participant(now, &conversation, &participant, true);
        }
        Ok(Done::Started { conversation, work_item })
    }

    fn request_routing(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        requester: Option<RepId>,
        target: Target,
        routing_type: RoutingType,
    ) -> Result<Done, ActError> {
        if self.settings.channel.routing_owner == RoutingOwner::Salesforce {
            return Err(ActError::NotRoutedByPartner);
        }
        let running = self.running(&conversation)?;
        let requester = match requester {
            Some(rep) if !running.reps().any(|it| it == rep) => {
                return Err(ActError::NotInConversation { rep, conversation });
            }
            Some(rep) => Some(rep),
            None => running.reps().next(),
        };
        let event: EventId = self.mint.text_id();
        let request = Request {
            event: event.clone(),
            conversation,
            routing_type,
            target,
            requester,
            created: now,
            answered: None,
            ended: None,
        };
        self.tell_routing_requested(now, &request);
        self.enter_request(now, request)?;
        Ok(Done::Requested { request: event })
    }

    fn cancel_request(&mut self, now: Timestamp, event: &EventId) -> Result<Done, ActError> {
        let request = self
            .requests
            .get(event)
            .cloned()
            .ok_or_else(|| ActError::UnknownRequest { request: event.clone() })?;
        if request.routing_type == RoutingType::Transfer {
            return Err(ActError::TransfersAreNotCancelled { request: event.clone() });
        }
        if !request.is_open() {
            return Err(ActError::RequestOver { request: event.clone() });
        }
        self.call_off(now, &request, CancelReason::Cancel);
        Ok(Done::Ok)
    }

    fn rep_leaves(&mut self, now: Timestamp, id: &ConversationId, rep: RepId) -> Result<Done, ActError> {
        let conversation = self.running(id)?;
        if !conversation.reps().any(|it| it == rep) {
            return Err(ActError::NotInConversation { rep, conversation: id.clone() });
        }
        if conversation.reps().count() == 1 {
            return Err(ActError::LastRep { rep });
        }
        self.take_rep_out(now, id, rep, WorkChange::Closed);
        Ok(Done::Ok)
    }

    fn set_presence(
        &mut self,
        now: Timestamp,
        rep: RepId,
        availability: Availability,
    ) -> Result<Done, ActError> {
        let known = self.reps.get_mut(&rep).ok_or(ActError::UnknownRep { rep })?;
        if availability == Availability::Offline {
            self.go_offline(now, rep);
        } else {
            known.availability = availability;
            self.assign_waiting(now, rep);
        }
        Ok(Done::Ok)
    }
}

/// Whom a request asks for, as the control API spells it: the names of Salesforce's routing parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestedTarget {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<RepId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<QueueId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_id: Option<FlowId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skills_list: Vec<SkillRequirement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<Subject>,
}

impl RequestedTarget {
    fn serialize<S: serde::Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = Self::default();
        match target.clone() {
            Target::Rep(rep) => form.user_id = Some(rep),
            Target::Queue(queue) => form.queue_id = Some(queue),
            Target::Flow { flow, fallback } => {
                form.flow_id = Some(flow);
                form.queue_id = fallback;
            }
            Target::Skills(skills) => form.skills_list = skills,
            Target::Bot(bot) => form.bot_id = Some(bot),
            Target::External(contact) => form.contact_id = Some(contact),
            Target::Unreadable => {}
        }
        Serialize::serialize(&form, serializer)
    }

    /// With none set the request is one that cannot be read, as tests of a partner want it now and then.
    fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        let form: Self = Deserialize::deserialize(deserializer)?;
        Ok(match form {
            Self { user_id: Some(rep), .. } => Target::Rep(rep),
            Self { flow_id: Some(flow), queue_id, .. } => Target::Flow { flow, fallback: queue_id },
            Self { queue_id: Some(queue), .. } => Target::Queue(queue),
            Self { bot_id: Some(bot), .. } => Target::Bot(bot),
            Self { contact_id: Some(contact), .. } => Target::External(contact),
            Self { skills_list, .. } if !skills_list.is_empty() => Target::Skills(skills_list),
            _ => Target::Unreadable,
        })
    }
}
