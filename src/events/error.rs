//! What can be wrong with an event, and where.

/// An event that cannot be read. The field is a path such as `Payload__c.payload.routingParameters.userId`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not JSON, cut off, or of another type than it should be.
    #[error("{field}: {what}")]
    Malformed {
        /// Where.
        field: String,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A field that must be there is not.
    #[error("{field} is missing: {why}")]
    Missing {
        /// Where.
        field: String,
        /// What it is needed for.
        why: &'static str,
    },
    /// An id that is not the id it should be.
    #[error("{field}: {source}")]
    Id {
        /// Where.
        field: String,
        /// What is wrong with it.
        #[source]
        source: crate::model::ids::Error,
    },
}

impl Error {
    /// A JSON error inside `text`, which stands at `within`.
    pub(crate) fn json(within: &str, text: &str, error: &serde_json::Error) -> Self {
        let found = super::json::locate(within, text, error);
        Self::Malformed { field: found.path, what: found.what }
    }
}
