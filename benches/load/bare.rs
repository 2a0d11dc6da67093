//! The floor: whoever subscribes and makes one call for each event at once, with no store and no routing.

use std::sync::Arc;

use async_trait::async_trait;
use byoc_connector::events::pubsub::{Credentials, NoToken, PubSub, Settings, Start};
use byoc_connector::events::{Decoder, EventSource as _, FieldNames, StreamItem};
use byoc_connector::interaction::encode;
use byoc_connector::model::call::{Call, Route, RouteBy};
use byoc_connector::model::event::EventKind;
use byoc_connector::model::time::{Clock as _, SystemClock};
use byoc_connector::model::words::RoutingType;
use secrecy::SecretString;
use uuid::Uuid;

use super::org::{Org, queue};

struct AnyToken;

#[async_trait]
impl Credentials for AnyToken {
    async fn token(&self) -> Result<SecretString, NoToken> {
        Ok("token".into())
    }

    async fn refresh(&self, _rejected: &SecretString) -> Result<SecretString, NoToken> {
        self.token().await
    }
}

/// Answers each routing request of the org with a route call, for as long as its runtime lives. Returns when the
/// stream stands.
pub(crate) async fn begin(org: &Org) {
    let address = format!("http://{}", org.address);
    let events = &org.options.settings.events;
    let settings = Settings { endpoint: address.clone(), ..Settings::new(org.options.settings.org, address) };
    let pubsub = PubSub::new(settings, Arc::new(AnyToken), Arc::new(SystemClock)).expect("settings");
    let mut stream = pubsub.subscribe(&events.topic, Start::Latest);
    let mut decoder = Decoder::new(Some(FieldNames::new(&events.type_field, &events.payload_field)));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}/api/v1/route", org.calls);
    let headers = [
        ("Authorization", "Bearer token".to_owned()),
        ("OrgId", org.options.settings.org.to_string()),
        ("AuthorizationContext", org.options.settings.channel.developer_name.clone()),
    ];
    tokio::spawn(async move {
        while let Ok(delivery) = stream.next().await {
            let StreamItem::Event(arrived) = delivery else { continue };
            let said = decoder.decode(&arrived.json, SystemClock.now(), None).expect("an event");
            for event in said.events {
                let (EventKind::RoutingRequested(_), Some(conversation)) = (event.what, event.conversation)
                else {
                    continue;
                };
                let by = RouteBy::Queue(queue());
                let call = Call::Route(Route { conversation, routing_type: RoutingType::Conference, by });
                let mut post = http.post(&url).header("RequestId", Uuid::new_v4().to_string());
                for (name, value) in &headers {
                    post = post.header(*name, value);
                }
                let post = post.json(&encode(&call).body);
                tokio::spawn(async move { post.send().await?.bytes().await });
            }
        }
    });
    let mut streams = org.emulator.streams();
    streams.wait_for(|counts| counts.open > 0).await.expect("an org");
}
