//! What has to be right in a rep, a queue, a flow and a contact beyond the types of its values.

use crate::model::roster::{Flow, OutsideContact, Queue, Rep};

use super::document::Entry;

impl Entry for Rep {
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        [("capacity", self.capacity), ("capacityUsed", self.capacity_used)]
            .into_iter()
            .filter(|(_, units)| !(units.is_finite() && *units >= 0.0))
            .map(|(key, units)| {
                (key, format!("{units} is not a valid capacity; it must be a number, 0 or more"))
            })
            .collect()
    }
}

impl Entry for Queue {
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
}

impl Entry for Flow {
    fn id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }
}

impl Entry for OutsideContact {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let blank = self.id.trim().is_empty();
        let problem = "it is empty; it must be your own id for the contact".to_owned();
        blank.then_some(("id", problem)).into_iter().collect()
    }
}
