//! What surrounds a payload, for whoever reads the payload.

use uuid::Uuid;

use super::Error;
use crate::model::ids::EventId;
use crate::model::time::Timestamp;

/// What surrounds a payload, for whoever reads the payload.
pub(super) struct PayloadContext<'a> {
    /// Where the payload stands, for errors.
    pub(super) field: &'a str,
    /// The payload.
    pub(super) payload: &'a str,
    /// When Salesforce published the event; when it came where it does not say.
    pub(super) created: Timestamp,
    /// `EventUuid`.
    pub(super) uuid: Option<&'a str>,
    /// The event's place in the stream.
    pub(super) replay_id: Option<&'a str>,
}

impl PayloadContext<'_> {
    /// A name for what has no id of its own: `EventUuid`, else the replay id, else one that is derived
    /// from the payload, so that the same event has the same name when it comes again.
    pub(super) fn fallback_id(&self) -> Result<EventId, Error> {
        let named = self.uuid.and_then(|id| EventId::parse(id).ok());
        let placed = || self.replay_id.and_then(|id| EventId::parse(id).ok());
        if let Some(id) = named.or_else(placed) {
            return Ok(id);
        }
        let derived = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.payload.as_bytes());
        EventId::parse(&derived.to_string())
            .map_err(|source| Error::Id { field: self.field.to_owned(), source })
    }

    /// An error inside the payload.
    pub(super) fn json_error(&self, error: &serde_json::Error) -> Error {
        Error::json(self.field, self.payload, error)
    }

    /// A path inside the payload.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}.{path}", self.field)
    }
}
