//! Decoding one event after the other, learning the field names on the way.

use serde::de::IgnoredAny;

use super::envelope::{Envelope, decode, open};
use super::{Decoded, Error, FieldNames, Ignored};
use crate::model::time::Timestamp;

/// Decodes the events of one channel.
///
/// The field names are the channel definition's. Where it is not known, or an event does not have the
/// fields that it names, they are [detected](FieldNames::detect) in the event and then remembered.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    names: Option<FieldNames>,
}

impl Decoder {
    /// With the names that are known; `None` detects them.
    pub fn new(names: Option<FieldNames>) -> Self {
        Self { names }
    }

    /// Takes the names from a channel definition's JSON, where it has them.
    pub fn learn(&mut self, definition: &str) {
        if let Some(names) = FieldNames::of_definition(definition) {
            self.names = Some(names);
        }
    }

    /// The names, once they are known.
    pub(crate) fn names(&self) -> Option<&FieldNames> {
        self.names.as_ref()
    }

    /// Reads an envelope that was made with [`Self::names`].
    pub(crate) fn open(
        &self,
        envelope: Envelope<'_>,
        received: Timestamp,
        replay_id: Option<&str>,
    ) -> Result<Decoded, Error> {
        match &self.names {
            Some(names) => open(names, envelope, received, replay_id),
            None => Ok(Decoded::passed(Ignored::NotOfThisChannel)),
        }
    }

    /// Reads one platform event, as [`decode`] does.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn decode(
        &mut self,
        event: &str,
        received: Timestamp,
        replay_id: Option<&str>,
    ) -> Result<Decoded, Error> {
        if let Some(names) = &self.names {
            let decoded = decode(names, event, received, replay_id)?;
            if decoded.ignored != Some(Ignored::NotOfThisChannel) {
                return Ok(decoded);
            }
        }
        let Some(names) = FieldNames::detect(event) else {
            serde_json::from_str::<IgnoredAny>(event).map_err(|error| Error::json("", event, &error))?;
            return Ok(Decoded::passed(Ignored::NotOfThisChannel));
        };
        let decoded = decode(&names, event, received, replay_id)?;
        self.names = Some(names);
        Ok(decoded)
    }
}
