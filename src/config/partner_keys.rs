//! The list `[[partner_keys]]`: what the partner's backends show at the connector's API, and for which orgs and
//! channels each of them may speak.
//!
//! The one secret of `[server] events_secret_file` is for all of them. A key's secret stands in a file of its own.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Org;
use super::document::{Document, Entry};
use super::server::{PartnerKey, secret_in_file};
use crate::model::ids::OrgId;

const LIST: &str = "partner_keys";

/// A key as the file has it. What must be there is asked for when all of it is read, so that nothing that is missing
/// hides what is wrong with the rest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Written {
    name: Option<String>,
    secret_file: Option<PathBuf>,
    orgs: Option<Vec<OrgId>>,
    channels: Vec<String>,
}

impl Entry for Written {
    const CAMEL_CASE: bool = false;
    const PLACED: bool = true;

    fn id(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let blank = |key, is_blank: bool, problem: &str| is_blank.then(|| (key, problem.to_owned()));
        let name = "it is empty; it must be the name of the key for messages";
        let orgs = "it names no org; for all orgs, use events_secret_file in [server]";
        let no_name = self.name.as_ref().is_some_and(|name| name.trim().is_empty());
        let no_orgs = self.orgs.as_ref().is_some_and(Vec::is_empty);
        [blank("name", no_name, name), blank("orgs", no_orgs, orgs)].into_iter().flatten().collect()
    }
}

/// Reads the list; none where anything in it is wrong. A path in it is relative to the folder that the file is in.
pub(super) fn read(document: &mut Document<'_>, path: &Path, orgs: &[Org]) -> Option<Vec<PartnerKey>> {
    let before = document.count_mistakes();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut keys: Vec<PartnerKey> = Vec::new();
    for (n, written) in document.list::<Written>(LIST).into_iter().enumerate() {
        let at = |key: &str| format!("{LIST}[{n}].{key}");
        for (key, problem) in unknown(&written, orgs).into_iter().chain(missing(&written)) {
            if !document.is_told(&at(key)) {
                document.mistake_at(&at(key), problem);
            }
        }
        let Written { name, secret_file, orgs, channels } = written;
        let Some(secret_file) = secret_file else { continue };
        let secret = match secret_in_file(folder, &secret_file) {
            Ok(secret) => secret,
            Err(problem) => {
                document.mistake_at(
                    &at("secret_file"),
                    format_args!("it names {}, which {problem}", secret_file.display()),
                );
                continue;
            }
        };
        if let Some(other) = keys.iter().find(|key| key.secret.expose_secret() == secret.expose_secret()) {
            let problem =
                format!("it holds the secret of {} as well; each key must have its own", other.name);
            document.mistake_at(&at("secret_file"), problem);
        }
        let (Some(name), Some(orgs)) = (name, orgs) else { continue };
        keys.push(PartnerKey { name, secret, orgs, channels });
    }
    (document.count_mistakes() == before).then_some(keys)
}

/// What must be there, and is not.
fn missing(written: &Written) -> impl Iterator<Item = (&'static str, String)> {
    let missing = |key, is_there: bool, wanted: &str| {
        (!is_there).then(|| (key, format!("it is missing; it must be {wanted}")))
    };
    let called = missing("name", written.name.is_some(), "the name of the key for messages");
    let file =
        missing("secret_file", written.secret_file.is_some(), "the path of the file that holds the secret");
    let meant = missing("orgs", written.orgs.is_some(), "the list of the orgs that the key is for");
    [called, file, meant].into_iter().flatten()
}

/// Orgs and channels that are not served here: a key for them is a slip.
fn unknown(written: &Written, orgs: &[Org]) -> Vec<(&'static str, String)> {
    // Where no org could be read, that has been told.
    if orgs.is_empty() {
        return Vec::new();
    }
    let meant = written.orgs.as_deref().unwrap_or_default();
    let is_meant = |org: &&Org| meant.contains(&org.id);
    let names =
        |org: &Org| org.channels.iter().filter_map(|one| one.developer_name.clone()).collect::<Vec<_>>();
    let channels: Vec<String> = orgs.iter().filter(is_meant).flat_map(names).collect();
    let mut wrong = Vec::new();
    for org in meant.iter().filter(|id| !orgs.iter().any(|org| org.id == **id)) {
        wrong.push((
            "orgs",
            format!("it names {org}, which is not configured; it must be in [org] or [[orgs]]"),
        ));
    }
    if wrong.is_empty() && !meant.is_empty() {
        for channel in written.channels.iter().filter(|channel| !channels.contains(channel)) {
            let known = channels.join(", ");
            wrong.push(("channels", format!("it names {channel}; these orgs have {known}")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, Error, Serving};
    use super::*;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    const ORG: &str = "[channel_definition]\ndeveloper_name = 'Acme_Messaging'\nrouting_owner = 'Partner'\n\
                       custom_platform_event = 'acme__Routing__e'\n[org]\nid = '00DHs0000000001'\n\
                       instance_url = 'https://acme.my.salesforce.com'\n\
                       interaction_url = 'https://acme.my.salesforce-scrt.com'\nconsumer_key = 'key'\n\
                       username = 'user@acme.example'\n";

    fn parse(text: &str) -> Result<Vec<PartnerKey>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, secret) in [("a", LONG.to_owned()), ("b", LONG.repeat(2)), ("short", "hush".to_owned())] {
            std::fs::write(folder.path().join(name), secret).unwrap();
        }
        let key = include_str!("../../fixtures/keys/sample-private-key.pem").to_owned();
        let environment = Environment::from([("BYOC_ORG_PRIVATE_KEY".to_owned(), key)]);
        let file = folder.path().join("byoc.toml");
        match Serving::parse(&file, &format!("{ORG}{text}"), &environment) {
            Ok(serving) => {
                assert!(!format!("{serving:?}").contains(LONG), "a secret was printed");
                Ok(serving.server.partner_keys)
            }
            Err(Error::Mistaken { mistakes }) => {
                let place = format!("{}/", folder.path().display());
                Err(mistakes.iter().map(|mistake| mistake.to_string().replace(&place, "")).collect())
            }
            Err(error) => Err(vec![error.to_string()]),
        }
    }

    #[test]
    fn a_key_names_the_orgs_and_channels_that_it_is_for() {
        let text = "[server]\nlisten = '0.0.0.0:80'\n\
                    [[partner_keys]]\nname = 'acme'\nsecret_file = 'a'\norgs = ['00DHs0000000001']\n\
                    [[partner_keys]]\nname = 'chat'\nsecret_file = 'b'\norgs = ['00DHs0000000001']\nchannels = ['Acme_Messaging']\n";
        let keys = parse(text).unwrap();
        let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["acme", "chat"]);
        let own = "00DHs0000000001".parse().unwrap();
        let other = "00DHs0000000002".parse().unwrap();
        assert!(
            keys.iter().all(|key| key.is_for(own, "Acme_Messaging") && !key.is_for(other, "Acme_Messaging"))
        );
        assert_eq!(keys.iter().map(|key| key.is_for(own, "Other")).collect::<Vec<_>>(), [true, false]);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn every_mistake_in_a_key_is_told_with_its_key() {
        let text = "[server]\nlisten = '0.0.0.0:80'\nevents_secret_file = 'b'\n\
                    [[partner_keys]]\nname = ''\nsecret_file = 'short'\norgs = []\n\
                    [[partner_keys]]\nname = 'two'\nsecret_file = 'none-such'\norgs = ['00DHs0000000009']\n\
                    [[partner_keys]]\nname = 'three'\nsecret_file = 'a'\norgs = ['00DHs0000000001']\nchannels = ['Other']\n\
                    [[partner_keys]]\nname = 'four'\nsecret_file = 'a'\norgs = ['00DHs0000000001']\nsecret = 'x'\n";
        insta::assert_snapshot!(parse(text).unwrap_err().join("\n"), @r"
        byoc.toml, line 14, partner_keys[0].name: it is empty; it must be the name of the key for messages
        byoc.toml, line 14, partner_keys[0].orgs: it names no org; for all orgs, use events_secret_file in [server]
        byoc.toml, line 16, partner_keys[0].secret_file: it names short, which holds a secret of 4 bytes; it must have 32 or more, e.g. from `openssl rand -base64 48`
        byoc.toml, line 20, partner_keys[1].secret_file: it names none-such, which cannot be read: No such file or directory (os error 2)
        byoc.toml, line 21, partner_keys[1].orgs: it names 00DHs0000000009, which is not configured; it must be in [org] or [[orgs]]
        byoc.toml, line 26, partner_keys[2].channels: it names Other; these orgs have Acme_Messaging
        byoc.toml, line 29, partner_keys[3].secret_file: it holds the secret of three as well; each key must have its own
        byoc.toml, line 31, partner_keys[3].secret: unknown key; the keys are name, secret_file, orgs, channels
        ");
        let twice = "[server]\nevents_secret_file = 'a'\n[[partner_keys]]\nname = 'acme'\nsecret_file = 'a'\norgs = ['00DHs0000000001']\n";
        insta::assert_snapshot!(parse(twice).unwrap_err().join("\n"), @"byoc.toml, line 12, server.events_secret_file: it holds the secret of the partner key acme as well; each must have its own");
    }
}
