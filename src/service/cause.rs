//! What names a platform event, so that the same one twice is one.

use serde::Deserialize;
use uuid::Uuid;

use crate::store::{self, Cause};

/// Names a platform event by its own id, and where it has none by what it says: it comes under another replay
/// id where the org has moved, and under none by HTTP, and is the same event all the same.
pub(super) fn cause_of(json: &str) -> Result<Cause, store::Error> {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d65_7665_8e74_2d62_6f64_7931);
    let own = serde_json::from_str::<Named>(json).ok().and_then(|named| named.id);
    let id = own.unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, json.as_bytes()));
    Cause::named(&format!("event {id}"))
}

/// The id that a platform event has, whatever else it says.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "EventUuid")]
    id: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_its_own_id_or_by_what_it_says() {
        let cause = |json: &str| cause_of(json).unwrap();
        let id = "d1f4a5ce-0a8c-4b5b-8f0f-0c5d1f2e3a4b";
        let named = |more: &str| format!(r#"{{"EventUuid": "{id}"{more}}}"#);
        assert_eq!(cause(&named("")), cause(&named(r#", "x": 1"#)), "its own id is enough");
        assert_ne!(cause(&named("")), cause(r#"{"EventUuid": "d1f4a5ce-0a8c-4b5b-8f0f-0c5d1f2e3a4c"}"#));
        assert_eq!(cause(r#"{"x": 1}"#), cause(r#"{"x": 1}"#));
        assert_ne!(cause(r#"{"x": 1}"#), cause(r#"{"x": 2}"#));
        assert_ne!(cause(r#"{"EventUuid": null, "x": 1}"#), cause(r#"{"EventUuid": null, "x": 2}"#));
    }
}
