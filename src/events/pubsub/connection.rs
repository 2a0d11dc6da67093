//! One org's connection: every call with its metadata, and the schemas.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};

use super::avro::{EventSchema, Unreadable};
use super::credentials::{Credentials, NoToken};
use super::schemas::{Known, Schemas};
use super::settings::{Error, Settings};
use super::stream_failure::{Remedy, StreamFailure};
use crate::events::quarantine::{DEATHS, Quarantine};
use crate::model::time::Clock;
use crate::outbound::without_slashes;
use crate::proto::pub_sub_client::PubSubClient;
use crate::proto::{FetchRequest, FetchResponse, SchemaRequest, TopicInfo, TopicRequest};

/// How long a call may take that is not a stream.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest response: a hundred events, none of which Salesforce lets be larger than 1 MB.
const LARGEST_RESPONSE: usize = 104 << 20;

/// What Salesforce says of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Whether the user may subscribe to it.
    pub can_subscribe: bool,
    /// The names of the fields that its events have.
    pub fields: Vec<String>,
}

/// Why Salesforce says nothing of a topic, with what was said instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDescribed {
    /// There is no such topic, or none that this user may know of.
    #[error("{0}")]
    Unknown(String),
    /// The token is not taken, or is not one for that org at that address.
    #[error("{0}")]
    TokenRefused(String),
    /// Anything else: mostly that nobody answers.
    #[error("{0}")]
    Failed(String),
}

impl From<StreamFailure> for NotDescribed {
    fn from(cut: StreamFailure) -> Self {
        let code = if let StreamFailure::Refused(status) = &cut { status.code() } else { Code::Unavailable };
        match (cut.remedy(), code) {
            (Remedy::Token, _) => Self::TokenRefused(cut.to_string()),
            (_, Code::NotFound | Code::InvalidArgument | Code::PermissionDenied) => {
                Self::Unknown(cut.to_string())
            }
            _ => Self::Failed(cut.to_string()),
        }
    }
}

/// One org's connection to the Pub/Sub API; its subscriptions share it. A clone is the same connection.
#[derive(Clone)]
pub struct PubSub(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: PubSubClient<Channel>,
    instance_url: MetadataValue<Ascii>,
    tenant: MetadataValue<Ascii>,
    credentials: Arc<dyn Credentials>,
    clock: Arc<dyn Clock>,
    schemas: Schemas,
}

impl fmt::Debug for PubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PubSub").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl PubSub {
    /// Checks the settings. The connection itself is made, and made again, by the subscriptions.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where the settings are such that there can never be a connection.
    pub fn new(
        settings: Settings,
        credentials: Arc<dyn Credentials>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let channel = settings.connector()?.connect_lazy();
        let client = PubSubClient::new(channel).max_decoding_message_size(LARGEST_RESPONSE);
        // As a tenant's address it is compared as text, and Salesforce's has no slash at its end.
        let instance_url = without_slashes(&settings.instance_url)
            .parse()
            .ok()
            .filter(|_| settings.instance_url.contains("://"))
            .ok_or_else(|| Error::InstanceUrl(settings.instance_url.clone()))?;
        let tenant = settings.org.to_18();
        let tenant = tenant.parse().map_err(|_| Error::InstanceUrl(tenant.clone()))?;
        let schemas = Schemas::default();
        Ok(Self(Arc::new(Inner { settings, client, instance_url, tenant, credentials, clock, schemas })))
    }

    /// Asks what a topic is, once, and subscribes to nothing.
    ///
    /// # Errors
    /// Where Salesforce does not say it.
    pub async fn describe(&self, topic: &str) -> Result<TopicDescription, NotDescribed> {
        let token = self.token().await.map_err(StreamFailure::from)?;
        let topic = self.topic(topic, &token).await?;
        let schema = self.schema(&topic.schema_id, &token, &Quarantine::default()).await?;
        let schema = schema.as_ref().as_ref();
        let fields = schema.map_err(|error| NotDescribed::Failed(error.to_string()))?.names();
        Ok(TopicDescription { can_subscribe: topic.can_subscribe, fields })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(super) async fn token(&self) -> Result<SecretString, NoToken> {
        self.0.credentials.token().await
    }

    pub(super) async fn refresh(&self, rejected: &SecretString) -> Result<SecretString, NoToken> {
        self.0.credentials.refresh(rejected).await
    }

    /// A call with its metadata (PROTOCOL: "Pub/Sub API rules").
    fn call<T>(&self, message: T, token: &SecretString) -> Result<Request<T>, StreamFailure> {
        let mut call = Request::new(message);
        let mut token: MetadataValue<Ascii> = token
            .expose_secret()
            .parse()
            .map_err(|_| NoToken("it has characters that an HTTP header cannot carry".to_owned()))?;
        token.set_sensitive(true);
        let metadata = call.metadata_mut();
        metadata.insert("accesstoken", token);
        metadata.insert("instanceurl", self.0.instance_url.clone());
        metadata.insert("tenantid", self.0.tenant.clone());
        Ok(call)
    }

    pub(super) async fn topic(&self, name: &str, token: &SecretString) -> Result<TopicInfo, StreamFailure> {
        let call = self.call(TopicRequest { topic_name: name.to_owned() }, token)?;
        let mut client = self.0.client.clone();
        let answer = tokio::time::timeout(CALL_TIMEOUT, client.get_topic(call)).await;
        Ok(answer.map_err(|_| StreamFailure::Unanswered("GetTopic"))??.into_inner())
    }

    /// Ready when Salesforce begins to answer, which it may do only with the first event.
    pub(super) async fn stream(
        &self,
        asks: tokio_stream::wrappers::ReceiverStream<FetchRequest>,
        token: &SecretString,
    ) -> Result<Streaming<FetchResponse>, StreamFailure> {
        let call = self.call(asks, token)?;
        Ok(self.0.client.clone().subscribe(call).await?.into_inner())
    }

    /// A schema, from Salesforce or from before.
    pub(super) async fn schema(
        &self,
        id: &str,
        token: &SecretString,
        aside: &Quarantine,
    ) -> Result<Known, StreamFailure> {
        self.0.schemas.get(id, || self.fetch_schema(id, token, aside)).await
    }

    async fn fetch_schema(
        &self,
        id: &str,
        token: &SecretString,
        aside: &Quarantine,
    ) -> Result<Result<EventSchema, Unreadable>, StreamFailure> {
        let call = self.call(SchemaRequest { schema_id: id.to_owned() }, token)?;
        let mut client = self.0.client.clone();
        let answer = tokio::time::timeout(CALL_TIMEOUT, client.get_schema(call)).await;
        let schema = answer.map_err(|_| StreamFailure::Unanswered("GetSchema"))??.into_inner();
        let name = format!("schema {id}");
        if aside.is_deadly(&name) {
            return Ok(Err(Unreadable(format!("its schema {id} crashed the process {DEATHS} times"))));
        }
        Ok(aside.reading(&[name], || EventSchema::parse(&schema.schema_json)))
    }
}
