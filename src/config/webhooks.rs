//! The table `[webhooks]`: where the partner's own rep finder, directory and end-user notifier are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::Environment;
use super::document::Document;
use crate::webhook::Settings;

/// The single values that a variable may set.
const KEYS: &[&str] = &[
    "rep_finder_url",
    "directory_url",
    "end_user_notifier_url",
    "timeout_milliseconds",
    "secret_file",
    "signing_secrets_file",
];

/// What the secret may also come in.
const SECRET_VARIABLE: &str = "BYOC_WEBHOOKS_SECRET";

/// What the signing secrets may also come in, separated as in the file.
const SIGNING_VARIABLE: &str = "BYOC_WEBHOOKS_SIGNING_SECRETS";

/// The table as the file has it.
#[derive(Debug, Clone, Deserialize)]
struct Written {
    rep_finder_url: Option<String>,
    directory_url: Option<String>,
    end_user_notifier_url: Option<String>,
    #[serde(default = "default_timeout")]
    timeout_milliseconds: u64,
    secret_file: Option<PathBuf>,
    signing_secrets_file: Option<PathBuf>,
}

fn default_timeout() -> u64 {
    2_000
}

/// Reads the table; a path in it is relative to the folder that the file is in.
pub(super) fn read(document: &mut Document<'_>, path: &Path, environment: &Environment) -> Settings {
    let mut settings = Settings::default();
    let mistakes = |written: &Written| {
        let held = |variable, key, file| held(variable, key, file, path, environment);
        let secret = held(SECRET_VARIABLE, "secret_file", written.secret_file.as_ref());
        let signing = held(SIGNING_VARIABLE, "signing_secrets_file", written.signing_secrets_file.as_ref());
        let signing = match signing {
            Ok(Some(all)) if all.expose_secret().trim().is_empty() => {
                Err("signing_secrets_file is empty; it must have one secret a line".to_owned())
            }
            other => other,
        };
        let unread: Vec<String> =
            [&secret, &signing].into_iter().filter_map(|one| one.clone().err()).collect();
        settings = written.settings(secret.ok().flatten(), signing.ok().flatten().as_ref());
        // What cannot be read is not missing.
        let is_unread =
            |told: &String| unread.iter().any(|one| one.split(' ').next() == told.split(' ').next());
        let others: Vec<String> = settings.mistakes().into_iter().filter(|told| !is_unread(told)).collect();
        unread.into_iter().chain(others).collect()
    };
    document.table::<Written>("webhooks", KEYS, mistakes);
    settings
}

/// What stands in a variable, else in the file that a key names.
fn held(
    variable: &str,
    key: &str,
    file: Option<&PathBuf>,
    path: &Path,
    environment: &Environment,
) -> Result<Option<SecretString>, String> {
    if let Some(secret) = environment.get(variable) {
        return Ok(Some(SecretString::from(secret.as_str())));
    }
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(path.parent().unwrap_or(Path::new("")).join(file));
    text.map(|text| Some(SecretString::from(text)))
        .map_err(|error| format!("{key} is {}, which cannot be read: {error}", file.display()))
}

impl Written {
    fn settings(&self, secret: Option<SecretString>, signing: Option<&SecretString>) -> Settings {
        // One secret a line; a variable may have them in one.
        let signing = signing.map(|all| all.expose_secret().split_whitespace());
        Settings {
            rep_finder_url: self.rep_finder_url.clone(),
            directory_url: self.directory_url.clone(),
            end_user_notifier_url: self.end_user_notifier_url.clone(),
            timeout: Duration::from_millis(self.timeout_milliseconds),
            secret,
            signing_secrets: signing.into_iter().flatten().map(SecretString::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/x.toml");
        let mut document = Document::parse(&path, text, &environment);
        let settings = read(&mut document, &path, &environment);
        let mistakes = document.finish();
        let told = mistakes.iter().map(|mistake| {
            let folder = path.parent().unwrap().display().to_string();
            mistake.to_string().replace(&folder, "…")
        });
        if mistakes.is_empty() { Ok(settings) } else { Err(told.collect()) }
    }

    #[test]
    fn the_table_and_the_variables_say_where_the_webhooks_are() {
        let settings = parse("", &[]).unwrap();
        assert!(settings.is_empty() && settings.secret.is_none());
        let file =
            "[webhooks]\ndirectory_url = 'https://acme.example/contacts'\ntimeout_milliseconds = 900\n";
        let variables =
            [("BYOC_WEBHOOKS_REP_FINDER_URL", "https://acme.example/find"), ("BYOC_WEBHOOKS_SECRET", "hush")];
        let settings = parse(file, &variables).unwrap();
        assert_eq!(settings.rep_finder_url.as_deref(), Some("https://acme.example/find"));
        assert_eq!(settings.directory_url.as_deref(), Some("https://acme.example/contacts"));
        assert_eq!((settings.end_user_notifier_url.as_ref(), settings.timeout.as_millis()), (None, 900));
        assert!(!format!("{settings:?}").contains("hush"), "the secret was printed");
        assert_eq!(settings.secret.unwrap().expose_secret(), "hush");
        let local = "[webhooks]\nrep_finder_url = 'http://127.0.0.1:9000/find'";
        assert!(parse(local, &[]).unwrap().secret.is_none(), "on this machine it may do without");
        let beside = format!("{local}\nsecret_file = 'keys/sample-private-key.pem'\n");
        let told = parse(&beside, &[]).unwrap_err();
        insta::assert_snapshot!(told.join("\n"), @"…/x.toml, line 3, webhooks.secret_file: it is empty, or has characters that an HTTP header cannot carry; it must be one line of ASCII");
    }

    #[test]
    fn signing_secrets_stand_one_a_line_in_a_file_or_in_a_variable() {
        let secrets = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
        let local = "[webhooks]\nrep_finder_url = 'http://127.0.0.1:9000/find'";
        let settings = parse(local, &[(SIGNING_VARIABLE, secrets)]).unwrap();
        let exposed: Vec<&str> = settings.signing_secrets.iter().map(SecretString::expose_secret).collect();
        assert_eq!(exposed.join(" "), secrets);
        assert!(!format!("{settings:?}").contains("MfKQ"), "a secret was printed");
        let file = "[webhooks]\nsigning_secrets_file = 'keys/sample-private-key.pem'";
        insta::assert_snapshot!(parse(file, &[]).unwrap_err().join("\n"), @"…/x.toml, line 2, webhooks.signing_secrets_file: it has a secret, number 1, that is none; each must be whsec_ and 24 to 64 bytes in base64");
        insta::assert_snapshot!(parse(file, &[(SIGNING_VARIABLE, " ")]).unwrap_err().join("\n"), @"…/x.toml, line 2, webhooks.signing_secrets_file: it is empty; it must have one secret a line");
        let file = "[webhooks]\nsigning_secrets_file = 'none.txt'";
        insta::assert_snapshot!(parse(file, &[]).unwrap_err().join("\n"), @"…/x.toml, line 2, webhooks.signing_secrets_file: it is none.txt, which cannot be read: No such file or directory (os error 2)");
    }

    #[test]
    fn every_mistake_names_its_key() {
        let text = "[webhooks]\nrep_finder_url = 'http://acme.example/find'\ndirectory_url = 'https://acme.example/?key=1'\n\
                    timeout_milliseconds = 5\nsecret = 'hush'\n";
        let variables = [("BYOC_WEBHOOKS_END_USER_NOTIFIER_URL", "nowhere")];
        insta::assert_snapshot!(parse(text, &variables).unwrap_err().join("\n"), @r"
        …/x.toml, line 2, webhooks.rep_finder_url: it is 'http://acme.example/find'; it must be an https URL; plain http is only allowed for localhost, because tokens are sent there
        …/x.toml, line 3, webhooks.directory_url: it has a query or a fragment; remove it: secrets belong in secret_file
        …/x.toml, line 4, webhooks.timeout_milliseconds: it must be 10 to 30000
        …/x.toml, line 5, webhooks.secret: unknown key; the keys are rep_finder_url, directory_url, end_user_notifier_url, timeout_milliseconds, secret_file, signing_secrets_file
        the variable BYOC_WEBHOOKS_END_USER_NOTIFIER_URL: it is 'nowhere'; it must be a whole URL, such as https://host.example
        ");
        let text = "[webhooks]\nrep_finder_url = 'https://acme.example/find'\n";
        insta::assert_snapshot!(parse(text, &[]).unwrap_err().join("\n"), @"…/x.toml, line 1, webhooks: secret_file is missing; rep_finder_url is on another machine, so calls to it must be authenticated");
        insta::assert_snapshot!(parse(text, &[("BYOC_WEBHOOKS_SECRET", " ")]).unwrap_err().join("\n"), @"…/x.toml, line 1, webhooks: secret_file is empty, or has characters that an HTTP header cannot carry; it must be one line of ASCII");
        let file = format!("{text}secret_file = 'none.txt'\n");
        insta::assert_snapshot!(parse(&file, &[]).unwrap_err().join("\n"), @"…/x.toml, line 3, webhooks.secret_file: it is none.txt, which cannot be read: No such file or directory (os error 2)");
    }
}
