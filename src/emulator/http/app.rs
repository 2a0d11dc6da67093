//! The connected app that may ask for tokens, and how its assertions are checked.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::model::time::Timestamp;

/// The private half of the sample key pair. It is public, and protects nothing.
pub const SAMPLE_PRIVATE_KEY: &str = include_str!("../../../fixtures/keys/sample-private-key.pem");

/// The public half of the sample key pair.
pub const SAMPLE_PUBLIC_KEY: &str = include_str!("../../../fixtures/keys/sample-public-key.pem");

/// The connected app whose assertions are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    /// `iss`: the consumer key.
    pub consumer_key: String,
    /// `sub`: the one user for whom the app may ask.
    pub username: String,
    /// `aud`: one of these, or the emulator's own address.
    pub audiences: Vec<String>,
    /// The key that assertions are checked with: RSA, in PEM.
    pub public_key: String,
    /// How long a token is good for.
    pub token_lifetime: Duration,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            consumer_key: "3MVG9sample.consumer.key.of.the.emulator".to_owned(),
            username: "connector@example.com".to_owned(),
            audiences: ["https://login.salesforce.com", "https://test.salesforce.com"]
                .map(str::to_owned)
                .to_vec(),
            public_key: SAMPLE_PUBLIC_KEY.to_owned(),
            token_lifetime: Duration::from_hours(2),
        }
    }
}

/// The connected app's public key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the connected app's public key is not an RSA public key in PEM: {0}")]
pub struct BadKey(jsonwebtoken::errors::Error);

/// Checks assertions.
pub(super) struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Value>,
    exp: Option<i64>,
}

/// An OAuth error: its code, and a sentence.
pub(super) type Denied = (&'static str, &'static str);

/// It is no JWT, or not one that the app's key has signed with RS256.
const INVALID_ASSERTION: Denied = ("invalid_grant", "invalid assertion");

pub(super) const NOT_APPROVED: Denied = ("invalid_grant", "user hasn't approved this consumer");

impl Verifier {
    pub(super) fn new(app: &AppSettings) -> Result<Self, BadKey> {
        let key = DecodingKey::from_rsa_pem(app.public_key.as_bytes()).map_err(BadKey)?;
        let mut validation = Validation::new(Algorithm::RS256);
        // The library would ask the system clock; claims are checked below, against the emulator's.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Ok(Self { key, validation })
    }

    pub(super) fn check(
        &self,
        app: &AppSettings,
        own_address: &str,
        now: Timestamp,
        assertion: &str,
    ) -> Result<(), Denied> {
        let claims = jsonwebtoken::decode::<Claims>(assertion, &self.key, &self.validation)
            .map_err(|_| INVALID_ASSERTION)?
            .claims;
        if claims.iss.as_deref() != Some(&app.consumer_key) {
            return Err(("invalid_client_id", "client identifier invalid"));
        }
        if claims.sub.as_deref() != Some(&app.username) {
            return Err(NOT_APPROVED);
        }
        let fits = |aud: &Value| {
            aud.as_str().is_some_and(|aud| aud == own_address || app.audiences.iter().any(|it| it == aud))
        };
        // A list may be longer than one; a token that is for somebody else as well is not for us.
        let for_us = match &claims.aud {
            Some(Value::Array(all)) => !all.is_empty() && all.iter().all(fits),
            Some(aud) => fits(aud),
            None => false,
        };
        if !for_us {
            return Err(("invalid_grant", "audience is invalid"));
        }
        let expires = claims.exp.and_then(|seconds| seconds.checked_mul(1000)).map(Timestamp::from_millis);
        match expires {
            Some(at) if at > now => Ok(()),
            Some(_) => Err(("invalid_grant", "expired authorization code")),
            None => Err(INVALID_ASSERTION),
        }
    }
}
