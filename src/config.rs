//! The configuration: one TOML file, each of its single values also an environment variable.
//!
//! `ring_seconds` in the table `[routing]` is `BYOC_ROUTING_RING_SECONDS`; the variable wins over the
//! file. Lists (reps, queues, flows, contacts) stand in the file alone. Keys are in snake_case; the
//! camelCase of a recording is read as well.
//!
//! Invariants
//! 1. Everything is checked, and all mistakes are told together, each with its key, its line, and what
//!    would be right.
//! 2. A key that is not known is a mistake: it is a misspelled one.

mod document;
mod entries;
mod environment;
mod error;
mod keys;
mod org;
mod orgs;
mod partner_keys;
pub mod server;
mod serving;
mod store;
mod values;
mod warnings;
mod webhooks;

use std::path::Path;

use serde::Deserialize;

pub use document::{Mistake, Source};
pub use environment::{Environment, environment};
pub use error::Error;
pub use org::Org;
pub use serving::Serving;
pub use store::StoreSettings;
pub use warnings::Warning;
#[cfg(feature = "pubsub")]
pub(crate) use warnings::{DECLINES_HINT, DECLINES_NOT_HEARD};

use crate::model::channel_definition::ChannelDefinition;
use crate::model::roster::Roster;
use crate::people;
use crate::routing::Policy;
use document::Document;

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The partner channel's settings.
    pub channel_definition: Option<ChannelDefinition>,
    /// The platform's own limit of participants in a conversation, the end user included. Without it,
    /// and without an override in the channel definition, Salesforce enforces its own.
    pub platform_participant_limit: Option<u32>,
    /// The partner's reps, queues, flows and outside contacts.
    pub roster: Roster,
    /// How requests are routed: rings, deadlines, what an offer costs a rep.
    pub routing: Policy,
    /// How the embedded rep finder chooses.
    pub people: people::Settings,
}

impl Config {
    /// Reads a file. A path in it is relative to the folder that the file is in.
    ///
    /// # Errors
    /// Where the file cannot be read, or with all mistakes in it.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Error> {
        Self::parse(path, &error::text_of(path)?, environment)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// With all mistakes in it.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut document = Document::parse(path, text, environment);
        let config = Self::read(&mut document, path);
        for key in SERVING_KEYS {
            document.pass_over(key);
        }
        let mistakes = document.finish();
        if mistakes.is_empty() { Ok(config) } else { Err(Error::Mistaken { mistakes }) }
    }

    fn read(document: &mut Document<'_>, path: &Path) -> Self {
        Self {
            platform_participant_limit: document
                .value("platform_participant_limit")
                .map(|Limit(limit)| limit),
            channel_definition: channel_definition(document, path),
            roster: Roster {
                reps: document.list("reps"),
                queues: document.list("queues"),
                flows: document.list("flows"),
                contacts: document.list("contacts"),
            },
            routing: document.table("routing", ROUTING_KEYS, Policy::mistakes).unwrap_or_default(),
            people: document.table("people", PEOPLE_KEYS, |_| Vec::new()).unwrap_or_default(),
        }
    }

    /// How many participants a conversation may have, the end user included, where that is known.
    pub fn participant_limit(&self) -> Option<u32> {
        match &self.channel_definition {
            Some(definition) => definition.participant_limit(self.platform_participant_limit),
            None => self.platform_participant_limit,
        }
    }
}

/// A limit of participants: with fewer than two there is no conversation.
struct Limit(u32);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer).map(|limit| (limit, u32::try_from(limit))) {
            Ok((2.., Ok(limit))) => Ok(Self(limit)),
            Ok((limit, _)) => {
                let wanted = "it must be a whole number of participants, 2 or more";
                Err(serde::de::Error::custom(format_args!("{limit} is not a valid limit; {wanted}")))
            }
            Err(error) => Err(error),
        }
    }
}

/// What only [`Serving`] reads.
const SERVING_KEYS: &[&str] = &["org", "orgs", "partner_keys", "server", "store", "webhooks"];

/// The single values of a channel definition that stands in our own file.
const DEFINITION_KEYS: &[&str] = &[
    "developer_name",
    "routing_owner",
    "consent_owner",
    "is_conference_supported",
    "max_participants_for_cnfr_override",
    "custom_platform_event",
    "custom_event_type_field",
    "custom_event_payload_field",
    "event_capabilities_is_routing_work_result_supported",
];

/// The single values of [`Policy`].
const ROUTING_KEYS: &[&str] = &[
    "ring",
    "report",
    "ring_seconds",
    "margin_seconds",
    "search_seconds",
    "route_waiting",
    "transfer_wait_seconds",
    "ring_all_at_most",
    "owed_alert_seconds",
    "capacity_weight",
    "capacity_percentage",
];

/// The single values of [`people::Settings`].
const PEOPLE_KEYS: &[&str] = &["choice"];

/// The channel definition: a table, or the path of a file that holds it.
fn channel_definition(document: &mut Document<'_>, config: &Path) -> Option<ChannelDefinition> {
    const KEY: &str = "channel_definition";
    let Some(path) = document.text(KEY) else {
        return document.table(KEY, DEFINITION_KEYS, |_| Vec::new());
    };
    let file = config.parent().unwrap_or(Path::new("")).join(&path.value);
    for key in DEFINITION_KEYS {
        document.refuse_variable(KEY, key, "the channel definition is in its own file; set it there");
    }
    match ChannelDefinition::from_file(&file) {
        Ok(definition) => Some(definition),
        Err(error) => {
            document.mistake(path.source, KEY, error);
            None
        }
    }
}

#[cfg(test)]
mod tests;
