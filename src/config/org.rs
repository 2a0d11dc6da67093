//! One org, and how to log in to it.
//!
//! Elsewhere: how an org is read and checked in `orgs`.

use secrecy::SecretString;

use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::OrgId;
use crate::model::roster::Roster;
use crate::org::ReadLimits;

/// One org, and how to log in to it.
#[derive(Debug, Clone)]
pub struct Org {
    /// Where in the file it stands: `org`, or `orgs[2]`.
    pub place: String,
    /// Its id.
    pub id: OrgId,
    /// Its own address, e.g. `https://acme.my.salesforce.com`.
    pub instance_url: String,
    /// Its Interaction Service, e.g. `https://acme.my.salesforce-scrt.com`.
    pub interaction_url: String,
    /// The Pub/Sub API; Salesforce's own where not set.
    pub pubsub_endpoint: Option<String>,
    /// The consumer key of the External Client App, or of the connected app (`iss`).
    pub consumer_key: String,
    /// The integration user (`sub`).
    pub username: String,
    /// The org's My Domain for an External Client App; else `https://login.salesforce.com`, which counts where it is
    /// not set, or for a sandbox `https://test.salesforce.com`.
    pub audience: Option<String>,
    /// Where tokens are asked for, where that is not at the audience.
    pub token_url: Option<String>,
    /// The RSA key in PEM whose certificate the app has.
    pub private_key: SecretString,
    /// Whether a stream of which nothing was read yet begins with the oldest event that is kept, and not with
    /// what is published from now on.
    pub from_earliest: bool,
    /// How much may be read of what is set up in it.
    pub reads: ReadLimits,
    /// Its partner channels, at least one.
    pub channels: Vec<ChannelDefinition>,
    /// Its people.
    pub roster: Roster,
}
