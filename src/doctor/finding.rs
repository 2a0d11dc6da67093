//! What the doctor looks at, and what it finds.

use serde::Serialize;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Whether this machine's clock is correct.
    Clock,
    /// Whether Salesforce gives a token.
    Token,
    /// What the channel definition says.
    Channel,
    /// Whether the Interaction Service takes calls.
    Calls,
    /// Whether the Pub/Sub API has the channel's events.
    Events,
    /// Whether the user may take offers back.
    Rights,
    /// Whether the org has our queues.
    Queues,
    /// Whether the org has our reps.
    Reps,
    /// Whether the store can be written.
    Store,
    /// Whether there is room on the store's disk.
    Disk,
    /// Whether the server's address is free, or a connector serves there already.
    Listen,
    /// Whether those who may show the connector page in a frame are the right ones.
    Origins,
    /// Whether the identity provider's keys can be had.
    Keys,
    /// Whether the partner's webhooks take what they are sent.
    Webhooks,
    /// What is legal in the configuration, and cannot work.
    Configuration,
}

/// What was found in one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Where in the configuration: `org`, `orgs[2]`, `org, Acme_Messaging`.
    pub place: String,
    /// What was looked at.
    pub step: Step,
    /// Whether it is as it should be, as far as that can be told from here.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do about it, where it is not; where it is `ok`, what somebody should look at by hand.
    pub advice: Option<String>,
}

impl Step {
    /// Its name, as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Token => "token",
            Self::Channel => "channel",
            Self::Calls => "calls",
            Self::Events => "events",
            Self::Rights => "rights",
            Self::Queues => "queues",
            Self::Reps => "reps",
            Self::Store => "store",
            Self::Disk => "disk",
            Self::Listen => "listen",
            Self::Origins => "origins",
            Self::Keys => "keys",
            Self::Webhooks => "webhooks",
            Self::Configuration => "configuration",
        }
    }
}

impl Finding {
    /// All is well.
    pub fn fine(place: &str, step: Step, found: impl Into<String>) -> Self {
        Self { place: place.to_owned(), step, ok: true, found: found.into(), advice: None }
    }

    /// It cannot be told from here whether all is well: somebody should look.
    pub fn look(place: &str, step: Step, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { place: place.to_owned(), step, ok: true, found: found.into(), advice }
    }

    /// Something is not.
    pub fn problem(place: &str, step: Step, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { place: place.to_owned(), step, ok: false, found: found.into(), advice }
    }
}
