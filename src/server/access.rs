//! Who may call what.
//!
//! There are three kinds of callers: a rep's browser with a session token, the partner's backend with a key for
//! some orgs and channels or with the secret for all, and an operator with another. A group of routes whose credential is not set is open while the
//! server listens on loopback, and closed otherwise.
//!
//! Invariants
//! 1. Where a credential is set, nobody gets past without it, from this machine neither.
//! 2. An open group answers this machine alone: neither a name that was rebound to it, nor a page of another
//!    origin, nor whoever comes through a proxy.
//! 3. What a browser sends along by itself (HTTP Basic) lets no page of another origin change anything.
//!
//! Elsewhere: about which object a caller may speak, in `api`; the whole of it in docs/security.md.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, ORIGIN, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::Server;
use super::refused::Refused;
use super::session::{BadToken, Session};
use crate::config::server::PartnerKey;
use crate::local::{is_at, is_loopback_host, without_port};

/// What a proxy leaves behind in a request.
const PROXIED: [HeaderName; 6] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Where a browser says from whose page a request comes.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a browser is asked for where it can ask a person.
const BASIC: &str = "Basic realm=\"byoc-connector\", charset=\"UTF-8\"";

/// A rep's browser; without a session where none is asked for.
pub(super) struct Page(pub(super) Option<Session>);

/// The partner's backend: with a key, or for all orgs and channels.
pub(super) struct Partner(pub(super) Option<Arc<PartnerKey>>);

/// An operator.
pub(super) struct Operator;

impl FromRequestParts<Server> for Page {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refused> {
        let Some(checker) = server.session() else {
            open(parts, server, "session_secret_file or session_jwks_url")?;
            return Ok(Self(None));
        };
        let login = server.settings().login_url.as_deref();
        let challenge = "Bearer realm=\"byoc-connector\"";
        let Some(token) = credentials(&parts.headers, "Bearer") else {
            let hint = "Authorization: Bearer <session token>; log in to get one";
            return Err(Refused::who_are_you(challenge, "there is no session token", hint).log_in_at(login));
        };
        match checker.check(token).await {
            Ok(session) => Ok(Self(Some(session))),
            Err(BadToken::NoKeys(problem)) => {
                let error = BadToken::NoKeys(problem).to_string();
                Err(Refused::unavailable(error, "the session token may be valid; try again later", 30))
            }
            Err(bad) => {
                let hint = "log in again; the token needs sub (the rep's user id), org, exp and aud, and channel where \
                            the org has several";
                let refused = Refused::who_are_you(challenge, bad.to_string(), hint).log_in_at(login);
                Err(match bad.field() {
                    Some(field) => refused.field(field),
                    None => refused,
                })
            }
        }
    }
}

impl FromRequestParts<Server> for Partner {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refused> {
        let settings = server.settings();
        if !settings.has_partner_credential() {
            open(parts, server, "events_secret_file, or [[partner_keys]],")?;
            return Ok(Self(None));
        }
        let shown = credentials(&parts.headers, "Bearer").unwrap_or_default();
        if settings.events_secret.as_ref().is_some_and(|secret| is_same(shown, secret)) {
            return Ok(Self(None));
        }
        if let Some(key) = server.partner_keys().iter().find(|key| is_same(shown, &key.secret)) {
            return Ok(Self(Some(Arc::clone(key))));
        }
        let error = "only your backend may call this";
        let hint = "Authorization: Bearer <the events secret, or a partner key>";
        Err(Refused::who_are_you("Bearer realm=\"byoc-connector\"", error, hint))
    }
}

impl FromRequestParts<Server> for Operator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refused> {
        let Some(secret) = &server.settings().operator_secret else {
            open(parts, server, "operator_secret_file")?;
            return Ok(Self);
        };
        if shows_operator_secret(&parts.headers, secret) {
            if is_sent_by_another_page(&parts.method, &parts.headers) {
                let error = "pages of another origin may not do this";
                return Err(Refused::forbidden(error, "use the operator page").field("Origin"));
            }
            return Ok(Self);
        }
        let hint = "Authorization: Bearer <the operator secret>, or in a browser any user name with the secret as the \
                    password";
        Err(Refused::who_are_you(BASIC, "only operators may call this", hint))
    }
}

impl Operator {
    /// Whether it is one, where others may come as well.
    pub(super) fn is(headers: &HeaderMap, server: &Server) -> bool {
        match &server.settings().operator_secret {
            Some(secret) => shows_operator_secret(headers, secret),
            None => server.settings().is_loopback() && is_from_here(headers, server).is_ok(),
        }
    }
}

fn shows_operator_secret(headers: &HeaderMap, secret: &SecretString) -> bool {
    if let Some(shown) = credentials(headers, "Bearer") {
        return is_same(shown, secret);
    }
    let basic = credentials(headers, "Basic").and_then(|basic| STANDARD.decode(basic).ok());
    let basic = basic.and_then(|basic| String::from_utf8(basic).ok());
    basic.as_deref().and_then(|basic| basic.split_once(':')).is_some_and(|(_, shown)| is_same(shown, secret))
}

/// Whether a browser sends the password by itself, for a page of somebody else, to change something.
fn is_sent_by_another_page(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() || credentials(headers, "Basic").is_none() {
        return false;
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let host = text(HOST).unwrap_or_default();
    text(ORIGIN).is_some_and(|origin| !is_at(origin, host))
}

/// Compares in a time that tells nothing but the length.
fn is_same(shown: &str, secret: &SecretString) -> bool {
    shown.as_bytes().ct_eq(secret.expose_secret().as_bytes()).into()
}

fn credentials<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| credentials.trim())
}

/// Lets in whoever is on this machine, where no credential is set.
fn open(parts: &Parts, server: &Server, credential: &str) -> Result<(), Refused> {
    if !server.settings().is_loopback() {
        return Err(Refused::forbidden(
            "access is denied: no credential is configured for it, and other machines can reach the server",
            format!("set {credential} in [server]"),
        ));
    }
    if let Some(authority) = parts.uri.authority()
        && !is_loopback_host(authority.host())
    {
        return Err(rebound());
    }
    is_from_here(&parts.headers, server).map_err(|refused| *refused)
}

/// Whether a request comes from this machine, and was meant for it.
fn is_from_here(headers: &HeaderMap, server: &Server) -> Result<(), Box<Refused>> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST).unwrap_or_default();
    if !is_loopback_host(without_port(host)) {
        return Err(Box::new(rebound()));
    }
    if let Some(proxied) = PROXIED.iter().find(|name| headers.contains_key(*name)) {
        let error = "the request came through a proxy, and no credential is configured";
        let hint = "set a credential in [server]";
        return Err(Box::new(Refused::forbidden(error, hint).field(proxied.as_str())));
    }
    let Some(origin) = text(ORIGIN) else { return Ok(()) };
    if is_at(origin, host)
        || server.settings().allowed_origins.iter().any(|allowed| allowed.as_str() == origin)
    {
        return Ok(());
    }
    let error = "pages of another origin may not call this";
    let hint = "add the origin to allowed_origins in [server], or set a credential";
    Err(Box::new(Refused::forbidden(error, hint).field("Origin")))
}

fn rebound() -> Refused {
    Refused::forbidden(
        "without a credential, the server only answers requests to localhost",
        "use http://localhost or http://127.0.0.1, or set a credential in [server]",
    )
    .field("Host")
}
