//! Counts what panicked in a channel, sets aside what does so every time, and says so on the board of notices.
//!
//! Must never know what an event asks for, and decides nothing about a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::connector::{Delivery, PanicLog, Work};
use crate::events::quarantine::PANICS;
use crate::events::source::ReplayId;
use crate::model::time::Timestamp;
use crate::notices::{Notice, Subject};
use crate::store::{Cause, ChannelKey};

use super::shared::Shared;

/// The panics of one channel, however often it is started.
pub(super) struct Panics {
    key: ChannelKey,
    shared: Arc<Shared>,
    counted: AtomicU64,
    set_aside: AtomicU64,
}

/// Something that was set aside, as it stands in the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SetAside<'a> {
    /// When, in RFC 3339.
    #[serde(serialize_with = "crate::model::time::as_text")]
    at: Timestamp,
    /// Always `set-aside`, as for what could not be read.
    source: &'static str,
    org: String,
    channel: &'a str,
    /// What it was: an event by its id, a request, or something that the partner is told.
    work: String,
    /// The topic of an event, and its place there; none where it came by HTTP, or is none.
    topic: Option<String>,
    replay_id: Option<String>,
    /// What an event said, as it was understood.
    said: Option<String>,
    why: String,
}

impl Panics {
    pub(super) fn new(key: ChannelKey, shared: Arc<Shared>) -> Self {
        Self { key, shared, counted: AtomicU64::new(0), set_aside: AtomicU64::new(0) }
    }

    fn name(&self, work: &Work) -> String {
        format!("{} {} {work}", self.key.org, self.key.channel)
    }

    fn why(&self, work: &Work) -> Option<String> {
        self.shared.aside.panics_always(|| self.name(work))
    }

    fn keep(&self, work: &Work, delivery: Option<&Delivery>, why: &str) {
        let position = delivery.and_then(|delivery| delivery.position.as_ref());
        self.set_aside.fetch_add(1, Ordering::Relaxed);
        tracing::error!(org = %self.key.org, channel = &*self.key.channel, %work, why, "set aside");
        self.shared.aside.keep(&SetAside {
            at: self.shared.clock.now(),
            source: "set-aside",
            org: self.key.org.to_string(),
            channel: &self.key.channel,
            work: work.to_string(),
            topic: position.map(|position| position.topic().to_owned()),
            replay_id: position.map(|position| ReplayId::new(position.replay_id()).to_string()),
            said: delivery.map(|delivery| format!("{:?}", delivery.events)),
            why: format!("panicked {PANICS} times: {why}"),
        });
    }

    fn notice(&self, work: &Work, why: &str) {
        let (panics, aside) = (self.counted.load(Ordering::Relaxed), self.set_aside.load(Ordering::Relaxed));
        self.shared.notices.raise(Notice {
            subject: Subject::of_channel("panics", self.key.org, &self.key.channel),
            since: Some(self.shared.clock.now()),
            problem: format!(
                "panics since the start: {panics}; set aside because they panicked {PANICS} times: {aside}; \
                 the last one: {work}: {why}"
            ),
            hint: Some(
                "a panic is a bug: report it with the log around it; what was set aside is kept beside the store, in \
                 the file ending in -set-aside.jsonl, and what it asked for was not done"
                    .to_owned(),
            ),
        });
    }
}

impl PanicLog for Panics {
    fn panicked(&self, work: &Work, why: &str) -> bool {
        let (org, channel) = (self.key.org, &*self.key.channel);
        let count = self.shared.aside.panicked(&self.name(work), why);
        self.counted.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%org, channel, %work, count, why, "panic");
        metrics::counter!("byoc_panics_total", "org" => org.to_string(), "channel" => channel.to_owned())
            .increment(1);
        // An event is kept when it comes the next time, with what it says.
        if count == PANICS && !matches!(work, Work::Event(_)) {
            self.keep(work, None, why);
        }
        self.notice(work, why);
        count >= PANICS
    }

    fn is_set_aside(&self, cause: &Cause) -> bool {
        self.why(&Work::Event(cause.clone())).is_some()
    }

    fn set_aside(&self, delivery: &Delivery) {
        let Some(cause) = &delivery.cause else { return };
        let work = Work::Event(cause.clone());
        if let Some(why) = self.why(&work) {
            self.keep(&work, Some(delivery), &why);
            self.notice(&work, &why);
        }
    }
}
