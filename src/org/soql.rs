//! A question in SOQL. Its words are ours, its values are typed: whatever a caller does, no text from outside gets in.

use uuid::Uuid;

use crate::model::ids::{AgentWorkId, FlowId, QueueId, RepId, WorkItemId};

mod sealed {
    /// Nobody else may say what a value is.
    pub trait Literal {
        fn literal(&self) -> String;
    }
}

use sealed::Literal;

/// What may stand as a value in a question: ids, whose characters were checked when they were made, and words of ours.
pub trait SoqlValue: Literal {}

impl<T: Literal> SoqlValue for T {}

macro_rules! record_values {
    ($($id:ident),*) => {
        $(impl Literal for $id {
            fn literal(&self) -> String {
                self.to_18()
            }
        })*
    };
}

record_values!(RepId, WorkItemId, AgentWorkId, QueueId, FlowId);

/// A conversation's identifier, where it is a UUID. One that is not is never asked for.
impl Literal for Uuid {
    fn literal(&self) -> String {
        self.hyphenated().to_string()
    }
}

/// Where an agent work stands, as Salesforce stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum WorkStatus {
    /// It rings.
    Assigned,
    /// The rep has it open.
    Opened,
}

impl Literal for WorkStatus {
    fn literal(&self) -> String {
        match self {
            Self::Assigned => "Assigned",
            Self::Opened => "Opened",
        }
        .to_owned()
    }
}

/// A question.
///
/// ```
/// use byoc_connector::model::ids::RepId;
/// use byoc_connector::org::Soql;
///
/// let rep = RepId::parse("005D0000001AbcD").unwrap();
/// let asked = Soql::new("SELECT Name FROM User").and("IsActive = true").among("Id", [rep]).at_most(1);
/// assert_eq!(asked.as_str(), "SELECT Name FROM User WHERE IsActive = true AND Id IN ('005D0000001AbcDIAS') LIMIT 1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soql {
    text: String,
    has_condition: bool,
}

impl Soql {
    /// What is asked for, without conditions: words of ours alone.
    pub fn new(select: &'static str) -> Self {
        Self { text: select.to_owned(), has_condition: false }
    }

    /// Under a condition of ours.
    #[must_use]
    pub fn and(mut self, condition: &'static str) -> Self {
        self.text.push_str(if self.has_condition { " AND " } else { " WHERE " });
        self.has_condition = true;
        self.text.push_str(condition);
        self
    }

    /// Where a field is one of these. Of no values nothing is found, which SOQL cannot say: whoever has none does not ask.
    #[must_use]
    pub fn among<V: SoqlValue>(self, field: &'static str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| format!("'{}'", value.literal())).collect();
        let mut asked = self.and(field);
        asked.text.push_str(" IN (");
        asked.text.push_str(&values.join(","));
        asked.text.push(')');
        asked
    }

    /// In this order, the last first.
    #[must_use]
    pub fn newest_first(mut self, field: &'static str) -> Self {
        self.text.push_str(" ORDER BY ");
        self.text.push_str(field);
        self.text.push_str(" DESC");
        self
    }

    /// No more rows than these. Comes last.
    #[must_use]
    pub fn at_most(mut self, rows: u32) -> Self {
        self.text.push_str(" LIMIT ");
        self.text.push_str(&rows.to_string());
        self
    }

    /// The question as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_no_character_that_could_end_it() {
        let uuid = Uuid::parse_str("9C1D8C5E-4B5A-4F0E-8F3A-5F4F7C0B6A11").unwrap();
        let values = [
            RepId::parse("005D0000001AbcD").unwrap().literal(),
            WorkItemId::parse("0Mw000000000001").unwrap().literal(),
            uuid.literal(),
            WorkStatus::Assigned.literal(),
        ];
        for value in values {
            assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{value}");
        }
        assert!(Uuid::parse_str("x' OR Name LIKE '%").is_err());
    }

    #[test]
    fn conditions_are_joined_in_their_order() {
        let asked = Soql::new("SELECT Id FROM AgentWork")
            .among("Status", [WorkStatus::Assigned, WorkStatus::Opened])
            .and("IsDeleted = false")
            .newest_first("CreatedDate")
            .at_most(2);
        assert_eq!(
            asked.as_str(),
            "SELECT Id FROM AgentWork WHERE Status IN ('Assigned','Opened') AND IsDeleted = false \
             ORDER BY CreatedDate DESC LIMIT 2"
        );
    }
}
