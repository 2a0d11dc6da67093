//! Secrets in files and variables: read, long enough, and each for one kind of caller.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::{SHORTEST_SECRET, ServerSettings, SessionAuth};

/// Two kinds of callers with one secret would be one kind.
pub(super) fn shared_secrets(settings: &ServerSettings) -> Vec<String> {
    let session = match &settings.session {
        Some(SessionAuth::Secret(secret)) => Some(secret),
        _ => None,
    };
    let mut known: Vec<(String, &SecretString)> = settings
        .partner_keys
        .iter()
        .map(|key| (format!("the partner key {}", key.name), &key.secret))
        .collect();
    let mut wrong = Vec::new();
    for (key, secret) in [
        ("events_secret_file", settings.events_secret.as_ref()),
        ("operator_secret_file", settings.operator_secret.as_ref()),
        ("session_secret_file", session),
    ] {
        let Some(secret) = secret else { continue };
        if let Some((other, _)) = known.iter().find(|(_, it)| it.expose_secret() == secret.expose_secret()) {
            wrong.push(format!("{key} holds the secret of {other} as well; each must have its own"));
        }
        known.push((key.to_owned(), secret));
    }
    wrong
}

pub(super) fn secret_file(
    key: &str,
    folder: &Path,
    file: &Path,
    wrong: &mut Vec<String>,
) -> Option<SecretString> {
    match secret_in_file(folder, file) {
        Ok(secret) => Some(secret),
        Err(problem) => {
            wrong.push(format!("{key} names {}, which {problem}", file.display()));
            None
        }
    }
}

/// The secret in a file beside the configuration, or what is wrong with it.
pub(in crate::config) fn secret_in_file(folder: &Path, file: &Path) -> Result<SecretString, String> {
    let text =
        std::fs::read_to_string(folder.join(file)).map_err(|error| format!("cannot be read: {error}"))?;
    secret(&text)
}

/// A secret, without the line's end that an editor leaves behind it.
pub(super) fn secret(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    match text.len() {
        SHORTEST_SECRET.. => Ok(SecretString::from(text)),
        bytes => Err(format!(
            "holds a secret of {bytes} bytes; it must have {SHORTEST_SECRET} or more, e.g. from `openssl rand -base64 48`"
        )),
    }
}
