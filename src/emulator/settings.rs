//! How the emulated org is set up: its channel definition, the form of its events, who may call.

use serde::{Deserialize, Serialize};

use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::{ChannelAddressId, OrgId, QueueId};
use crate::model::words::{ConsentOwner, RoutingOwner};

/// Everything about the org that is not people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The org.
    pub org: OrgId,
    /// Its one channel definition.
    pub channel: Channel,
    /// How its platform events look.
    pub events: EventForm,
    /// How its Pub/Sub API behaves.
    pub stream: StreamForm,
    /// Which bearer tokens the API takes.
    pub bearer: BearerRule,
    /// Whether Salesforce asks for a session's first rep by itself (`RoutingRequested` with `Initial`), naming nobody.
    pub asks_for_first_rep: bool,
    /// Capacity units that an offer with a PSR costs its rep; without a PSR the call says it.
    pub psr_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            org: sample("00DHu0000012345"),
            channel: Channel::default(),
            events: EventForm::default(),
            stream: StreamForm::default(),
            bearer: BearerRule::Any,
            asks_for_first_rep: false,
            psr_weight: 1.0,
        }
    }
}

impl Settings {
    /// Sets the org up as a channel definition says; what the definition leaves out stays as it is.
    /// `platform_limit` is the platform's own limit of participants, where it is known.
    pub fn follow(&mut self, definition: &ChannelDefinition, platform_limit: Option<u32>) {
        let channel = &mut self.channel;
        if let Some(name) = &definition.developer_name {
            channel.developer_name.clone_from(name);
        }
        channel.routing_owner = definition.routing_owner;
        let consent_owner = definition.consent_owner.as_deref().and_then(ConsentOwner::from_name);
        channel.consent_owner = consent_owner.unwrap_or(ConsentOwner::Salesforce);
        channel.conference_supported = definition.is_conference_supported;
        channel.routing_work_result_supported = definition.is_routing_work_result_supported;
        channel.participant_limit = definition.participant_limit(platform_limit);
        if let Some(topic) = definition.topic() {
            self.events.topic = topic;
        }
        if let Some(field) = definition.event_type_field() {
            field.clone_into(&mut self.events.type_field);
        }
        if let Some(field) = definition.event_payload_field() {
            field.clone_into(&mut self.events.payload_field);
        }
    }
}

/// The facts of a `ConversationChannelDefinition` that change what Salesforce does
/// (PROTOCOL: "Channel definition: the fields that steer us").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Channel {
    /// `DeveloperName`; what the header `AuthorizationContext` must say.
    pub developer_name: String,
    /// `RoutingOwner`.
    pub routing_owner: RoutingOwner,
    /// `ConsentOwner`.
    pub consent_owner: ConsentOwner,
    /// What the end user has to agree to before anything is routed.
    pub opt_in: OptIn,
    /// Whether the messaging channel asks for consent by keywords.
    pub supports_keywords: bool,
    /// `IsConferenceSupported`.
    pub conference_supported: bool,
    /// `EventCapabilitiesIsRoutingWorkResultSupported`: whether `RoutingWorkResult` comes on the platform event.
    /// False unless somebody sets it, as in an org: then accepts and declines are told to the rep's browser, and
    /// of an accept `ParticipantChanged` tells as well.
    pub routing_work_result_supported: bool,
    /// The most participants a conversation may have; passing it is booked, not refused.
    pub participant_limit: Option<u32>,
    /// The deployed channel.
    pub address: ChannelAddressId,
    /// The queue that a route call without flow or queue ends in: the messaging channel's own setting.
    pub default_queue: Option<QueueId>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            developer_name: "devorg_PartnerMessaging".to_owned(),
            routing_owner: RoutingOwner::Partner,
            consent_owner: ConsentOwner::Salesforce,
            opt_in: OptIn::Implicit,
            supports_keywords: false,
            conference_supported: true,
            routing_work_result_supported: false,
            participant_limit: None,
            address: sample("9c1d8c5e-4b5a-4f0e-8f3a-5f4f7c0b6a11"),
            default_queue: None,
        }
    }
}

/// What an end user has to agree to before anything is routed (15103).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OptIn {
    /// Nothing: a message of theirs is enough.
    Implicit,
    /// They have to say yes.
    Explicit,
    /// They have to say yes, and to confirm it.
    Double,
}

/// How platform events look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EventForm {
    /// The topic that a subscriber reads.
    pub topic: String,
    /// The event type field, with its namespace.
    pub type_field: String,
    /// The payload field, with its namespace.
    pub payload_field: String,
    /// Whether `entryPayload` is an object or a JSON string.
    pub entry_payload: EntryPayloadForm,
    /// Whether `workRecordId` is filled in; in real events it often is not.
    pub work_record_id: bool,
    /// Whether a cancel names the PSR of the request that it means, where there is one; where it does not, it
    /// names nothing but who cancels.
    pub cancel_names_psr: bool,
    /// Whether string fields stand as Avro's JSON writes a union: `{"string": "…"}`.
    pub avro_unions: bool,
}

impl Default for EventForm {
    fn default() -> Self {
        Self {
            topic: "/event/devorg__PartnerMessaging__e".to_owned(),
            type_field: "devorg__EventType__c".to_owned(),
            payload_field: "devorg__Payload__c".to_owned(),
            entry_payload: EntryPayloadForm::Object,
            work_record_id: false,
            cancel_names_psr: true,
            avro_unions: false,
        }
    }
}

/// How the Pub/Sub API behaves (PROTOCOL: "Pub/Sub API rules").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct StreamForm {
    /// How long a stream says nothing before it says that it is alive.
    pub keep_alive_milliseconds: u64,
    /// How long a subscriber may leave a stream without a request for more.
    pub ask_within_milliseconds: u64,
    /// How long events are kept, by the emulator's clock.
    pub kept_hours: u32,
    /// How many events are kept at most.
    pub kept: usize,
    /// Whether the user may subscribe.
    pub can_subscribe: bool,
}

impl Default for StreamForm {
    fn default() -> Self {
        Self {
            keep_alive_milliseconds: 270_000,
            ask_within_milliseconds: 60_000,
            kept_hours: 72,
            kept: 262_144,
            can_subscribe: true,
        }
    }
}

/// How the entry of an `Interaction` event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryPayloadForm {
    /// As the schema says.
    Object,
    /// As a JSON string, once more.
    JsonString,
}

/// Which bearer tokens the API takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BearerRule {
    /// Any that is not empty.
    Any,
    /// Those that were granted, and have neither aged out nor been revoked.
    Granted,
}

#[expect(clippy::expect_used, reason = "the samples above are literals")]
fn sample<T>(text: &str) -> T
where
    T: std::str::FromStr,
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a sample id has the shape of its kind")
}
