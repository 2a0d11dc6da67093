//! How the REST API behaves, and the rows that wait to be read page by page.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many questions may be read on page by page. Salesforce keeps ten a user.
const CURSORS: usize = 10;

/// How the REST API behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RestPlan {
    /// How many rows a page has; Salesforce's own are 2,000.
    pub page_size: usize,
    /// How many API requests the org has a day.
    pub daily_limit: u64,
    /// How many of them are used.
    pub used: u64,
    /// Every request is refused with this `errorCode`.
    pub refuse: Option<String>,
    /// Objects that the user cannot see.
    pub hidden: Vec<String>,
}

impl Default for RestPlan {
    fn default() -> Self {
        Self { page_size: 2_000, daily_limit: 100_000, used: 0, refuse: None, hidden: Vec::new() }
    }
}

/// What the REST API remembers.
#[derive(Debug, Default)]
pub(in crate::emulator::http) struct Rest {
    pub(in crate::emulator::http) plan: RestPlan,
    cursors: VecDeque<Cursor>,
    last_cursor: u64,
}

#[derive(Debug)]
struct Cursor {
    id: String,
    total: usize,
    rest: VecDeque<Value>,
}

impl Rest {
    /// The next page of these rows; the rest is kept under a locator.
    pub(super) fn page(
        &mut self,
        version: &str,
        total: usize,
        mut rows: VecDeque<Value>,
        cursor: Option<String>,
    ) -> Value {
        let after = rows.split_off(rows.len().min(self.plan.page_size.max(1)));
        let mut body = json!({ "totalSize": total, "done": after.is_empty(), "records": rows });
        if !after.is_empty() {
            let id = cursor.unwrap_or_else(|| {
                self.last_cursor = self.last_cursor.saturating_add(1);
                format!("0r8{:012}", self.last_cursor)
            });
            let given = total.saturating_sub(after.len());
            if let Some(body) = body.as_object_mut() {
                let next = format!("/services/data/{version}/query/{id}-{given}");
                body.insert("nextRecordsUrl".to_owned(), json!(next));
            }
            if self.cursors.len() >= CURSORS {
                self.cursors.pop_front();
            }
            self.cursors.push_back(Cursor { id, total, rest: after });
        }
        body
    }

    /// The page of a locator; none where it is not known.
    pub(super) fn next_page(&mut self, version: &str, locator: &str) -> Option<Value> {
        let id = locator.split('-').next().unwrap_or_default();
        let at = self.cursors.iter().position(|known| known.id == id)?;
        let Cursor { id, total, rest } = self.cursors.remove(at)?;
        Some(self.page(version, total, rest, Some(id)))
    }
}
