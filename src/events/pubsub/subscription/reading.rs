//! Reading received events: each becomes JSON, or is set aside with the reason.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Reader, nothing};
use crate::events::pubsub::avro::Unreadable;
use crate::events::pubsub::schemas::Known;
use crate::events::quarantine::{DEATHS, Quarantined};
use crate::events::source::{ReceivedEvent, ReplayId, StreamItem};
use crate::proto::{ConsumerEvent, ProducerEvent};

impl Reader {
    /// Reads events of one schema, and remembers meanwhile that it does.
    pub(super) fn read_events(&self, events: Vec<ConsumerEvent>, schema: &Known) -> Vec<StreamItem> {
        if self.aside.is_wary() {
            let one_by_one = events.into_iter().map(|event| self.read_marked(vec![event], schema));
            return one_by_one.flatten().collect();
        }
        self.read_marked(events, schema)
    }

    fn read_marked(&self, events: Vec<ConsumerEvent>, schema: &Known) -> Vec<StreamItem> {
        let org = self.pubsub.settings().org;
        let name = |event: &ConsumerEvent| {
            format!("{org} {} {}", self.topic, ReplayId::new(event.replay_id.as_slice()))
        };
        let names: Vec<String> = events.iter().map(name).filter(|name| !self.aside.is_deadly(name)).collect();
        self.aside.reading(&names, || {
            let read = |event: ConsumerEvent| {
                let read = match &**schema {
                    _ if self.aside.is_deadly(&name(&event)) => {
                        Err(Unreadable(format!("the process crashed {DEATHS} times while reading it")))
                    }
                    Ok(schema) => {
                        let inner = event.event.as_ref();
                        inner
                            .map_or_else(|| Err(nothing()), |event| schema.to_json(&event.payload, &event.id))
                    }
                    Err(error) => Err(error.clone()),
                };
                read.map_or_else(|error| self.set_aside(&event, &error), |json| self.arrived(&event, json))
            };
            events.into_iter().map(read).collect()
        })
    }

    fn arrived(&self, event: &ConsumerEvent, json: String) -> StreamItem {
        let replay_id = ReplayId::new(event.replay_id.as_slice());
        let received = self.pubsub.clock().now();
        StreamItem::Event(ReceivedEvent { topic: Arc::clone(&self.topic), replay_id, json, received })
    }

    /// Gives an event up: it is logged as an error and kept in the quarantine.
    fn set_aside(&self, event: &ConsumerEvent, why: &Unreadable) -> StreamItem {
        let (topic, replay_id) = (Arc::clone(&self.topic), ReplayId::new(event.replay_id.as_slice()));
        let reason = why.to_string();
        tracing::error!(%topic, %replay_id, reason, "unreadable event set aside");
        let nothing = ProducerEvent::default();
        let inner = event.event.as_ref().unwrap_or(&nothing);
        self.aside.keep(&Quarantined {
            at: self.pubsub.clock().now(),
            source: "set-aside",
            org: self.pubsub.settings().org.to_string(),
            topic: &topic,
            replay_id: replay_id.to_string(),
            event_id: &inner.id,
            schema_id: &inner.schema_id,
            payload: STANDARD.encode(&inner.payload),
            why: &reason,
        });
        self.health.set_aside(reason.clone());
        StreamItem::Unreadable { topic, replay_id, reason }
    }
}
