//! What the model holds, as rows of Salesforce's objects.

use serde_json::{Value, json};

use crate::emulator::{Salesforce, Settings, WorkState};
use crate::model::roster::Roster;
use crate::model::words::Availability;

/// The id of the org's one channel definition.
pub(super) const DEFINITION_ID: &str = "1CVHu000000000100A";

/// An object that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Group,
    QueueSobject,
    User,
    PermissionSetAssignment,
    UserPermissionAccess,
    UserServicePresence,
    MessagingSession,
    AgentWork,
    FlowDefinitionView,
    ConversationChannelDefinition,
}

impl Table {
    /// By its name; the channel definition is the Tooling API's alone.
    pub(super) fn named(name: &str, tooling: bool) -> Option<Self> {
        let table = match name {
            "Group" => Self::Group,
            "QueueSobject" => Self::QueueSobject,
            "User" => Self::User,
            "PermissionSetAssignment" => Self::PermissionSetAssignment,
            "UserPermissionAccess" => Self::UserPermissionAccess,
            "UserServicePresence" => Self::UserServicePresence,
            "MessagingSession" => Self::MessagingSession,
            "AgentWork" => Self::AgentWork,
            "FlowDefinitionView" => Self::FlowDefinitionView,
            "ConversationChannelDefinition" => Self::ConversationChannelDefinition,
            _ => return None,
        };
        Some(table).filter(|table| (*table == Self::ConversationChannelDefinition) == tooling)
    }

    /// The fields of a row, in the order of its values.
    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Group => &["Id", "Name", "Type"],
            Self::QueueSobject => &["QueueId", "SobjectType"],
            Self::User => &["Id", "Name", "IsActive"],
            Self::PermissionSetAssignment => &[
                "AssigneeId",
                "Assignee.Name",
                "Assignee.IsActive",
                "PermissionSet.PermissionsLiveMessageAgent",
            ],
            Self::UserPermissionAccess => &["PermissionsModifyAllData"],
            Self::UserServicePresence => &["UserId", "IsAway", "IsCurrentState"],
            Self::MessagingSession => &["Id", "Status", "CreatedDate", "Conversation.ConversationIdentifier"],
            Self::AgentWork => &["Id", "UserId", "WorkItemId", "Status", "CreatedDate"],
            Self::FlowDefinitionView => &["DurableId", "Label", "ProcessType", "IsActive"],
            Self::ConversationChannelDefinition => &["Id", "DeveloperName"],
        }
    }

    /// What the org has of it. Names of queues are those of the roster, for the model knows none.
    pub(super) fn rows(self, org: &Salesforce, roster: &Roster) -> Vec<Vec<Value>> {
        match self {
            Self::Group => {
                let name = |id| roster.queues.iter().find(|queue| queue.id == id).map(|queue| &*queue.name);
                let queues = org.queues.iter();
                queues.map(|id| vec![json!(id.to_18()), json!(name(*id)), json!("Queue")]).collect()
            }
            Self::QueueSobject => {
                let queues = org.queues.iter();
                queues.map(|id| vec![json!(id.to_18()), json!("MessagingSession")]).collect()
            }
            Self::User => {
                org.reps().map(|rep| vec![json!(rep.id.to_18()), json!(rep.name), json!(true)]).collect()
            }
            Self::PermissionSetAssignment => org
                .reps()
                .map(|rep| vec![json!(rep.id.to_18()), json!(rep.name), json!(true), json!(rep.messaging)])
                .collect(),
            Self::UserPermissionAccess => vec![vec![json!(true)]],
            Self::UserServicePresence => org
                .reps()
                .filter(|rep| rep.availability != Availability::Offline)
                .map(|rep| vec![json!(rep.id.to_18()), json!(false), json!(true)])
                .collect(),
            Self::MessagingSession => org
                .conversations
                .values()
                .map(|one| {
                    let (id, began) = (one.work_item.to_18(), one.started.to_string());
                    vec![json!(id), json!(one.status), json!(began), json!(one.id)]
                })
                .collect(),
            Self::AgentWork => org
                .works()
                .map(|work| {
                    let (id, rep, item) = (work.id.to_18(), work.rep.to_18(), work.work_item.to_18());
                    let (status, created) = (status(work.state), work.created.to_string());
                    vec![json!(id), json!(rep), json!(item), json!(status), json!(created)]
                })
                .collect(),
            Self::FlowDefinitionView => org
                .flows
                .values()
                .map(|flow| vec![json!(flow.id.to_18()), json!(flow.name), json!("RoutingFlow"), json!(true)])
                .collect(),
            Self::ConversationChannelDefinition => {
                vec![vec![json!(DEFINITION_ID), json!(org.settings().channel.developer_name)]]
            }
        }
    }
}

/// `AgentWork.Status` (Object Reference).
const fn status(state: WorkState) -> &'static str {
    match state {
        WorkState::Waiting => "Unavailable",
        WorkState::Assigned => "Assigned",
        WorkState::Accepted => "Opened",
        WorkState::Declined => "Declined",
        WorkState::Cancelled => "Canceled",
        WorkState::Closed => "Closed",
    }
}

/// The org's one channel definition, as the Tooling API gives it.
pub(super) fn channel_definition(settings: &Settings) -> Value {
    let (channel, events) = (&settings.channel, &settings.events);
    json!({
        "Id": DEFINITION_ID,
        "DeveloperName": channel.developer_name,
        "RoutingOwner": channel.routing_owner,
        "IsConferenceSupported": channel.conference_supported,
        "EventCapabilitiesIsRoutingWorkResultSupported": channel.routing_work_result_supported,
        "CustomPlatformEvent": events.topic.trim_start_matches("/event/"),
        "CustomEventTypeField": events.type_field,
        "CustomEventPayloadField": events.payload_field,
    })
}
