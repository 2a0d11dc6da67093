//! What the rows of a conversation that cannot be read still tell of what may be open at Salesforce.
//!
//! Reads any text, whole JSON or not, and looks for Salesforce's ids by their prefix and length. It understands
//! nothing of facts: that is what could not be read.

use serde::Serialize;

use crate::model::ids::{AgentWorkId, PsrId, WorkItemId};

/// How many ids of a kind are kept of one conversation.
const MOST: usize = 64;

/// The length of an id as it is stored.
const ID: usize = 15;

/// The ids that may be open at Salesforce.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenIds {
    /// The messaging session, where a row names it.
    pub work_item: Option<WorkItemId>,
    /// The offers that rows name, the latest last. Some may be over.
    pub works: Vec<AgentWorkId>,
    /// The PSRs that rows name. Some may be gone.
    pub psrs: Vec<PsrId>,
}

impl OpenIds {
    /// Adds what a row names.
    pub(super) fn look(&mut self, text: &str) {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == ID) {
            if let Ok(work) = AgentWorkId::parse(word) {
                add(&mut self.works, work);
            } else if let Ok(psr) = PsrId::parse(word) {
                add(&mut self.psrs, psr);
            } else if let Ok(item) = WorkItemId::parse(word) {
                self.work_item = Some(item);
            }
        }
    }
}

fn add<T: PartialEq>(known: &mut Vec<T>, new: T) {
    if !known.contains(&new) {
        if known.len() == MOST {
            known.remove(0);
        }
        known.push(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_rows_that_make_no_sense() {
        let mut left = OpenIds::default();
        left.look(r#"[{"Tomorrow":{"work":"0BzgL00000RVPI5","psr":"0JRgL00000OWdWA"}},{"Work"#);
        left.look(r#"{"work_item":"0MwgL000009RWHt","rep":"005gL00000ADclZ","works":["0BzgL00000RVPI5"]}"#);
        let id = AgentWorkId::parse("0BzgL00000RVPI5").unwrap();
        assert_eq!((left.works, left.psrs.len()), (vec![id], 1));
        assert_eq!(left.work_item, WorkItemId::parse("0MwgL000009RWHt").ok());
    }
}
