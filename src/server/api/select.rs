//! Which channel is meant, and how many things to list.

use axum::http::StatusCode;
use serde::Deserialize;

use crate::model::ids::OrgId;
use crate::server::Server;
use crate::server::refused::Refused;
use crate::service::{NoChannel, RunningChannel, Service};
use crate::store::ChannelKey;

/// How many things are listed at most.
pub(super) const MOST: usize = 500;

/// How many things to list: what was asked for, else as many as usual.
pub(super) fn limit(asked: Option<usize>, usual: usize) -> Result<usize, Refused> {
    let limit = asked.unwrap_or(usual);
    if !(1..=MOST).contains(&limit) {
        let error = format!("limit {limit} is out of range");
        return Err(Refused::bad_request(error, format!("1 to {MOST}")).field("limit"));
    }
    Ok(limit)
}

/// Which channel is meant, where there are several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct ChannelSelector {
    #[serde(default)]
    pub(in crate::server) org: Option<OrgId>,
    #[serde(default)]
    pub(in crate::server) channel: Option<String>,
}

impl ChannelSelector {
    pub(in crate::server) fn is_of(&self, key: &ChannelKey) -> bool {
        self.org.is_none_or(|org| org == key.org)
            && self.channel.as_deref().is_none_or(|channel| channel == &*key.channel)
    }

    /// The one channel that is meant.
    pub(super) fn find(&self, server: &Server) -> Result<RunningChannel, Refused> {
        let found = server.service().find(self.org.as_ref(), self.channel.as_deref());
        found.map_err(|error| self.no_channel(server.service(), &error))
    }

    /// The one channel that is meant, among those that are allowed.
    pub(super) fn find_among(
        &self,
        server: &Server,
        allowed: impl Fn(&ChannelKey) -> bool,
    ) -> Result<RunningChannel, Refused> {
        let channels = server.service().channels();
        let mut fitting =
            channels.iter().filter(|running| self.is_of(running.key()) && allowed(running.key()));
        let error = match (fitting.next(), fitting.count()) {
            (Some(only), 0) => return Ok(only.clone()),
            (Some(_), others) => NoChannel::Several(others.saturating_add(1)),
            (None, _) => NoChannel::Unknown {
                org: self.org.map_or_else(|| "any".to_owned(), |org| org.to_string()),
                channel: self.channel.clone().unwrap_or_else(|| "any".to_owned()),
            },
        };
        Err(self.no_channel(server.service(), &error))
    }

    /// Every channel that is meant: all of them where nothing is said.
    pub(super) fn find_all(&self, server: &Server) -> Result<Vec<RunningChannel>, Refused> {
        let channels = server.service().channels();
        let meant: Vec<_> = channels.iter().filter(|running| self.is_of(running.key())).cloned().collect();
        if meant.is_empty() && (self.org.is_some() || self.channel.is_some()) {
            // Whoever looks for one says best why there is none.
            self.find(server)?;
        }
        Ok(meant)
    }

    fn no_channel(&self, service: &Service, error: &NoChannel) -> Refused {
        let channels = service.channels();
        let orgs = || channels.iter().map(|running| running.key().org);
        let status = match error {
            NoChannel::Unknown { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let field = match self.org {
            Some(org) if !orgs().any(|known| known == org) => "org",
            None if self.channel.is_none() && orgs().any(|org| Some(org) != orgs().next()) => "org",
            _ => "channel",
        };
        let hint = "?org=00D...&channel=<developer name of the channel definition>";
        Refused::new(status, error.to_string(), hint).field(field)
    }
}
