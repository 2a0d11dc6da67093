//! What Salesforce tells the partner: platform events, in the shape in which they leave the org, and the
//! agent work events that it sends to a rep's browser.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::emitted::{Emission, Emitted};
use super::ledger::LedgerEvent;
use super::salesforce::Salesforce;
use super::settings::EntryPayloadForm;
use super::state::{Psr, Request};
use crate::model::event::{Participant, SkillRequirement, Target};
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};

/// How far the clock that stamps an entry as transcribed is behind the sender's.
const TRANSCRIBED_AFTER_MS: i64 = 3;

impl Salesforce {
    /// Tells the rep's browser and, where the channel wants it, the platform event what happened to an offer.
    pub(super) fn tell_work(&mut self, now: Timestamp, id: AgentWorkId, change: WorkChange) {
        let Some(work) = self.works.get(&id).cloned() else { return };
        let booked = LedgerEvent::OfferChanged {
            work: id,
            rep: work.rep,
            correlation: work.correlation.clone(),
            change,
        };
        self.books.add(now, booked);
        if self.muted {
            return;
        }
        let what = Emission::AgentWork {
            rep: work.rep,
            work_item_id: work.work_item,
            work_id: id,
            work_event: work_event_name(change).to_owned(),
        };
        self.emitted.push(Emitted { at: now, what });
        if !self.settings.channel.routing_work_result_supported {
            return;
        }
        let queue = work.psr.and_then(|id| self.psrs.get(&id)).and_then(|psr| psr.queue);
        let entry = json!({
            "entryType": "RoutingWorkResult",
            "id": self.mint.uuid(),
            "workType": change.as_str(),
            "workId": id.to_18(),
            "workTargetId": work.work_item.to_18(),
            "routingType": work.routing_type.as_str(),
            "agentSessionId": work.rep.to_18(),
            "queueId": queue.map(|id| id.to_18()),
            "botId": null,
            "agentGroupIds": [],
            "errorMessages": [],
        });
        self.interaction(now, &work.conversation, "RoutingWorkResult", entry);
    }

    /// `ParticipantChanged`.
    pub(super) fn tell_participant(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        participant: &Participant,
        joined: bool,
    ) {
        if self.muted {
            return;
        }
        let name = participant.as_rep().and_then(|rep| self.reps.get(&rep)).map(|rep| rep.name.clone());
        let entry = json!({
            "entryType": "ParticipantChanged",
            "id": self.mint.uuid(),
            "entries": [{
                "operation": if joined { "add" } else { "remove" },
                "participant": participant_value(participant),
                "displayName": name,
                "menuMetadata": null,
            }],
        });
        self.interaction(now, id, "ParticipantChanged", entry);
    }

    /// `SessionStatusChanged`.
    pub(super) fn tell_session(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        from: SessionStatus,
        ended_by: Option<ParticipantRole>,
    ) {
        if self.muted {
            return;
        }
        let Some(conversation) = self.conversations.get(id) else { return };
        let ended_at = conversation.is_over().then(|| now.as_millis());
        let entry = json!({
            "entryType": "SessionStatusChanged",
            "sessionId": conversation.work_item.to_18(),
            "sessionStatus": conversation.status.as_str(),
            "sessionStatusPrev": from.as_str(),
            "sessionStartTime": conversation.started.as_millis(),
            "sessionEndTime": ended_at,
            "sessionEndedByRole": ended_by.map(ParticipantRole::as_str),
            "conversationIdentifier": id,
            "channelAddressIdentifier": self.settings.channel.address,
            "id": self.mint.uuid(),
        });
        self.interaction(now, id, "SessionStatusChanged", entry);
    }

    /// `RoutingResult` without failure: a PSR was created. Who asked is not told: no document says that
    /// `initiator` or `workOwnerId` is filled in here, and both may be left out.
    pub(super) fn tell_routing_started(&mut self, now: Timestamp, psr: &Psr) {
        if self.muted {
            return;
        }
        let Some(work_item) = self.conversations.get(&psr.conversation).map(|it| it.work_item) else {
            return;
        };
        let details = psr
            .queue
            .map(|queue| json!({ "routingConfigurationType": "QueueRoutingType", "queueId": queue.to_18() }));
        let entry = json!({
            "entryType": "RoutingResult",
            "id": self.mint.uuid(),
            "routingType": psr.routing_type.as_str(),
            "failureType": "None",
            "failureReason": null,
            "errorMessages": [],
            "recordId": work_item.to_18(),
            "pendingServiceRoutingId": psr.id.to_18(),
            "cancelReason": null,
            "workOwnerId": null,
            "isExternallyRouted": true,
            "estimatedWaitTime": null,
            "initiator": null,
            "skipRouterCPRemovalIfNoRoutingFailures": null,
            "routingConfigurationDetails": details,
        });
        self.interaction(now, &psr.conversation.clone(), "RoutingResult", entry);
    }

    /// `RoutingResult` with a `cancelReason`: routing was called off. It names no request. What each field
    /// says follows the outbound schema's `RoutingResult`; where that leaves a choice, docs/emulator.md says
    /// which one is taken here.
    pub(super) fn tell_routing_cancelled(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        routing_type: RoutingType,
        reason: CancelReason,
        requester: Option<RepId>,
        psr: Option<&Psr>,
    ) {
        if self.muted {
            return;
        }
        // `workOwnerId`: the user who requests the cancellation, so nobody where no user did.
        let owner = requester.filter(|_| reason == CancelReason::Cancel);
        // `pendingServiceRoutingId` and `recordId` come from the Omni event that made the PSR.
        let psr = psr.filter(|_| self.settings.events.cancel_names_psr);
        let work_item = psr.and_then(|psr| self.conversations.get(&psr.conversation)).map(|it| it.work_item);
        let entry = json!({
            "entryType": "RoutingResult",
            "id": self.mint.uuid(),
            "routingType": routing_type.as_str(),
            "failureType": "Cancelled",
            "failureReason": null,
            "errorMessages": [],
            "recordId": work_item.map(|id| id.to_18()),
            "pendingServiceRoutingId": psr.map(|psr| psr.id.to_18()),
            "cancelReason": reason.as_str(),
            "workOwnerId": owner.map(|rep| rep.to_18()),
            "isExternallyRouted": true,
            "estimatedWaitTime": null,
            // `initiator`: the participant who initiated the routing, whoever calls it off.
            "initiator": requester.and_then(Participant::rep).map(|rep| participant_value(&rep)),
            "skipRouterCPRemovalIfNoRoutingFailures": null,
            "routingConfigurationDetails": null,
        });
        self.interaction(now, conversation, "RoutingResult", entry);
    }

    /// Publishes `RoutingRequested`.
    pub(super) fn tell_routing_requested(&mut self, now: Timestamp, request: &Request) {
        if self.muted {
            return;
        }
        let Some(conversation) = self.conversations.get(&request.conversation) else { return };
        let work_record = self.settings.events.work_record_id.then(|| conversation.work_item.to_18());
        let payload = json!({
            "channelAddressIdentifier": self.settings.channel.address,
            "recipient": end_user_value(conversation.end_user.as_str()),
            "payload": {
                "conversationIdentifier": request.conversation,
                "routingType": request.routing_type.as_str(),
                "workRecordId": work_record,
                "routingParameters": routing_parameters(request),
            },
        });
        self.publish(now, "RoutingRequested", &payload);
    }

    /// Publishes an `Interaction` event with one entry.
    fn interaction(&mut self, now: Timestamp, id: &ConversationId, entry_type: &str, entry: Value) {
        let Some(conversation) = self.conversations.get(id) else { return };
        let recipient = end_user_value(conversation.end_user.as_str());
        let identifier = entry.get("id").cloned();
        let entry = match self.settings.events.entry_payload {
            EntryPayloadForm::Object => entry,
            EntryPayloadForm::JsonString => Value::String(entry.to_string()),
        };
        let payload = json!({
            "channelAddressIdentifier": self.settings.channel.address,
            "recipient": recipient,
            "conversationIdentifier": id,
            "payload": {
                "identifier": identifier,
                "entryType": entry_type,
                "entryPayload": entry,
                "sender": { "appType": "conversation", "subject": "routing", "role": "System" },
                "senderDisplayName": null,
                "recipients": null,
                "clientTimestamp": now.as_millis(),
                "transcriptedTimestamp": now.as_millis().saturating_add(TRANSCRIBED_AFTER_MS),
                "clientDuration": 0,
            },
        });
        self.publish(now, "Interaction", &payload);
    }

    fn publish(&mut self, now: Timestamp, event_type: &str, payload: &Value) {
        let form = &self.settings.events;
        let text =
            |text: String| if form.avro_unions { json!({ "string": text }) } else { Value::String(text) };
        let mut event = Map::new();
        event.insert("CreatedDate".to_owned(), now.as_millis().into());
        event.insert("CreatedById".to_owned(), self.created_by.to_18().into());
        event.insert(form.type_field.clone(), text(event_type.to_owned()));
        event.insert(form.payload_field.clone(), text(payload.to_string()));
        let what = Emission::Platform { replay_id: self.mint.replay_id(), event: Value::Object(event) };
        self.emitted.push(Emitted { at: now, what });
    }
}

/// The spelling of `AGENT_WORK_EVENT`.
const fn work_event_name(change: WorkChange) -> &'static str {
    match change {
        WorkChange::Assigned => "ASSIGNED",
        WorkChange::Accepted => "ACCEPTED",
        WorkChange::Cancelled => "CANCELED",
        WorkChange::Closed => "CLOSED",
        WorkChange::Declined => "DECLINED",
        WorkChange::TransferError => "TRANSFER_ERROR",
        WorkChange::Transferred => "TRANSFERRED",
    }
}

fn end_user_value(subject: &str) -> Value {
    json!({ "appType": "custom", "subject": subject, "role": "EndUser" })
}

fn participant_value(participant: &Participant) -> Value {
    let app_type = match participant.role {
        ParticipantRole::EndUser => "custom",
        ParticipantRole::Chatbot => "chatbot",
        ParticipantRole::Agent | ParticipantRole::Supervisor => "agent",
        ParticipantRole::System | ParticipantRole::Router => "conversation",
    };
    let subject = participant.as_rep().map_or_else(|| participant.subject.to_string(), |rep| rep.to_18());
    json!({ "appType": app_type, "subject": subject, "role": participant.role.as_str() })
}

/// `channelData` has the four fields that are published (PROTOCOL: "RoutingRequested: what a rep asked
/// for"), and none that says who asked.
fn channel_data(request: &Request) -> String {
    // Nothing says what a router's subject looks like; here it is a UUID, the same throughout a conversation.
    let router = Uuid::new_v5(&Uuid::NAMESPACE_OID, request.conversation.as_str().as_bytes());
    json!({
        "eventId": request.event,
        "routerParticipantSubject": router,
        "routingType": request.routing_type.as_str(),
        "conversationId": request.conversation,
    })
    .to_string()
}

/// The parameters of a routing request: one of them set, the rest null, as real events have them.
fn routing_parameters(request: &Request) -> Value {
    let mut parameters = json!({
        "userId": null, "queueId": null, "flowId": null, "botId": null, "skillsList": null,
        "channelData": channel_data(request),
        "isTransfer": request.routing_type == RoutingType::Transfer,
        "routingConfigId": null, "serviceChannelId": null, "isFallbackOnPsrNotCreated": null,
        "isEstimatedWaitTimeRequested": null, "isScrt2": true, "isUserRequired": null,
    });
    let Some(set) = parameters.as_object_mut() else { return parameters };
    let mut put = |name: &str, value: Value| set.insert(name.to_owned(), value);
    match &request.target {
        Target::Rep(rep) => drop(put("userId", rep.to_18().into())),
        Target::Queue(queue) => drop(put("queueId", queue.to_18().into())),
        Target::Flow { flow, fallback } => {
            put("flowId", flow.to_18().into());
            put("queueId", fallback.map(|queue| queue.to_18()).into());
        }
        Target::Skills(skills) => drop(put("skillsList", skills.iter().map(skill_value).collect())),
        Target::Bot(bot) => drop(put("botId", bot.as_str().into())),
        // No published field is for people outside of Salesforce; this one is for whoever was picked.
        Target::External(contact) => drop(put("userId", contact.as_str().into())),
        Target::Unreadable => {}
    }
    parameters
}

fn skill_value(skill: &SkillRequirement) -> Value {
    json!({
        "id": skill.id, "level": skill.level, "priority": skill.priority,
        "isAdditionalSkill": skill.additional, "requirementId": null,
    })
}
