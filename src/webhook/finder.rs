//! The partner's rep finder.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Context;
use super::hook::{Failure, Hook};
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
    reps: Vec<String>,
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
        let answer: Answer = self.hook.ask(&question, PATIENCE, LARGEST).await.map_err(told)?;
        let is_rep = |name: &String| RepId::parse(name).is_ok();
        if !answer.reps.is_empty() && !answer.reps.iter().any(is_rep) {
            let failure = Failure::Invalid("field `reps` names no rep; user ids are expected".to_owned());
            self.hook.health().tried::<()>(&Err(failure.clone()));
            return Err(told(failure));
        }
        Ok(wanted(&answer.reps, query))
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
fn wanted(named: &[String], query: &RepQuery) -> Vec<RepId> {
    let mut seen: HashSet<RepId> = query.exclude.iter().copied().collect();
    let mut reps = Vec::new();
    for (n, name) in named.iter().enumerate() {
        if reps.len() >= query.limit {
            break;
        }
        match RepId::parse(name) {
            Ok(rep) if seen.insert(rep) => reps.push(rep),
            Ok(rep) => {
                tracing::warn!(%rep, "the rep finder's webhook named a rep twice, or one who may not be asked");
            }
            Err(error) => tracing::warn!(n, %error, "the rep finder's webhook named somebody who is no rep"),
        }
    }
    reps
}
