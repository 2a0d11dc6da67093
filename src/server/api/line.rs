//! A routing request as it is listed.

use serde::Serialize;

use crate::model::ids::OrgId;
use crate::routing::RequestView;
use crate::service::EndedView;
use crate::store::ChannelKey;

/// A routing request in a list, and where it is.
#[derive(Serialize)]
pub(in crate::server) struct RequestLine {
    org: OrgId,
    channel: String,
    #[serde(flatten)]
    request: State,
}

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum State {
    Open(Box<RequestView>),
    Ended(Box<EndedView>),
}

impl RequestLine {
    pub(super) fn open(key: &ChannelKey, request: RequestView) -> Self {
        Self { org: key.org, channel: key.channel.to_string(), request: State::Open(Box::new(request)) }
    }

    pub(in crate::server) fn ended(key: &ChannelKey, request: EndedView) -> Self {
        Self { org: key.org, channel: key.channel.to_string(), request: State::Ended(Box::new(request)) }
    }
}
