//! Checks the session token by which a rep's browser shows whose it is.
//!
//! Invariants
//! 1. A token is checked by the one algorithm that its key is for: HS256 for the partner's secret, RS256 or
//!    ES256 for a public key. What the token itself says about it is compared, never followed.
//! 2. A token without `exp`, without `aud`, or for another audience is refused.

mod bad_token;
mod jwks;
mod missing;

pub(super) use bad_token::BadToken;
pub(crate) use jwks::probe as probe_keys;

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::config::server::{ServerSettings, SessionAuth};
use crate::model::ids::{OrgId, RepId};
use crate::model::time::{Clock, Timestamp};

use jwks::Jwks;

/// How far the clocks of whoever signs and of this machine may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// How long a token may be. What a browser sends in a header is cut by proxies at about that length.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Who a rep's browser acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) rep: RepId,
    pub(super) org: OrgId,
    pub(super) channel: Option<String>,
}

/// Checks session tokens.
pub(super) struct Checker {
    keys: Keys,
    audience: String,
    issuer: Option<String>,
    clock: Arc<dyn Clock>,
}

enum Keys {
    Secret(DecodingKey),
    Jwks(Box<Jwks>),
}

impl Checker {
    /// None where no session token is asked for.
    pub(super) fn new(
        settings: &ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, super::Error> {
        let keys = match &settings.session {
            None => return Ok(None),
            Some(SessionAuth::Secret(secret)) => {
                Keys::Secret(DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            }
            Some(SessionAuth::Jwks(url)) => Keys::Jwks(Box::new(Jwks::new(url, Arc::clone(&clock))?)),
        };
        let (audience, issuer) = (settings.audience.clone(), settings.issuer.clone());
        Ok(Some(Self { keys, audience, issuer, clock }))
    }

    pub(super) async fn check(&self, token: &str) -> Result<Session, BadToken> {
        if token.len() > LONGEST_TOKEN {
            return Err(BadToken::NotAToken);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| BadToken::NotAToken)?;
        // Whatever `crit` names must be understood (RFC 7515, section 4.1.11), and nothing is.
        if header.crit.is_some() {
            return Err(BadToken::NotAToken);
        }
        match &self.keys {
            Keys::Secret(_) if header.alg != Algorithm::HS256 => Err(BadToken::Algorithm("HS256")),
            Keys::Secret(key) => self.decode(token, key, Algorithm::HS256),
            Keys::Jwks(keys) => {
                if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
                    return Err(BadToken::Algorithm("RS256 or ES256"));
                }
                let key = keys.key(header.kid.as_deref(), header.alg).await?;
                self.decode(token, &key, header.alg)
            }
        }
    }

    fn decode(&self, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Session, BadToken> {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        if let Some(issuer) = &self.issuer {
            // Providers spell their own address with a slash at its end, or without.
            let bare = issuer.trim_end_matches('/');
            validation.set_issuer(&[issuer.as_str(), bare, &format!("{bare}/")]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        // The library reads the system's clock; `exp` and `nbf` are checked below, by ours.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => BadToken::Signature,
                ErrorKind::InvalidAudience => BadToken::Audience,
                ErrorKind::InvalidIssuer => BadToken::Issuer,
                ErrorKind::MissingRequiredClaim(claim) => BadToken::Claim(claim.clone()),
                _ => BadToken::NotAToken,
            })?
            .claims;
        self.session(&claims)
    }

    /// What the claims say, where they are for now.
    fn session(&self, claims: &Map<String, Value>) -> Result<Session, BadToken> {
        let claim = |name: &str| claims.get(name).filter(|value| !value.is_null());
        let unusable = |name: &str| BadToken::Claim(name.to_owned());
        let text = |name: &str| claim(name).and_then(Value::as_str).ok_or_else(|| unusable(name));
        let moment = |name: &str, value: &Value| value.as_f64().map(seconds).ok_or_else(|| unusable(name));
        let now = self.clock.now();
        let exp = moment("exp", claim("exp").unwrap_or(&Value::Null))?;
        if now >= exp + LEEWAY {
            return Err(BadToken::Expired);
        }
        let nbf = claim("nbf").map(|nbf| moment("nbf", nbf)).transpose()?;
        if nbf.is_some_and(|nbf| now + LEEWAY < nbf) {
            return Err(BadToken::NotYet);
        }
        Ok(Session {
            rep: RepId::parse(text("sub")?).map_err(|_| unusable("sub"))?,
            org: OrgId::parse(text("org")?).map_err(|_| unusable("org"))?,
            channel: claim("channel").map(|_| text("channel").map(str::to_owned)).transpose()?,
        })
    }
}

/// A JWT's time: seconds since the epoch, fractions allowed.
fn seconds(numeric_date: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond the ends of time stops there")]
    Timestamp::from_millis((numeric_date * 1000.0) as i64)
}
