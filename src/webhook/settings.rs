//! Where the webhooks are, and what is wrong with that.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::signing::{BadSecret, Signer};
use crate::outbound::{is_loopback, secret_worthy_url};

/// Where the webhooks are; those that are not set are answered by what is embedded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who can take this?
    pub rep_finder_url: Option<String>,
    /// Whom can a rep pick?
    pub directory_url: Option<String>,
    /// Who joined, who left?
    pub end_user_notifier_url: Option<String>,
    /// How long one try may take.
    pub timeout: Duration,
    /// What is sent as `Authorization: Bearer`. Only webhooks on this machine may do without.
    pub secret: Option<SecretString>,
    /// What each request is signed with, as Standard Webhooks says: `whsec_` and base64. Where there are several, each
    /// signs; none where nothing is signed.
    pub signing_secrets: Vec<SecretString>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rep_finder_url: None,
            directory_url: None,
            end_user_notifier_url: None,
            timeout: Duration::from_secs(2),
            secret: None,
            signing_secrets: Vec::new(),
        }
    }
}

/// Settings that no webhook can be called by. Each names its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL that is none, or not one to send secrets to.
    #[error("{field} {problem}")]
    Url {
        /// The setting.
        field: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Without a secret the partner cannot tell us from anybody else.
    #[error("secret_file is missing; {field} is on another machine, so calls to it must be authenticated")]
    NoSecret {
        /// The webhook.
        field: &'static str,
    },
    /// A secret that cannot stand in an HTTP header.
    #[error(
        "secret_file is empty, or has characters that an HTTP header cannot carry; it must be one line of ASCII"
    )]
    Secret,
    /// A signing secret that is none.
    #[error(
        "signing_secrets_file has a secret, number {number}, that is none; each must be whsec_ and 24 to 64 bytes in base64"
    )]
    SigningSecret {
        /// Which, from 1.
        number: usize,
    },
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(String),
}

impl Settings {
    /// Whether any webhook is set.
    pub fn is_empty(&self) -> bool {
        self.urls().next().is_none()
    }

    /// What is wrong with them, one sentence each, beginning with its key; empty where all is well.
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !(Duration::from_millis(10)..=Duration::from_secs(30)).contains(&self.timeout) {
            found.push("timeout_milliseconds must be 10 to 30000".to_owned());
        }
        let checked = self.urls().map(|(field, text)| {
            url(field, text).and_then(|url| authorization(field, &url, self.secret.as_ref()))
        });
        let wrong: Vec<Error> = checked.filter_map(Result::err).collect();
        let without_secret = wrong.iter().position(|error| !matches!(error, Error::Url { .. }));
        // What is wrong with the secret is said once.
        let told = wrong
            .iter()
            .enumerate()
            .filter(|(n, error)| matches!(error, Error::Url { .. }) || Some(*n) == without_secret);
        found.extend(told.map(|(_, error)| error.to_string()));
        found.extend(signer(&self.signing_secrets).err().map(|error| error.to_string()));
        found
    }

    /// The URLs that are set, each with its key.
    pub(super) fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("rep_finder_url", &self.rep_finder_url),
            ("directory_url", &self.directory_url),
            ("end_user_notifier_url", &self.end_user_notifier_url),
        ];
        all.into_iter().filter_map(|(field, url)| Some((field, url.as_deref()?)))
    }
}

/// Reads a webhook's URL.
pub(super) fn url(field: &'static str, text: &str) -> Result<Url, Error> {
    let url = secret_worthy_url(text).map_err(|wrong| Error::Url { field, problem: wrong.to_string() })?;
    if url.query().is_some() || url.fragment().is_some() {
        let problem = "has a query or a fragment; remove it: secrets belong in secret_file";
        return Err(Error::Url { field, problem: problem.to_owned() });
    }
    Ok(url)
}

/// What signs; none where there is no secret for it.
pub(super) fn signer(secrets: &[SecretString]) -> Result<Option<Signer>, Error> {
    Signer::new(secrets).map_err(|BadSecret(number)| Error::SigningSecret { number })
}

/// The header that a webhook is shown.
pub(super) fn authorization(
    field: &'static str,
    url: &Url,
    secret: Option<&SecretString>,
) -> Result<Option<HeaderValue>, Error> {
    let Some(secret) = secret else {
        return if is_loopback(url) { Ok(None) } else { Err(Error::NoSecret { field }) };
    };
    let secret = secret.expose_secret().trim();
    let value = HeaderValue::from_str(&format!("Bearer {secret}"));
    let mut value = value.ok().filter(|_| !secret.is_empty()).ok_or(Error::Secret)?;
    value.set_sensitive(true);
    Ok(Some(value))
}
