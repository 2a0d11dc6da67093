//! The emulated org's Pub/Sub API (PROTOCOL: "Pub/Sub API rules"): gRPC over the same port as the rest.
//!
//! Invariants
//! 1. Events go out in the order in which they were published, and no more of them than were asked for.
//! 2. Only an id that was given names a place; anything else is refused.
//! 3. An open stream does not hold up a shutdown.

mod bus;
mod fault;
mod schema;
mod status;
mod stream;
mod streams;

use axum::Router;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

use super::Emulator;
use crate::model::ids::OrgId;
use crate::proto::pub_sub_server::{PubSub, PubSubServer};
use crate::proto::{FetchRequest, FetchResponse, SchemaInfo, SchemaRequest, TopicInfo, TopicRequest};

pub(super) use bus::Bus;
pub use fault::StreamFault;
pub(super) use fault::StreamPlan;
use status::{no_such_topic, refused, rpc_id, unavailable};
pub use streams::StreamCounts;
pub(super) use streams::StreamEnd;

/// How many responses may wait for a subscriber to read them.
const RESPONSES_WAITING: usize = 4;

/// The routes of the gRPC service.
pub(super) fn router(emulator: Emulator) -> Router<Emulator> {
    Router::new().route_service("/eventbus.v1.PubSub/{method}", PubSubServer::new(EmulatorPubSub(emulator)))
}

impl Emulator {
    /// Lets something go wrong with the Pub/Sub API.
    pub fn stream_fault(&self, fault: StreamFault) {
        match fault {
            StreamFault::End => self.end_streams(StreamEnd::Quietly),
            StreamFault::Unavailable => self.end_streams(StreamEnd::Unavailable),
            StreamFault::CutAfter { events } => {
                self.with_state(|state, _| state.streams.cut_after = Some(events));
            }
            StreamFault::RefuseSubscribe { times } => {
                self.with_state(|state, _| state.streams.refusals = times);
            }
            StreamFault::RefuseSchema { times, status } => {
                self.with_state(|state, _| state.streams.schema_refusals = (times, status));
            }
            StreamFault::ForgetReplayIds => self.with_state(|state, _| state.bus.rename()),
            StreamFault::ChangeSchema => self.with_state(|state, _| state.bus.change_schema()),
            StreamFault::Delay { milliseconds } => {
                self.with_state(|state, _| state.streams.delay_ms = milliseconds);
            }
        }
    }

    pub(super) fn end_streams(&self, ending: StreamEnd) {
        self.0.endings.send_replace(ending);
    }

    /// What became of the streams until now, and every change of it.
    pub fn streams(&self) -> watch::Receiver<StreamCounts> {
        self.0.streams.subscribe()
    }

    /// From now on, events name another schema, whose text that is; they are encoded as before.
    pub fn say_schema(&self, text: &str) {
        self.with_state(|state, _| state.bus.say_schema(text));
    }

    /// Which schema events have from now on.
    pub fn schema_id(&self) -> String {
        self.lock().bus.schema_id()
    }
}

struct EmulatorPubSub(Emulator);

#[tonic::async_trait]
impl PubSub for EmulatorPubSub {
    type SubscribeStream = ReceiverStream<Result<FetchResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<FetchRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        self.check(request.metadata())?;
        if self.0.with_state(|state, _| state.streams.refuses()) {
            return Err(unavailable("subscriptions are refused for now"));
        }
        let (responses, stream) = mpsc::channel(RESPONSES_WAITING);
        tokio::spawn(stream::run(self.0.clone(), request.into_inner(), responses));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_schema(&self, request: Request<SchemaRequest>) -> Result<Response<SchemaInfo>, Status> {
        self.check(request.metadata())?;
        let schema_id = request.into_inner().schema_id;
        self.0.0.streams.send_modify(|counts| counts.schemas_asked = counts.schemas_asked.saturating_add(1));
        if let Some(status) = self.0.with_state(|state, _| state.streams.refuses_schema()) {
            return Err(refused(Code::from_i32(status), "schema.refused", "schemas are refused for now"));
        }
        let known = self.0.with_state(|state, _| state.bus.schema(&schema_id));
        let schema_json = known.ok_or_else(|| {
            refused(Code::NotFound, "schema.not.found", &format!("there is no schema {schema_id}"))
        })?;
        Ok(Response::new(SchemaInfo { schema_json, schema_id, rpc_id: rpc_id() }))
    }

    async fn get_topic(&self, request: Request<TopicRequest>) -> Result<Response<TopicInfo>, Status> {
        self.check(request.metadata())?;
        let wanted = request.into_inner().topic_name;
        let (settings, schema_id) =
            self.0.with_state(|state, _| (state.salesforce.settings().clone(), state.bus.schema_id()));
        if wanted != settings.events.topic {
            return Err(no_such_topic(&wanted, &settings.events.topic));
        }
        Ok(Response::new(TopicInfo {
            topic_name: wanted,
            tenant_guid: format!("core/prod/{}", settings.org.to_18()),
            can_publish: false,
            can_subscribe: settings.stream.can_subscribe,
            schema_id,
            rpc_id: rpc_id(),
        }))
    }
}

impl EmulatorPubSub {
    /// Token, address and org, on every call.
    fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let value = |name| metadata.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let denied = |text| Err(refused(Code::Unauthenticated, "service.auth.error", text));
        let (known, org) = self.0.with(|salesforce, now| {
            (salesforce.takes_token(now, value("accesstoken")), salesforce.settings().org)
        });
        if !known {
            return denied("the metadata accesstoken has no token that is valid now");
        }
        if OrgId::parse(value("tenantid")).ok() != Some(org) {
            return denied("the metadata tenantid is not the org of the token");
        }
        if !value("instanceurl").contains("://") {
            return denied("the metadata instanceurl is not the org's address");
        }
        Ok(())
    }
}
