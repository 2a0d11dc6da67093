//! The partner's people and places: reps, queues, flows and outside contacts, as configuration and
//! the `config` line of a recording spell them.
//!
//! A roster is data. Who is chosen from it is `routing`'s and the rep finder's business; what a rep
//! sees of it is `contacts`'.

use serde::{Deserialize, Deserializer, Serialize};

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

impl Roster {
    /// Whether nobody and nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.reps.is_empty() && self.queues.is_empty() && self.flows.is_empty() && self.contacts.is_empty()
    }
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
    #[serde(default = "available", alias = "presence", deserialize_with = "presence")]
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
    /// A rep of whom nothing is known: available, with room, in no queue, without skills.
    pub fn named(id: RepId) -> Self {
        Self {
            id,
            name: String::new(),
            availability: available(),
            messaging: yes(),
            capacity: ten(),
            capacity_used: 0.0,
            queues: Vec::new(),
            skills: Vec::new(),
            script: Script::default(),
        }
    }

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
    /// The reps who serve it, beside those who name it themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reps: Vec<RepId>,
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
    #[serde(default, alias = "userId")]
    pub rep: Option<RepId>,
    /// The queue that it answers with; only the emulator asks.
    #[serde(default, alias = "queueId")]
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

impl Roster {
    /// Whether the rep serves the queue, whichever of the two says so.
    pub fn serves(&self, rep: &Rep, queue: QueueId) -> bool {
        rep.queues.contains(&queue)
            || self.queues.iter().any(|known| known.id == queue && known.reps.contains(&rep.id))
    }
}

/// Reads a presence in any case, and the words that orgs use for the three that matter.
fn presence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Availability, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.to_ascii_uppercase().as_str() {
        "AVAILABLE" | "ONLINE" => Ok(Availability::Available),
        "BUSY" | "AWAY" => Ok(Availability::Busy),
        "OFFLINE" => Ok(Availability::Offline),
        _ => {
            let wanted = &["AVAILABLE", "BUSY", "OFFLINE"];
            Err(serde::de::Error::unknown_variant(&text, wanted))
        }
    }
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
