//! Whether the service can do its work, part by part.

use serde::Serialize;

use super::running::Running;
use super::tokens::Watched;
use crate::model::ids::OrgId;
use crate::model::time::{self, Timestamp};
use crate::notices::Notice;
use crate::store::Health;

/// A part that must be fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Events come in.
    Stream,
    /// What is decided becomes durable.
    Store,
    /// Salesforce lets us in.
    Token,
}

/// How one part is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Which.
    pub what: Part,
    /// Whose: the org; none for the store, which all share.
    pub org: Option<OrgId>,
    /// Whose: the channel, for a stream.
    pub channel: Option<String>,
    /// Whether it is fine.
    pub ok: bool,
    /// Since when it is as it is, where that is known.
    #[serde(serialize_with = "time::as_text_or_null")]
    pub since: Option<Timestamp>,
    /// What is wrong, in words.
    pub problem: Option<String>,
}

/// How all of it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether every part is fine.
    pub ready: bool,
    /// The parts.
    pub checks: Vec<Check>,
    /// What somebody should look at although the service works.
    pub notices: Vec<Notice>,
}

pub(super) fn of(
    channels: &[Running],
    orgs: &[(OrgId, Watched)],
    store: &Health,
    notices: Vec<Notice>,
) -> Readiness {
    let mut checks = vec![Check {
        what: Part::Store,
        org: None,
        channel: None,
        ok: store.failing.is_none(),
        since: store.failing_since,
        problem: store.failing.as_ref().map(ToString::to_string),
    }];
    for (org, tokens) in orgs {
        let problem = tokens.problem();
        checks.push(Check {
            what: Part::Token,
            org: Some(*org),
            channel: None,
            ok: problem.is_none(),
            since: problem.as_ref().and_then(|(_, since)| *since),
            problem: problem.map(|(problem, _)| problem),
        });
    }
    for running in channels.iter().filter(|running| running.is_ours()) {
        let stream = running.stream();
        checks.push(Check {
            what: Part::Stream,
            org: Some(running.key().org),
            channel: Some(running.key().channel.to_string()),
            ok: stream.connected,
            since: stream.since,
            problem: (!stream.connected)
                .then(|| stream.problem.unwrap_or_else(|| "it has not been connected yet".to_owned())),
        });
    }
    Readiness { ready: checks.iter().all(|check| check.ok), checks, notices }
}
