//! Lists over several channels.

use serde::{Deserialize, Serialize};

use crate::model::ids::OrgId;
use crate::routing::RequestView;
use crate::service::EndedView;
use crate::store::ChannelKey;

/// Which channels to list, and how much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct ListQuery {
    #[serde(default)]
    pub(super) org: Option<OrgId>,
    #[serde(default)]
    pub(super) channel: Option<String>,
    #[serde(default)]
    pub(super) limit: Option<usize>,
}

/// Something in a list, and its channel.
#[derive(Serialize)]
pub(in crate::server) struct OfChannel<T> {
    org: OrgId,
    channel: String,
    #[serde(flatten)]
    pub(super) what: T,
}

impl<T> OfChannel<T> {
    pub(super) fn new(key: &ChannelKey, what: T) -> Self {
        Self { org: key.org, channel: key.channel.to_string(), what }
    }

    pub(super) fn map<U>(self, change: fn(T) -> U) -> OfChannel<U> {
        OfChannel { org: self.org, channel: self.channel, what: change(self.what) }
    }

    /// A line for each.
    pub(super) fn each(key: &ChannelKey, all: Vec<T>) -> impl Iterator<Item = Self> {
        all.into_iter().map(|what| Self::new(key, what))
    }
}

/// Keeps the first `limit`; whether there were more.
pub(super) fn cut<T>(lines: &mut Vec<T>, limit: usize) -> bool {
    let more = lines.len() > limit;
    lines.truncate(limit);
    more
}

/// A routing request in a list.
pub(in crate::server) type RequestLine = OfChannel<RequestAs>;

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(in crate::server) enum RequestAs {
    Open(Box<RequestView>),
    Ended(Box<EndedView>),
}

impl RequestAs {
    pub(super) fn open(view: RequestView) -> Self {
        Self::Open(Box::new(view))
    }

    pub(super) fn ended(view: EndedView) -> Self {
        Self::Ended(Box::new(view))
    }
}

impl RequestLine {
    pub(in crate::server) fn ended(key: &ChannelKey, view: EndedView) -> Self {
        Self::new(key, RequestAs::ended(view))
    }
}
