//! One org's token source, shared by calls and stream, and whether it gives tokens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::events::pubsub::{Credentials, NoToken};
use crate::interaction::auth::Error;
use crate::interaction::{AccessToken, TokenSource};
use crate::model::time::{Clock, Timestamp};

/// A token source that remembers how it is doing. A clone is the same source.
#[derive(Clone)]
pub struct Watched(Arc<Inner>);

struct Inner {
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// What is known of it.
#[derive(Debug, Clone, Default)]
struct State {
    problem: Option<Error>,
    since: Option<Timestamp>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("problem", &self.problem()).finish_non_exhaustive()
    }
}

impl Watched {
    /// Watches a source.
    pub fn new(source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { source, clock, state: Mutex::default() }))
    }

    /// Why there was no token when one was last asked for, and since when.
    pub fn problem(&self) -> Option<(String, Option<Timestamp>)> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        state.problem.map(|problem| (problem.to_string(), state.since))
    }

    fn noted(&self, answer: Result<AccessToken, Error>) -> Result<AccessToken, Error> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = answer.as_ref().err();
        if state.problem.is_some() != problem.is_some() {
            state.since = Some(self.0.clock.now());
            match problem {
                Some(problem) => tracing::error!(%problem, "there is no access token"),
                None => tracing::info!("there is an access token again"),
            }
        }
        state.problem = problem.cloned();
        drop(state);
        answer
    }
}

#[async_trait]
impl TokenSource for Watched {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.noted(self.0.source.token().await)
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken, Error> {
        self.noted(self.0.source.refresh(rejected).await)
    }
}

/// The same tokens for the stream of events.
#[derive(Debug, Clone)]
pub struct OrgCredentials(pub Watched);

#[async_trait]
impl Credentials for OrgCredentials {
    async fn token(&self) -> Result<SecretString, NoToken> {
        given(TokenSource::token(&self.0).await)
    }

    async fn refresh(&self, rejected: &SecretString) -> Result<SecretString, NoToken> {
        let rejected = AccessToken::new(rejected.expose_secret());
        given(TokenSource::refresh(&self.0, &rejected).await)
    }
}

fn given(token: Result<AccessToken, Error>) -> Result<SecretString, NoToken> {
    token
        .map(|token| SecretString::from(token.expose().to_owned()))
        .map_err(|error| NoToken(error.to_string()))
}
