//! A line of the emulator's books, as a person reads it.

use std::collections::BTreeMap;

use crate::cli::output::printable;
use crate::emulator::{Entry, LedgerEvent, Operation, Salesforce};
use crate::model::event::Participant;
use crate::model::ids::RepId;

/// The reps' names.
pub(super) struct Names(BTreeMap<RepId, String>);

impl Names {
    pub(super) fn of(salesforce: &Salesforce) -> Self {
        let named = salesforce.reps().map(|rep| (rep.id, printable(&rep.name).into_owned()));
        Self(named.collect())
    }

    fn of_rep(&self, rep: RepId) -> String {
        self.0.get(&rep).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| rep.to_string())
    }

    fn of_participant(&self, participant: &Participant) -> String {
        match participant.as_rep() {
            Some(rep) => self.of_rep(rep),
            None => "the customer".to_owned(),
        }
    }
}

/// None where it says nothing that another line does not say.
pub(super) fn line_of(entry: &Entry, names: &Names) -> Option<String> {
    let text = match &entry.what {
        LedgerEvent::RequestPublished { .. } => "Salesforce   RoutingRequested".to_owned(),
        LedgerEvent::Call { operation, status, code, .. } => {
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            format!("connector    {} → {status}{code}", call(*operation))
        }
        LedgerEvent::OfferChanged { rep, change, .. } => {
            format!("Salesforce   {} for {}", change.as_str(), names.of_rep(*rep))
        }
        LedgerEvent::ParticipantJoined { participant, count, .. } => {
            format!("Salesforce   {} joins, {count} in the conversation", names.of_participant(participant))
        }
        LedgerEvent::ParticipantLeft { participant, count, .. } => {
            format!("Salesforce   {} leaves, {count} in the conversation", names.of_participant(participant))
        }
        _ => return None,
    };
    Some(text)
}

fn call(operation: Option<Operation>) -> String {
    match operation {
        Some(operation) => format!("{} /{}", operation.method(), operation.resource()),
        None => "unknown call".to_owned(),
    }
}
