//! One org's token source, shared by calls and stream, and whether it gives tokens.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::events::pubsub::{Credentials, NoToken};
use crate::interaction::auth::Error;
use crate::interaction::{AccessToken, TokenSource};
use crate::model::ids::OrgId;
use crate::model::time::{Clock, Timestamp};

/// For how long a token that was rejected and could not be replaced is no sign that Salesforce lets us in, though
/// the source still gives it. Longer than a stream that is refused waits between two tries.
const DOUBT: Duration = Duration::from_secs(300);

/// A token source that remembers how it is doing. A clone is the same source.
#[derive(Clone)]
pub struct WatchedTokens(Arc<Inner>);

struct Inner {
    org: OrgId,
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// What is known of it.
#[derive(Debug, Clone, Default)]
struct State {
    problem: Option<Error>,
    since: Option<Timestamp>,
    /// The token that was last rejected and could not be replaced, and when that was.
    doubted: Option<(AccessToken, Timestamp)>,
}

impl State {
    fn doubts(&self, token: &AccessToken, now: Timestamp) -> bool {
        self.doubted.as_ref().is_some_and(|(doubted, at)| doubted.is(token) && now.since(*at) < DOUBT)
    }
}

impl fmt::Debug for WatchedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedTokens").field("problem", &self.problem()).finish_non_exhaustive()
    }
}

impl WatchedTokens {
    /// Watches an org's source.
    pub fn new(org: OrgId, source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { org, source, clock, state: Mutex::default() }))
    }

    /// Why there was no token when one was last asked for, and since when.
    pub fn problem(&self) -> Option<(String, Option<Timestamp>)> {
        let state = self.state().clone();
        state.problem.map(|problem| (problem.to_string(), state.since))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self, state: &mut State, answer: &Result<AccessToken, Error>) {
        let org = self.0.org;
        let problem = answer.as_ref().err();
        if state.problem.is_some() != problem.is_some() {
            state.since = Some(self.0.clock.now());
            match problem {
                Some(problem) => tracing::error!(%org, %problem, "no access token"),
                None => tracing::info!(%org, "access token obtained again"),
            }
        }
        state.problem = problem.cloned();
    }
}

#[async_trait]
impl TokenSource for WatchedTokens {
    async fn token(&self) -> Result<AccessToken, Error> {
        let answer = self.0.source.token().await;
        let mut state = self.state();
        let is_doubted = answer.as_ref().is_ok_and(|token| state.doubts(token, self.0.clock.now()));
        if !is_doubted {
            self.noted(&mut state, &answer);
        }
        drop(state);
        answer
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken, Error> {
        let answer = self.0.source.refresh(rejected).await;
        let mut state = self.state();
        state.doubted = answer.is_err().then(|| (rejected.clone(), self.0.clock.now()));
        self.noted(&mut state, &answer);
        drop(state);
        answer
    }
}

/// The same tokens for the stream of events.
#[derive(Debug, Clone)]
pub struct OrgCredentials(pub WatchedTokens);

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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A clock that is set by hand, in milliseconds.
    #[derive(Debug, Default)]
    struct ManualClock(AtomicI64);

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }
    }

    /// Gives the same token for ever, and cannot replace it.
    struct Stale(AccessToken);

    #[async_trait]
    impl TokenSource for Stale {
        async fn token(&self) -> Result<AccessToken, Error> {
            Ok(self.0.clone())
        }

        async fn refresh(&self, _: &AccessToken) -> Result<AccessToken, Error> {
            Err(Error::Unavailable("refused".to_owned()))
        }
    }

    #[tokio::test]
    async fn a_rejected_token_that_is_given_again_does_not_say_that_all_is_well() {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_000)));
        let token = AccessToken::new("rejected");
        let org = OrgId::parse("00DHs0000000001").unwrap();
        let watched = WatchedTokens::new(org, Arc::new(Stale(token.clone())), Arc::clone(&clock) as _);
        watched.refresh(&token).await.unwrap_err();
        let since = watched.problem().unwrap().1;
        assert_eq!(since, Some(Timestamp::from_millis(1_000)));

        clock.0.store(21_000, Ordering::SeqCst);
        watched.token().await.unwrap();
        assert_eq!(watched.problem().map(|(_, since)| since), Some(since), "it is the one that was rejected");
        watched.refresh(&token).await.unwrap_err();
        assert_eq!(
            watched.problem().map(|(_, since)| since),
            Some(since),
            "the same trouble, since the same time"
        );

        clock.0.store(321_000, Ordering::SeqCst);
        watched.token().await.unwrap();
        assert_eq!(watched.problem(), None, "nobody has rejected it for a while");
    }
}
