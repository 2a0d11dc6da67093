//! JSON that is kept as it was written.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Slice;

/// A piece of JSON, byte for byte as it stands in the recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Slice);

impl Json {
    /// Any value as JSON.
    ///
    /// # Errors
    /// Where the value cannot be written as JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(text.into()))
    }

    /// From text that is JSON already.
    ///
    /// # Errors
    /// Where it is not.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text).map(Self::from)
    }

    /// From text that has been read as JSON already.
    pub(super) fn checked(text: Slice) -> Self {
        Self(text)
    }

    /// The text.
    pub fn get(&self) -> &str {
        &self.0
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.get().into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}
