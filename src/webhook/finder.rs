//! The partner's rep finder.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::Failure;
use super::hook::Hook;
use super::{Context, answer};
use crate::connector::{FindError, RepFinder};
use crate::model::event::SkillRequirement;
use crate::model::ids::{QueueId, RepId};
use crate::model::rep_query::RepQuery;

/// How long it is tried before a failure is told. The request asks again while it has time, and stores that it
/// was told.
const PATIENCE: Duration = Duration::from_secs(4);

/// How large an answer may be: more reps than can ever be rung at once.
const LARGEST: usize = 64 * 1024;

/// A [`RepFinder`] behind a URL.
#[derive(Debug, Clone)]
pub struct Finder {
    hook: Hook,
    context: Context,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(flatten)]
    context: &'a Context,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<QueueId>,
    skills: &'a [SkillRequirement],
    exclude: &'a [RepId],
    limit: usize,
}

#[derive(Deserialize)]
struct Answer {
    reps: Vec<Value>,
}

/// Reads an answer: who is no rep is passed over, and an answer that names such alone is none.
fn read(body: &[u8]) -> Result<Vec<Value>, Failure> {
    let Answer { reps } = answer::read(body)?;
    let is_rep = |named: &Value| named.as_str().is_some_and(|name| RepId::parse(name).is_ok());
    if reps.is_empty() || reps.iter().any(is_rep) {
        return Ok(reps);
    }
    Err(Failure::Invalid(match reps.iter().position(|named| !named.is_string()) {
        Some(n) => format!("field `reps[{n}]` has another type; a string is expected"),
        None => "field `reps` has no user id (005…)".to_owned(),
    }))
}

impl Finder {
    pub(super) fn new(hook: Hook, context: Context) -> Self {
        Self { hook, context }
    }
}

#[async_trait]
impl RepFinder for Finder {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        let RepQuery { queue_id, skills, exclude, limit } = query;
        let question =
            Question { context: &self.context, queue_id: *queue_id, skills, exclude, limit: *limit };
        let named = self.hook.ask(&self.context, &question, PATIENCE, LARGEST, read).await.map_err(told)?;
        Ok(wanted(&named, query))
    }
}

fn told(failure: Failure) -> FindError {
    match failure {
        Failure::NoAnswer(why) => FindError::NoAnswer(why),
        Failure::Status { .. } => {
            FindError::Refused { why: failure.to_string(), wait: failure.retry_after() }
        }
        Failure::TooLarge(_) | Failure::Invalid(_) => FindError::Invalid(failure.what()),
    }
}

/// The reps who were asked for, among those who were named.
fn wanted(named: &[Value], query: &RepQuery) -> Vec<RepId> {
    let mut seen: HashSet<RepId> = query.exclude.iter().copied().collect();
    let mut reps = Vec::new();
    for (n, name) in named.iter().enumerate() {
        if reps.len() >= query.limit {
            break;
        }
        match name.as_str().map(RepId::parse) {
            Some(Ok(rep)) if seen.insert(rep) => reps.push(rep),
            Some(Ok(rep)) => {
                tracing::warn!(%rep, "the rep finder webhook returned a rep twice, or one who is excluded");
            }
            Some(Err(error)) => {
                tracing::warn!(n, %error, "the rep finder webhook returned an id that is not a user id (005…)");
            }
            None => tracing::warn!(n, "the rep finder webhook returned an id that is not a string"),
        }
    }
    reps
}
