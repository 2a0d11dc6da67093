//! The partner's people and places: reps, queues, flows and outside contacts, as configuration and
//! the `config` line of a recording spell them.
//!
//! A roster is data. Who is chosen from it is `routing`'s and the rep finder's business; what a rep
//! sees of it is `contacts`'.

use serde::{Deserialize, Serialize};

use super::ids::{FlowId, QueueId, RepId, SkillId};
use super::words::Availability;

/// Everybody and everything that can be picked or found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Roster {
    /// The reps.
    pub reps: Vec<Rep>,
    /// The queues.
    pub queues: Vec<Queue>,
    /// The flows.
    pub flows: Vec<Flow>,
    /// People outside of Salesforce.
    pub contacts: Vec<OutsideContact>,
}

/// A rep of the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rep {
    /// Their user id.
    #[serde(alias = "userId")]
    pub id: RepId,
    /// Their name, as other reps see it.
    #[serde(default)]
    pub name: String,
    /// Their presence: `AVAILABLE`, `BUSY` (online, full) or `OFFLINE`.
    #[serde(default = "available", alias = "presence")]
    pub availability: Availability,
    /// Whether they are online with a Messaging presence status and hold the messaging permission.
    #[serde(default = "yes")]
    pub messaging: bool,
    /// How much work they can take at once, in capacity units.
    #[serde(default = "ten")]
    pub capacity: f64,
    /// How much of it is taken.
    #[serde(default)]
    pub capacity_used: f64,
    /// The queues that they serve.
    #[serde(default)]
    pub queues: Vec<QueueId>,
    /// The skills that they have.
    #[serde(default)]
    pub skills: Vec<Skill>,
    /// What they do when an offer reaches them; only the emulator and replays against it ask.
    #[serde(default)]
    pub script: Script,
}

impl Rep {
    /// Whether one more offer of the given weight fits into what is left of their capacity.
    pub fn has_room(&self, weight: f64) -> bool {
        self.availability == Availability::Available && self.capacity_used + weight <= self.capacity
    }

    /// Whether they have the skill at the level that is asked for.
    pub fn has_skill(&self, id: &SkillId, level: Option<i32>) -> bool {
        self.skills.iter().any(|skill| {
            skill.id == *id && level.is_none_or(|least| skill.level.is_none_or(|has| has >= least))
        })
    }
}

/// A skill that a rep has: `"0C5…"`, or `{"id": "0C5…", "level": 7}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SkillForm")]
pub struct Skill {
    /// Which.
    pub id: SkillId,
    /// How well; none means well enough for any level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<i32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SkillForm {
    Plain(SkillId),
    Full {
        id: SkillId,
        #[serde(default)]
        level: Option<i32>,
    },
}

impl From<SkillForm> for Skill {
    fn from(form: SkillForm) -> Self {
        match form {
            SkillForm::Plain(id) => Self { id, level: None },
            SkillForm::Full { id, level } => Self { id, level },
        }
    }
}

/// What a scripted rep does with an offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "does")]
pub enum Script {
    /// Waits to be told (a person clicks, or a recording says).
    #[default]
    Wait,
    /// Accepts.
    Accept {
        /// After so many milliseconds.
        #[serde(default, rename = "afterMilliseconds")]
        after_milliseconds: u64,
    },
    /// Declines.
    Decline {
        /// After so many milliseconds.
        #[serde(default, rename = "afterMilliseconds")]
        after_milliseconds: u64,
    },
    /// Lets it ring.
    Ignore,
}

/// A queue of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Its id.
    #[serde(alias = "queueId")]
    pub id: QueueId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The estimated wait, in seconds.
    #[serde(default)]
    pub wait_seconds: Option<u32>,
    /// How many messaging requests were accepted in it in the last 10 minutes.
    #[serde(default)]
    pub accepted_last_10_minutes: u32,
}

/// A flow of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// Its id.
    #[serde(alias = "flowId")]
    pub id: FlowId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The rep that it answers with; only the emulator asks.
    #[serde(default)]
    pub rep: Option<RepId>,
    /// The queue that it answers with; only the emulator asks.
    #[serde(default)]
    pub queue: Option<QueueId>,
}

/// Somebody outside of Salesforce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutsideContact {
    /// The partner's own id for them.
    pub id: String,
    /// Their name.
    #[serde(default)]
    pub name: String,
    /// Their phone number.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// Whatever helps to tell them apart.
    #[serde(default)]
    pub description: Option<String>,
}

fn available() -> Availability {
    Availability::Available
}

fn yes() -> bool {
    true
}

fn ten() -> f64 {
    10.0
}
