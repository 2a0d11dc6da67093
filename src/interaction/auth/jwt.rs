//! OAuth 2.0 JWT bearer flow: a signed claim becomes an access token, which is kept until it ages.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::Mutex;

use super::answer::{self, Answer};
use super::refusals::TokenAttempt;
use super::{AccessToken, Error, TokenSource};
use crate::interaction::error::{Error as SettingsError, http_for, secret_worthy_url};
use crate::model::time::{Clock, Timestamp};
use crate::outbound::{in_full, without_slashes};
use crate::private_key;

/// How far ahead a claim's `exp` lies. Salesforce takes a few minutes; the clocks need not agree.
const CLAIM_LIFETIME: Duration = Duration::from_mins(3);

/// How long the token endpoint may take.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a token is used at least, whatever the endpoint says: one that says 0, or less than a call takes, would
/// be asked with every call. A token that is over earlier is replaced when it is not taken.
const SHORTEST_LIFETIME: Duration = Duration::from_mins(1);

/// How long it is used at most: no session of Salesforce's lasts longer.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// How many tokens are asked for in a minute. Where so many are not taken the token is not what is wrong, and
/// Salesforce counts logins; tokens that are revoked one after the other are replaced all the same.
const MOST_IN_A_MINUTE: usize = 5;

/// How large a token response may be.
const LARGEST_RESPONSE: usize = 64 * 1024;

/// What a JWT bearer source is built from.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    /// `iss`: the consumer key of the External Client App, or of the connected app.
    pub consumer_key: String,
    /// `sub`: the integration user.
    pub username: String,
    /// `aud`: the org's My Domain for an External Client App; else `https://login.salesforce.com`, for a sandbox
    /// `https://test.salesforce.com`.
    pub audience: String,
    /// Where the claim is sent; `{audience}/services/oauth2/token` where not set.
    pub token_url: Option<String>,
    /// The org's My Domain, such as `https://acme.my.salesforce.com`, to be named where a login is refused.
    pub my_domain: Option<String>,
    /// The RSA key whose certificate the app has, in PEM.
    pub private_key: SecretString,
    /// How long a token is used where the response has no `expires_in`, and Salesforce's has none.
    ///
    /// A token lives as long as the org's session timeout says, from 15 minutes on.
    pub token_lifetime: Duration,
    /// How long before a token ages out it is replaced.
    pub refresh_margin: Duration,
}

impl JwtSettings {
    /// Settings for Salesforce's production login, with tokens that are used for 15 minutes and
    /// replaced one minute before.
    pub fn new(
        consumer_key: impl Into<String>,
        username: impl Into<String>,
        private_key: SecretString,
    ) -> Self {
        Self {
            consumer_key: consumer_key.into(),
            username: username.into(),
            audience: "https://login.salesforce.com".to_owned(),
            token_url: None,
            my_domain: None,
            private_key,
            token_lifetime: Duration::from_mins(15),
            refresh_margin: Duration::from_mins(1),
        }
    }
}

/// Tokens by the OAuth 2.0 JWT bearer flow.
pub struct JwtBearer {
    consumer_key: String,
    username: String,
    audience: String,
    token_url: Url,
    my_domain: Option<String>,
    key: EncodingKey,
    token_lifetime: Duration,
    refresh_margin: Duration,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    held: RwLock<CachedToken>,
    fetching: Mutex<()>,
}

/// How long a login that was refused is not tried again, whoever asks: Salesforce counts them.
const HOLD_OFF: Duration = Duration::from_secs(1);

/// A token, and for how long it is used.
#[derive(Clone)]
struct Token {
    access: AccessToken,
    /// When another is asked for.
    renew: Timestamp,
    /// Until when it will do where no other can be had.
    until: Timestamp,
}

/// What is held, and what came of the last request for it.
#[derive(Default)]
struct CachedToken {
    token: Option<Token>,
    /// When the last tokens were given, at most [`MOST_IN_A_MINUTE`] of them.
    given: VecDeque<Timestamp>,
    rounds: u64,
    error: Option<(Error, Timestamp)>,
}

impl CachedToken {
    /// A token was given.
    fn give(&mut self, token: Token, now: Timestamp) {
        if self.given.len() >= MOST_IN_A_MINUTE {
            self.given.pop_front();
        }
        self.given.push_back(now);
        self.token = Some(token);
        self.error = None;
    }

    /// Why nothing is asked for now: too many tokens were not taken, or what Salesforce refused a moment ago.
    fn refusal(&self, now: Timestamp) -> Option<Error> {
        let oldest = self.given.front().filter(|_| self.given.len() >= MOST_IN_A_MINUTE);
        if oldest.is_some_and(|oldest| now < *oldest + Duration::from_mins(1)) {
            return Some(Error::FreshNotTaken);
        }
        let fresh = |(error, at): &&(Error, Timestamp)| {
            matches!(error, Error::Refused { .. } | Error::NotAnEndpoint { .. }) && now < *at + HOLD_OFF
        };
        self.error.as_ref().filter(fresh).map(|(error, _)| error.clone())
    }
}

impl JwtBearer {
    /// Checks the settings. No request is made before the first token is asked for.
    ///
    /// # Errors
    /// Where the key is none, or the URL is not one to send secrets to.
    pub fn new(settings: JwtSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let audience = without_slashes(&settings.audience).to_owned();
        let token_url = match &settings.token_url {
            Some(url) => secret_worthy_url("token_url", without_slashes(url))?,
            None => secret_worthy_url("audience", &format!("{audience}/services/oauth2/token"))?,
        };
        let key = private_key::pem(settings.private_key.expose_secret().as_bytes())
            .map_err(|reason| SettingsError::Key(reason.to_string()))?;
        let key = EncodingKey::from_rsa_pem(key.expose_secret().as_bytes())
            .map_err(|error| SettingsError::Key(error.to_string()))?;
        let http = http_for(&token_url)
            .timeout(ENDPOINT_TIMEOUT)
            .build()
            .map_err(|error| SettingsError::Http(in_full(&error)))?;
        Ok(Self {
            consumer_key: settings.consumer_key,
            username: settings.username,
            audience,
            token_url,
            my_domain: settings.my_domain.as_deref().map(without_slashes).map(str::to_owned),
            key,
            token_lifetime: settings.token_lifetime,
            refresh_margin: settings.refresh_margin,
            clock,
            http,
            held: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// Returns the held token where it will do, else asks for one: alone, while the others wait for
    /// what comes of it, be it a token or an error.
    async fn obtain(&self, will_do: impl Fn(&Token) -> bool) -> Result<AccessToken, Error> {
        let before = match self.look(&will_do) {
            Ok(token) => return Ok(token),
            Err(rounds) => rounds,
        };
        let _alone = self.fetching.lock().await;
        match self.look(&will_do) {
            Ok(token) => return Ok(token),
            Err(rounds) if rounds != before => {
                if let Some((error, _)) = self.read(|held| held.error.clone()) {
                    return Err(error);
                }
            }
            Err(_) => {}
        }
        if let Some(error) = self.read(|held| held.refusal(self.clock.now())) {
            return Err(error);
        }
        let outcome = self.fetch().await;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.rounds = held.rounds.wrapping_add(1);
        match outcome {
            Ok(token) => {
                let access = token.access.clone();
                held.give(token, self.clock.now());
                Ok(access)
            }
            Err(error) => {
                held.error = Some((error.clone(), self.clock.now()));
                Err(error)
            }
        }
    }

    /// The held token if it will do, else how many requests have been made so far.
    fn look(&self, will_do: impl Fn(&Token) -> bool) -> Result<AccessToken, u64> {
        self.read(|held| match &held.token {
            Some(token) if will_do(token) => Ok(token.access.clone()),
            _ => Err(held.rounds),
        })
    }

    fn read<T>(&self, look: impl FnOnce(&CachedToken) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn fetch(&self) -> Result<Token, Error> {
        let asked = self.clock.now();
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &self.assertion(asked)?),
        ];
        // reqwest's errors show the URL, which has no secret in it, and never the body.
        let unavailable = |error: reqwest::Error| Error::Unavailable(in_full(&error));
        let mut response =
            self.http.post(self.token_url.clone()).form(&form).send().await.map_err(unavailable)?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = header(CONTENT_TYPE).map(str::to_owned);
        let location = header(LOCATION).and_then(|to| self.token_url.join(to).ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
            if body.len().saturating_add(chunk.len()) > LARGEST_RESPONSE {
                body.clear();
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer { status, content_type: content_type.as_deref(), location, body: &body };
        let granted = answer::read(&answer, self.asked())?;
        let lifetime = granted.lifetime().unwrap_or(self.token_lifetime);
        let lifetime = lifetime.clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME);
        tracing::debug!(lifetime = ?lifetime, "a fresh access token");
        let until = asked + lifetime;
        let renew = until - self.refresh_margin.min(lifetime.checked_div(2).unwrap_or_default());
        Ok(Token { access: AccessToken::new(granted.access_token), renew, until })
    }

    fn asked(&self) -> TokenAttempt<'_> {
        TokenAttempt {
            audience: &self.audience,
            token_url: &self.token_url,
            my_domain: self.my_domain.as_deref(),
        }
    }

    fn assertion(&self, now: Timestamp) -> Result<String, Error> {
        let claims = Claims {
            iss: &self.consumer_key,
            sub: &self.username,
            aud: &self.audience,
            exp: (now + CLAIM_LIFETIME).as_millis() / 1_000,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|error| Error::Signing(error.to_string()))
    }
}

#[async_trait]
impl TokenSource for JwtBearer {
    async fn token(&self) -> Result<AccessToken, Error> {
        let now = self.clock.now();
        let fresh = self.obtain(|held| now < held.renew).await;
        // Where the early replacement fails, the token that we have is still good for a while.
        fresh.or_else(|error| self.look(|held| now < held.until).map_err(|_| error))
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken, Error> {
        self.obtain(|held| !held.access.is(rejected)).await
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBearer")
            .field("username", &self.username)
            .field("token_url", &self.token_url.as_str())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_none_is_refused_without_showing_it() {
        let settings = JwtSettings::new("consumer", "user@example.com", SecretString::from("hush hush"));
        assert!(!format!("{settings:?}").contains("hush"));
        let clock: Arc<dyn Clock> = Arc::new(crate::model::time::SystemClock);
        let error = JwtBearer::new(settings, clock).unwrap_err();
        assert!(matches!(error, SettingsError::Key(_)));
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
