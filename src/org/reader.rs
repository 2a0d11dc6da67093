//! The questions to an org, and their rows as typed values.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::error::Error;
use super::rest::{Api, RestApi};
use super::soql::{Soql, WorkStatus};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::{AgentWorkId, ConversationId, FlowId, QueueId, RepId, WorkItemId};

/// How many ids one question names: more would make its URL too long.
const IDS_A_QUESTION: usize = 200;

/// A queue that takes messaging sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub struct OrgQueue {
    /// Its id.
    pub id: QueueId,
    /// Its label.
    pub name: String,
}

/// An active Omni-Channel flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrgFlow {
    /// Its id.
    pub id: FlowId,
    /// Its label.
    pub name: String,
}

/// An active user who may answer messaging sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrgPerson {
    /// Their user id.
    pub id: RepId,
    /// Their name.
    pub name: String,
}

/// Somebody who is online in Omni-Channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub struct OrgPresence {
    /// Who.
    #[serde(rename(deserialize = "UserId"))]
    pub rep: RepId,
    /// Whether they are away from their screen.
    #[serde(rename(deserialize = "IsAway"), default)]
    pub away: bool,
}

/// An agent work for a messaging session that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgWork {
    /// Its id.
    pub id: AgentWorkId,
    /// Whose it is.
    pub rep: RepId,
    /// Of which session.
    pub work_item: WorkItemId,
    /// Where it stands.
    pub status: WorkStatus,
}

/// Asks an org. A clone is the same one.
#[derive(Debug, Clone)]
pub struct OrgReader(RestApi);

impl OrgReader {
    /// Asks by this API.
    pub const fn new(rest: RestApi) -> Self {
        Self(rest)
    }

    /// By which it asks.
    pub const fn rest(&self) -> &RestApi {
        &self.0
    }

    /// Which of its queues take messaging sessions.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn queues(&self) -> Result<Vec<OrgQueue>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Supported {
            queue_id: QueueId,
        }
        let question = Soql::new("SELECT QueueId FROM QueueSobject").and("SobjectType = 'MessagingSession'");
        let ids: Vec<QueueId> =
            self.data::<Supported>(&question).await?.into_iter().map(|row| row.queue_id).collect();
        let mut queues = Vec::new();
        for some in ids.chunks(IDS_A_QUESTION) {
            let question = Soql::new("SELECT Id, Name FROM Group")
                .and("Type = 'Queue'")
                .among("Id", some.iter().copied());
            queues.extend(self.data::<OrgQueue>(&question).await?);
        }
        queues.sort_by_key(|queue| queue.id);
        queues.dedup_by_key(|queue| queue.id);
        Ok(queues)
    }

    /// Which Omni-Channel flows are active. Those of a package without an id of the org's own are left out: Salesforce
    /// routes to a flow by its id.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn flows(&self) -> Result<Vec<OrgFlow>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            durable_id: String,
            label: String,
        }
        let question = Soql::new("SELECT DurableId, Label FROM FlowDefinitionView")
            .and("ProcessType = 'RoutingFlow'")
            .and("IsActive = true");
        let rows = self.data::<Row>(&question).await?.into_iter();
        let read = |row: Row| Some(OrgFlow { id: FlowId::parse(&row.durable_id).ok()?, name: row.label });
        Ok(rows.filter_map(read).collect())
    }

    /// Who is active and has the permission to answer messaging sessions.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn messaging_users(&self) -> Result<Vec<OrgPerson>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Assignee {
            name: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            assignee_id: RepId,
            assignee: Assignee,
        }
        let question = Soql::new("SELECT AssigneeId, Assignee.Name FROM PermissionSetAssignment")
            .and("PermissionSet.PermissionsLiveMessageAgent = true")
            .and("Assignee.IsActive = true");
        let rows = self.data::<Row>(&question).await?.into_iter();
        let mut people: Vec<OrgPerson> =
            rows.map(|row| OrgPerson { id: row.assignee_id, name: row.assignee.name }).collect();
        // Somebody may have it by several permission sets.
        people.sort_by_key(|person| person.id);
        people.dedup_by_key(|person| person.id);
        Ok(people)
    }

    /// Who is online in Omni-Channel now. Reads count: not to be asked once a request.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn presence(&self) -> Result<Vec<OrgPresence>, Error> {
        let question =
            Soql::new("SELECT UserId, IsAway FROM UserServicePresence").and("IsCurrentState = true");
        self.data(&question).await
    }

    /// The messaging session of a conversation; the newest where there were several. A conversation whose identifier is
    /// no UUID is not Salesforce's, and is not asked for.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn work_item(&self, conversation: &ConversationId) -> Result<Option<WorkItemId>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            id: WorkItemId,
        }
        let Ok(conversation) = Uuid::parse_str(conversation.as_str()) else { return Ok(None) };
        let question = Soql::new("SELECT Id FROM MessagingSession")
            .among("Conversation.ConversationIdentifier", [conversation])
            .newest_first("CreatedDate")
            .at_most(1);
        Ok(self.data::<Row>(&question).await?.first().map(|row| row.id))
    }

    /// The agent work for messaging sessions that stands so. Work of other kinds (cases, calls) is left out.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn work(&self, statuses: &[WorkStatus]) -> Result<Vec<OrgWork>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            id: AgentWorkId,
            user_id: RepId,
            #[serde(deserialize_with = "session_or_other")]
            work_item_id: Option<WorkItemId>,
            status: String,
        }
        if statuses.is_empty() {
            return Ok(Vec::new());
        }
        let question = Soql::new("SELECT Id, UserId, WorkItemId, Status FROM AgentWork")
            .among("Status", statuses.iter().copied())
            .newest_first("CreatedDate");
        let rows = self.data::<Row>(&question).await?.into_iter();
        let read = |row: Row| {
            let status = match row.status.as_str() {
                "Assigned" => WorkStatus::Assigned,
                "Opened" => WorkStatus::Opened,
                _ => return None,
            };
            Some(OrgWork { id: row.id, rep: row.user_id, work_item: row.work_item_id?, status })
        };
        Ok(rows.filter_map(read).collect())
    }

    /// The channel definition of that developer name, with the partner's prefix or without. It can be read with
    /// Customize Application alone.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn definition(&self, name: &str) -> Result<Option<ChannelDefinition>, Error> {
        let is_it = |bare: &str| !bare.is_empty() && (name == bare || name.ends_with(&format!("_{bare}")));
        let rows = self.definition_rows().await?;
        match rows.into_iter().find(|row| is_it(&row.developer_name)) {
            Some(row) => self.definition_of(&row.id).await,
            None => Ok(None),
        }
    }

    /// All channel definitions.
    ///
    /// # Errors
    /// As [`OrgReader::definition`].
    pub async fn definitions(&self) -> Result<Vec<ChannelDefinition>, Error> {
        let mut all = Vec::new();
        for row in self.definition_rows().await? {
            all.extend(self.definition_of(&row.id).await?);
        }
        Ok(all)
    }

    async fn definition_rows(&self) -> Result<Vec<DefinitionRow>, Error> {
        let question = Soql::new("SELECT Id, DeveloperName FROM ConversationChannelDefinition").at_most(200);
        self.0.rows(Api::Tooling, &question).await
    }

    async fn definition_of(&self, id: &str) -> Result<Option<ChannelDefinition>, Error> {
        // It becomes part of a path.
        if !(15..=18).contains(&id.len()) || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let row = self.0.get(&format!("/tooling/sobjects/ConversationChannelDefinition/{id}")).await?;
        ChannelDefinition::from_tooling_json(&row.to_string())
            .map(Some)
            .map_err(|error| Error::Unreadable(error.to_string()))
    }

    async fn data<T: serde::de::DeserializeOwned>(&self, question: &Soql) -> Result<Vec<T>, Error> {
        self.0.rows(Api::Data, question).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DefinitionRow {
    id: String,
    developer_name: String,
}

/// A session's id; none for work of another kind.
fn session_or_other<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WorkItemId>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| WorkItemId::parse(text).ok()))
}
