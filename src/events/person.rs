//! Somebody, as Salesforce's payloads write them.

use serde::Deserialize;

use super::json::Text;
use super::mend::ExpectedType;
use crate::model::event::Participant;
use crate::model::ids::{RepId, Subject};
use crate::model::words::ParticipantRole;

/// Somebody, as Salesforce's payloads write them.
#[derive(Deserialize)]
pub(super) struct Person<'a> {
    #[serde(borrow, default)]
    subject: Option<Text<'a>>,
    #[serde(borrow, default)]
    role: Option<Text<'a>>,
}

impl Person<'_> {
    /// Them as a participant; `None` where their role is not known here or they have no name.
    pub(super) fn participant(&self) -> Option<Participant> {
        let role = ParticipantRole::from_name(self.role.as_deref()?)?;
        let subject = self.subject.as_deref()?;
        let rep = (role == ParticipantRole::Agent).then(|| RepId::parse(subject).ok()).flatten();
        match rep {
            Some(rep) => Participant::rep(rep),
            None => Some(Participant { role, subject: Subject::parse(subject).ok()? }),
        }
    }

    pub(super) fn rep(&self) -> Option<RepId> {
        RepId::parse(self.subject.as_deref()?).ok()
    }
}

/// Somebody's fields, as they should be.
pub(super) const PERSON: ExpectedType =
    ExpectedType::Object(&[("subject", ExpectedType::Text), ("role", ExpectedType::Text)]);
