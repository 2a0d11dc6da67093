//! What can be said of a rep while the connector runs, and what cannot be.

use serde::{Deserialize, Serialize};

use crate::model::ids::{QueueId, RepId};
use crate::model::roster::{Rep, Skill};
use crate::model::words::Availability;

/// How many reps there may be.
pub const MAX_REPS: usize = 1_000_000;

/// How many characters a name may have.
const MAX_NAME: usize = 255;

/// How many queues, and how many skills, a rep may have.
const MAX_EACH: usize = 1_000;

/// How much capacity a rep may have, in capacity units.
const MAX_CAPACITY: f64 = 1_000_000.0;

/// What is new about a rep. What is left out stays as it is; what is given replaces what was there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RepChange {
    /// Their presence: `AVAILABLE`, `BUSY` (online, full) or `OFFLINE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Whether they are online with a Messaging presence status and hold the messaging permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messaging: Option<bool>,
    /// How much work they can take at once, in capacity units, 0 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// How much of it is taken, in the same units and bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_used: Option<f64>,
    /// The queues that they serve, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<QueueId>>,
    /// The skills that they have, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<Skill>>,
    /// Their name, as other reps see it, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that cannot be.
    #[error("{field} {problem}; it must be {wanted}")]
    Value {
        /// Which field of [`RepChange`], as JSON spells it.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A rep who is not there is added only when it is said whether they are online.
    #[error("unknown rep {rep}; to add a rep, set availability")]
    NotThere {
        /// Who.
        rep: RepId,
    },
    /// There is no room for another rep.
    #[error("limit of {MAX_REPS} reps reached; remove reps who have left")]
    Full,
}

impl Error {
    /// The field that it is about, as JSON spells it.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Value { field, .. } => Some(field),
            Self::NotThere { .. } => Some("availability"),
            Self::Full => None,
        }
    }
}

impl RepChange {
    /// That they are available, busy or offline from now on.
    pub fn to(availability: Availability) -> Self {
        Self { availability: Some(availability), ..Self::default() }
    }

    /// Whether every value can be.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (field, units) in [("capacity", self.capacity), ("capacityUsed", self.capacity_used)] {
            if let Some(units) = units.filter(|units| !(0.0..=MAX_CAPACITY).contains(units)) {
                let wanted = "a number of capacity units, 0 to 1000000";
                return Err(Error::Value { field, problem: format!("is {units}"), wanted });
            }
        }
        let queues = self.queues.as_ref().map_or(0, Vec::len);
        let skills = self.skills.as_ref().map_or(0, Vec::len);
        for (field, count) in [("queues", queues), ("skills", skills)] {
            if count > MAX_EACH {
                let problem = format!("has {count} entries");
                return Err(Error::Value { field, problem, wanted: "a list of at most 1000" });
            }
        }
        let name = self.name.as_deref().unwrap_or_default();
        let problem = if name.chars().count() > MAX_NAME {
            format!("has {} characters", name.chars().count())
        } else if name.chars().any(char::is_control) {
            "has control characters".to_owned()
        } else {
            return Ok(());
        };
        let wanted = "a name of at most 255 characters, none of them a control character";
        Err(Error::Value { field: "name", problem, wanted })
    }

    /// Makes a rep what this says.
    pub(super) fn apply(self, rep: &mut Rep) {
        let Self { availability, messaging, capacity, capacity_used, queues, skills, name } = self;
        replace(&mut rep.availability, availability);
        replace(&mut rep.messaging, messaging);
        replace(&mut rep.capacity, capacity);
        replace(&mut rep.capacity_used, capacity_used);
        replace(&mut rep.queues, queues);
        replace(&mut rep.skills, skills);
        replace(&mut rep.name, name);
    }
}

fn replace<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}
