//! The public keys of the partner's identity provider, fetched and kept.
//!
//! Invariants
//! 1. A key is used for the one algorithm that it is for; keys for anything else are passed over.
//! 2. However many tokens name keys that there are not, the provider is asked at most once in
//!    [`ASK_AGAIN`], by one request at a time, and for one and the same key ever more seldom.
//! 3. A key that there is keeps nobody waiting for one that there is not.

use std::sync::{Arc, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};

use super::BadToken;
use super::missing::Missing;
use crate::model::time::{Clock, Timestamp};
use crate::outbound::{http_for, in_full, secret_worthy_url};
use crate::server::Error;

/// How long to wait before the provider is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// How old keys may get before they are fetched anew: a key that was taken back is not taken for longer.
const FRESH: Duration = Duration::from_hours(1);

/// How old keys may get while the provider cannot be reached.
const STALE: Duration = Duration::from_hours(24);

/// How long the provider may take; below the time that a request of ours has.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many bytes a set of keys may have.
const LARGEST: usize = 256 * 1024;

/// How long a key's id may be.
const LONGEST_ID: usize = 255;

/// How many wait for keys that are being fetched; the others come again.
const WAITING: usize = 64;

pub(super) struct Jwks {
    url: Url,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    held: RwLock<CachedKeys>,
    missing: std::sync::Mutex<Missing>,
    fetching: Mutex<()>,
    /// Who waits for keys that are being fetched.
    waiting: Semaphore,
}

/// What is held, and what came of the last try.
#[derive(Default)]
struct CachedKeys {
    keys: Vec<Key>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    problem: Option<String>,
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    checks: Arc<DecodingKey>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl Jwks {
    /// No request is made before the first token comes.
    pub(super) fn new(url: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Jwks { problem };
        let url = secret_worthy_url(url).map_err(|error| wrong(error.to_string()))?;
        let http = http_for(&url).timeout(TIMEOUT).build().map_err(|error| wrong(in_full(&error)))?;
        Ok(Self {
            url,
            http,
            clock,
            held: RwLock::default(),
            missing: std::sync::Mutex::default(),
            fetching: Mutex::default(),
            waiting: Semaphore::new(WAITING),
        })
    }

    /// The key of that id; without an id, the only one for the algorithm.
    pub(super) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<DecodingKey>, BadToken> {
        let now = self.clock.now();
        let (known, is_fresh) = self.look(now, id, algorithm);
        match known {
            Some(key) if is_fresh => return Ok(key),
            Some(key) => {
                // One asks, and the others go on with what is held.
                let Ok(alone) = self.fetching.try_lock() else { return Ok(key) };
                self.refresh(now).await;
                drop(alone);
            }
            None => self.look_for(now, id, algorithm).await?,
        }
        self.look(now, id, algorithm).0.ok_or_else(|| self.why_not(now))
    }

    /// Asks for keys among which there may be one of that id. Most who come with an unknown one come with a forgery:
    /// they are told at once, wait for nobody, and take no seat from those who wait.
    async fn look_for(&self, now: Timestamp, id: Option<&str>, algorithm: Algorithm) -> Result<(), BadToken> {
        if id.is_some_and(|id| id.len() > LONGEST_ID || self.missing().is_missing(id, now)) {
            return Err(self.why_not(now));
        }
        let alone = if let Ok(alone) = self.fetching.try_lock() {
            alone
        } else {
            let busy =
                || BadToken::NoKeys("they are being fetched, and too many requests are waiting".to_owned());
            let _waits = self.waiting.try_acquire().map_err(|_| busy())?;
            self.fetching.lock().await
        };
        if self.look(now, id, algorithm).0.is_none() && self.refresh(now).await {
            let is_there = self.look(now, id, algorithm).0.is_some();
            if let Some(id) = id.filter(|_| !is_there) {
                self.missing().note(id, now);
            }
        }
        drop(alone);
        Ok(())
    }

    fn why_not(&self, now: Timestamp) -> BadToken {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match &held.problem {
            Some(problem) if held.keys.is_empty() || held.is_stale(now) => BadToken::NoKeys(problem.clone()),
            _ => BadToken::UnknownKey,
        }
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(
        &self,
        now: Timestamp,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> (Option<Arc<DecodingKey>>, bool) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let age = held.fetched.map(|at| now.since(at));
        (held.find(now, id, algorithm), age.is_some_and(|age| age < FRESH))
    }

    /// Asks the provider, unless it has been asked just now. What is held stays where nothing better comes. Whether
    /// the provider has told its keys.
    async fn refresh(&self, now: Timestamp) -> bool {
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            if held.tried.is_some_and(|tried| now.since(tried) < ASK_AGAIN) {
                return false;
            }
            held.tried = Some(now);
        }
        let fetched = self.fetch().await;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "fetched the identity provider's keys");
                *held = CachedKeys { keys, fetched: Some(now), tried: Some(now), problem: None };
                true
            }
            Err(problem) => {
                tracing::warn!(%problem, "the identity provider's keys cannot be fetched");
                held.problem = Some(problem);
                false
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let in_words = |error: reqwest::Error| in_full(&error.without_url());
        let mut response = self.http.get(self.url.clone()).send().await.map_err(in_words)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("HTTP {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(in_words)? {
            if body.len().saturating_add(chunk.len()) > LARGEST {
                return Err("the set of keys is too large".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        let set: Set =
            serde_json::from_slice(&body).map_err(|_| "it is not a JSON Web Key Set".to_owned())?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() { Err("none of its keys is for RS256 or ES256".to_owned()) } else { Ok(keys) }
    }
}

/// Asks an identity provider for its keys, once; tells how many of them a session token may be signed by.
pub(crate) async fn probe(url: &str, clock: Arc<dyn Clock>) -> Result<usize, String> {
    let jwks = Jwks::new(url, clock).map_err(|error| error.to_string())?;
    jwks.fetch().await.map(|keys| keys.len())
}

impl CachedKeys {
    fn is_stale(&self, now: Timestamp) -> bool {
        self.fetched.is_none_or(|at| now.since(at) >= STALE)
    }

    fn find(&self, now: Timestamp, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        if self.is_stale(now) {
            return None;
        }
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
        let first = fitting.next()?;
        (id.is_some() || fitting.next().is_none()).then(|| Arc::clone(&first.checks))
    }
}

/// A key that signs by an algorithm that is taken here.
fn key(value: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        _ => return None,
    };
    let for_it = match jwk.common.key_algorithm {
        None => true,
        Some(KeyAlgorithm::RS256) => algorithm == Algorithm::RS256,
        Some(KeyAlgorithm::ES256) => algorithm == Algorithm::ES256,
        Some(_) => false,
    };
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    if !for_it || !signs {
        return None;
    }
    let checks = Arc::new(DecodingKey::from_jwk(&jwk).ok()?);
    Some(Key { id: jwk.common.key_id, algorithm, checks })
}
