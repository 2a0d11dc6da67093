//! `RoutingRequested`: a rep asks for somebody (PROTOCOL: "RoutingRequested: what a rep asked for").

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::smallvec;

use super::channel_data::ChannelData;
use super::json::{Text, embedded};
use super::mend::{ExpectedType, MendedFields, reading};
use super::outside_contact::OutsideContactFields;
use super::payload_context::PayloadContext;
use super::{Decoded, Error, Ignored};
use crate::model::event::{Event, EventKind, RoutingRequested, SkillRequirement, Target};
use crate::model::ids::{ConversationId, EventId, FlowId, QueueId, RepId, SkillId, Subject, WorkItemId};
use crate::model::words::RoutingType;

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    recipient: Option<Recipient<'a>>,
    #[serde(borrow, default)]
    payload: Option<Request<'a>>,
}

#[derive(Deserialize)]
struct Recipient<'a> {
    #[serde(borrow, default)]
    subject: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request<'a> {
    #[serde(borrow)]
    conversation_identifier: Option<Text<'a>>,
    #[serde(borrow)]
    routing_type: Option<Text<'a>>,
    #[serde(borrow)]
    work_record_id: Option<Text<'a>>,
    #[serde(borrow)]
    routing_parameters: Option<Parameters<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters<'a> {
    #[serde(borrow)]
    flow_id: Option<Text<'a>>,
    #[serde(borrow)]
    bot_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    skills_list: Option<Vec<Skill<'a>>>,
    #[serde(borrow)]
    queue_id: Option<Text<'a>>,
    #[serde(borrow)]
    channel_data: Option<&'a RawValue>,
    #[serde(borrow)]
    contact_id: Option<&'a RawValue>,
    #[serde(borrow)]
    external_contact_id: Option<&'a RawValue>,
    #[serde(borrow)]
    external_contact: Option<&'a RawValue>,
    #[serde(borrow)]
    phone_number: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Skill<'a> {
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(default)]
    level: Option<i32>,
    #[serde(default)]
    priority: Option<i32>,
    #[serde(default, rename = "isAdditionalSkill")]
    additional: Option<bool>,
}

/// What the fields that are read should be.
const SHAPE: ExpectedType = ExpectedType::Object(&[
    ("recipient", ExpectedType::Object(&[("subject", ExpectedType::Text)])),
    (
        "payload",
        ExpectedType::Object(&[
            ("conversationIdentifier", ExpectedType::Text),
            ("routingType", ExpectedType::Text),
            ("workRecordId", ExpectedType::Text),
            ("routingParameters", PARAMETERS),
        ]),
    ),
]);

const PARAMETERS: ExpectedType = ExpectedType::Object(&[
    ("flowId", ExpectedType::Text),
    ("botId", ExpectedType::Text),
    ("userId", ExpectedType::Text),
    ("queueId", ExpectedType::Text),
    (
        "skillsList",
        ExpectedType::List(&ExpectedType::Object(&[
            ("id", ExpectedType::Text),
            ("level", ExpectedType::Whole),
            ("priority", ExpectedType::Whole),
            ("isAdditionalSkill", ExpectedType::Flag),
        ])),
    ),
]);

const CHANNEL_DATA: &str = "payload.routingParameters.channelData";

pub(super) fn read(around: &PayloadContext<'_>, odd: &mut MendedFields) -> Result<Decoded, Error> {
    let mut inside = MendedFields::default();
    let read = reading(around.payload, "", &SHAPE, odd, |text| {
        serde_json::from_str(text).map(|payload| read_payload(around, payload, &mut inside))
    });
    odd.append(&inside);
    read.map_err(|error| around.json_error(&error))?
}

fn read_payload(
    around: &PayloadContext<'_>,
    payload: Payload<'_>,
    odd: &mut MendedFields,
) -> Result<Decoded, Error> {
    let request = payload.payload.unwrap_or_default();
    let conversation = conversation(around, request.conversation_identifier.as_ref())?;
    let routing_type = match request.routing_type.as_deref() {
        None | Some("") => return Ok(Decoded::passed(Ignored::Incomplete { field: "routingType" })),
        Some(name) => match RoutingType::from_name(name) {
            Some(known) => known,
            None => return Ok(Decoded::passed(Ignored::Value { field: "routingType", value: name.into() })),
        },
    };
    let parameters = request.routing_parameters.unwrap_or_default();
    let text = channel_data_text(parameters.channel_data, odd);
    let data = text.as_deref().map(|text| ChannelData::mended(text, CHANNEL_DATA, odd));
    let data = data.as_deref().map(ChannelData::read).unwrap_or_default();
    let named = data.event_id.as_deref().and_then(|id| EventId::parse(id).ok());
    // Without the id that later calls must name, nothing can be asked of Salesforce on this request's behalf.
    let (event, target) = match named {
        Some(event) => (event, target(&parameters, &data)),
        None => (around.fallback_id()?, Target::Unreadable),
    };
    let requested = RoutingRequested {
        event,
        created: around.created,
        routing_type,
        target,
        work_item: request.work_record_id.and_then(|id| WorkItemId::parse(&id).ok()),
        end_user: payload.recipient.and_then(|end_user| Subject::parse(&end_user.subject?).ok()),
        requester: data.requester(),
        list_opened_by: None,
    };
    let what = EventKind::RoutingRequested(Box::new(requested));
    let events = smallvec![Event { conversation: Some(conversation), what }];
    Ok(Decoded { events, ..Decoded::default() })
}

fn conversation(around: &PayloadContext<'_>, text: Option<&Text<'_>>) -> Result<ConversationId, Error> {
    const PATH: &str = "payload.conversationIdentifier";
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| Error::Missing {
        field: around.at(PATH),
        why: "the request cannot be answered without it",
    })?;
    ConversationId::parse(text).map_err(|source| Error::Id { field: around.at(PATH), source })
}

/// What stands in the field; where that is neither a text nor an object, nothing does.
fn channel_data_text<'a>(raw: Option<&'a RawValue>, odd: &mut MendedFields) -> Option<Cow<'a, str>> {
    let text = raw.map_or(Ok(None), embedded);
    text.unwrap_or_else(|_| {
        odd.note(CHANNEL_DATA);
        None
    })
}

/// Reads the target from which parameter is set. A flow comes with its fallback queue, so it goes before
/// the queue; a rep who is named goes before the queue that they were found in.
fn target(parameters: &Parameters<'_>, data: &ChannelData<'_>) -> Target {
    let set = |text: &Option<Text<'_>>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(id) = set(&parameters.flow_id) {
        let fallback = parameters.queue_id.as_deref().and_then(|id| QueueId::parse(id).ok());
        return FlowId::parse(&id).map_or(Target::Unreadable, |flow| Target::Flow { flow, fallback });
    }
    if let Some(id) = set(&parameters.bot_id) {
        return Subject::parse(&id).map_or(Target::Unreadable, Target::Bot);
    }
    if let Some(id) = set(&parameters.user_id) {
        let outside = || Subject::parse(&id).map_or(Target::Unreadable, Target::External);
        return if id.starts_with(RepId::PREFIX) {
            RepId::parse(&id).map_or_else(|_| outside(), Target::Rep)
        } else {
            outside()
        };
    }
    if let Some(skills) = parameters.skills_list.as_deref().filter(|skills| !skills.is_empty()) {
        return skills
            .iter()
            .map(requirement)
            .collect::<Option<_>>()
            .map_or(Target::Unreadable, Target::Skills);
    }
    if let Some(id) = set(&parameters.queue_id) {
        return QueueId::parse(&id).map_or(Target::Unreadable, Target::Queue);
    }
    let outside = parameters.outside().subject().or_else(|| data.outside().subject());
    outside.map_or(Target::Unreadable, Target::External)
}

fn requirement(skill: &Skill<'_>) -> Option<SkillRequirement> {
    Some(SkillRequirement {
        id: SkillId::parse(skill.id.as_deref()?).ok()?,
        level: skill.level,
        priority: skill.priority,
        additional: skill.additional.unwrap_or(false),
    })
}

impl<'a> Parameters<'a> {
    fn outside(&self) -> OutsideContactFields<'a> {
        OutsideContactFields {
            contact_id: self.contact_id,
            external_contact_id: self.external_contact_id,
            external_contact: self.external_contact,
            phone_number: self.phone_number,
        }
    }
}
