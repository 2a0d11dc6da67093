//! What only a running connector needs: its orgs, how to log in to them, where the store is.
//!
//! Read when something is to be served, and passed over otherwise: who replays a recording on their own
//! machine has no private key there.
//!
//! One org stands in `[org]`, and its single values can be set by variables (`BYOC_ORG_USERNAME`); more of
//! them in `[[orgs]]`, in the file alone. `[org]` has the channel definition at the top of the file and the
//! roster beside it; an org of `[[orgs]]` names files of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::document::{Document, Entry, Source};
use super::server::{self, ServerSettings};
use super::store::{self, StoreSettings};
use super::{Config, Environment, Error, webhooks};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::OrgId;
use crate::model::roster::Roster;
use crate::outbound::secret_worthy_url;
use crate::webhook;

/// A value that does not print.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

/// Everything that a running connector works with.
#[derive(Debug, Clone)]
pub struct Serving {
    /// What every command reads.
    pub config: Config,
    /// The orgs, at least one.
    pub orgs: Vec<Org>,
    /// Where the store is.
    pub store: StoreSettings,
    /// The connector's own HTTP server.
    pub server: ServerSettings,
    /// The partner's own rep finder, directory and end-user notifier.
    pub webhooks: webhook::Settings,
}

/// One org, and how to log in to it.
#[derive(Debug, Clone)]
pub struct Org {
    /// Where in the file it stands: `org`, or `orgs[2]`.
    pub place: String,
    /// Its id.
    pub id: OrgId,
    /// Its own address, e.g. `https://acme.my.salesforce.com`.
    pub instance_url: String,
    /// Its Interaction Service, e.g. `https://acme.my.salesforce-scrt.com`.
    pub interaction_url: String,
    /// The Pub/Sub API; Salesforce's own where not set.
    pub pubsub_endpoint: Option<String>,
    /// The connected app's consumer key (`iss`).
    pub consumer_key: String,
    /// The integration user (`sub`).
    pub username: String,
    /// `https://login.salesforce.com`, or for a sandbox `https://test.salesforce.com`.
    pub audience: Option<String>,
    /// Where tokens are asked for, where that is not at the audience.
    pub token_url: Option<String>,
    /// The RSA key in PEM whose certificate the connected app has.
    pub private_key: Secret,
    /// Whether a stream of which nothing was read yet begins with the oldest event that is kept, and not with
    /// what is published from now on.
    pub from_earliest: bool,
    /// Its partner channels, at least one.
    pub channels: Vec<ChannelDefinition>,
    /// Its people.
    pub roster: Roster,
}

/// The single values of `[org]` that a variable may set.
const ORG_KEYS: &[&str] = &[
    "id",
    "instance_url",
    "interaction_url",
    "pubsub_endpoint",
    "consumer_key",
    "username",
    "audience",
    "token_url",
    "private_key_file",
    "begin",
];

/// What the key of `[org]` may also come in.
const KEY_VARIABLE: &str = "BYOC_ORG_PRIVATE_KEY";

/// An org as the file has it.
#[derive(Debug, Clone, Deserialize)]
struct Written {
    id: OrgId,
    instance_url: String,
    interaction_url: String,
    pubsub_endpoint: Option<String>,
    consumer_key: String,
    username: String,
    audience: Option<String>,
    token_url: Option<String>,
    private_key_file: Option<PathBuf>,
    #[serde(default)]
    begin: Begin,
    #[serde(default)]
    channels: Vec<PathBuf>,
    roster: Option<PathBuf>,
}

impl Written {
    /// Values that cannot be, and why. A sentence is about its key.
    fn wrong_values(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let token_url = self.token_url.as_ref();
        let urls = [
            ("instance_url", Some(&self.instance_url)),
            ("interaction_url", Some(&self.interaction_url)),
            ("pubsub_endpoint", self.pubsub_endpoint.as_ref()),
            // Where no other is set, tokens are asked for there.
            ("audience", self.audience.as_ref().filter(|_| token_url.is_none())),
            ("token_url", token_url),
        ];
        for (key, url) in urls {
            match url.map(|url| secret_worthy_url(url)) {
                Some(Err(error)) => wrong.push((key, format!("it {error}"))),
                Some(Ok(url)) if key == "interaction_url" && url.path() != "/" => {
                    let wanted = "it must be the host alone, such as https://acme.my.salesforce-scrt.com";
                    wrong.push((key, format!("it has the path {}; {wanted}", url.path())));
                }
                _ => {}
            }
        }
        let texts = [
            ("consumer_key", Some(&self.consumer_key), "the connected app in Salesforce has it"),
            (
                "username",
                Some(&self.username),
                "it must be the integration user's, such as byoc@acme.example",
            ),
            ("audience", self.audience.as_ref(), "leave it out, or set it"),
        ];
        for (key, text, wanted) in texts {
            if text.is_some_and(|text| text.trim().is_empty()) && !wrong.iter().any(|(told, _)| *told == key)
            {
                wrong.push((key, format!("it is empty; {wanted}")));
            }
        }
        wrong
    }
}

impl Entry for Written {
    const CAMEL_CASE: bool = false;
    const PLACED: bool = true;

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Where a stream begins of which nothing was read yet.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Begin {
    Earliest,
    #[default]
    Latest,
}

/// The keys that [`Config`] passes over.
pub(super) const KEYS: &[&str] = &["org", "orgs", "server", "store", "webhooks"];

impl Serving {
    /// Reads a file. A path in it is relative to the folder that the file is in.
    ///
    /// # Errors
    /// Where the file cannot be read, or with all mistakes in it.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text, environment)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// With all mistakes in it.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut document = Document::parse(path, text, environment);
        let config = Config::read(&mut document, path);
        let mut reader = Orgs { document: &mut document, path, environment, config: &config };
        let orgs = reader.read();
        let store = store::read(&mut document, path);
        let server = server::read(&mut document, path, environment);
        let webhooks = webhooks::read(&mut document, path, environment);
        let mistakes = document.finish();
        if mistakes.is_empty() {
            Ok(Self { config, orgs, store, server, webhooks })
        } else {
            Err(Error::Mistaken { mistakes })
        }
    }
}

/// Letters, digits and underscores, as all of Salesforce's API names.
fn is_api_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What came from outside, cut to what fits in one line.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Signs with it, once: whatever is wrong with a key, it cannot do that.
fn is_rsa_key(text: &str) -> Result<(), String> {
    let signed = EncodingKey::from_rsa_pem(text.as_bytes())
        .and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::RS256), &(), &key));
    let wanted = "it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----, and have 2048 \
                  bits or more";
    signed.map(drop).map_err(|error| format!("no RSA key in PEM ({error}); {wanted}"))
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the orgs.
struct Orgs<'a, 't> {
    document: &'a mut Document<'t>,
    path: &'a Path,
    environment: &'a Environment,
    config: &'a Config,
}

impl Orgs<'_, '_> {
    fn read(&mut self) -> Vec<Org> {
        let one = self.document.table::<Written>("org", ORG_KEYS, |_| Vec::new());
        let more = self.document.list::<Written>("orgs");
        let told = self.document.has_mistakes();
        let alone = more.is_empty();
        let mut orgs = Vec::new();
        if let Some(written) = one {
            orgs.push(self.org("org".to_owned(), written, true));
        }
        for (n, written) in more.into_iter().enumerate() {
            let place = format!("orgs[{n}]");
            if let Some(same) = orgs.iter().find(|org: &&Org| org.id == written.id) {
                let problem = format!("{} is the id of {} already; ids must differ", written.id, same.place);
                self.mistake(&format!("{place}.id"), problem);
            }
            orgs.push(self.org(place, written, false));
        }
        if orgs.is_empty() && !told && !self.document.has_mistakes() {
            let problem = "there is none; a connector needs at least one, in a table [org] with id, \
                           instance_url, interaction_url, consumer_key, username and private_key_file";
            self.mistake("org", problem);
        }
        if !alone && !orgs.iter().any(|org| org.place == "org") && !self.config.roster.is_empty() {
            let problem = "the reps, queues, flows and contacts at the top of the file are those of [org], which is \
                           not there; an org of [[orgs]] names a file of its own: roster = \"acme.toml\"";
            self.mistake("orgs", problem);
        }
        orgs
    }

    fn org(&mut self, place: String, written: Written, main: bool) -> Org {
        let private_key = self.private_key(&place, written.private_key_file.as_deref(), main);
        let channels = self.channels(&place, &written.channels, main);
        let roster = match &written.roster {
            Some(file) => self.roster(&place, file),
            None if main => self.config.roster.clone(),
            None => Roster::default(),
        };
        for (key, problem) in written.wrong_values() {
            self.mistake(&format!("{place}.{key}"), problem);
        }
        Org {
            id: written.id,
            instance_url: written.instance_url,
            interaction_url: written.interaction_url,
            pubsub_endpoint: written.pubsub_endpoint,
            consumer_key: written.consumer_key,
            username: written.username,
            audience: written.audience,
            token_url: written.token_url,
            private_key,
            from_earliest: matches!(written.begin, Begin::Earliest),
            channels,
            roster,
            place,
        }
    }

    fn private_key(&mut self, place: &str, file: Option<&Path>, main: bool) -> Secret {
        if let Some(text) = self.environment.get(KEY_VARIABLE).filter(|_| main) {
            if let Err(problem) = is_rsa_key(text) {
                let source = Source::Variable(KEY_VARIABLE.to_owned());
                self.document.mistake(
                    source,
                    format_args!("{place}.private_key"),
                    format_args!("it is {problem}"),
                );
            }
            return Secret::new(text.as_str());
        }
        let key = format!("{place}.private_key_file");
        let Some(file) = file else {
            let also = if main { format!(", or the key itself in {KEY_VARIABLE}") } else { String::new() };
            self.mistake(&key, format_args!("it is missing; it must be the path of an RSA key in PEM{also}"));
            return Secret::new("");
        };
        let problem = match std::fs::read_to_string(folder(self.path).join(file)) {
            Ok(text) => match is_rsa_key(&text) {
                Ok(()) => return Secret::new(text),
                Err(problem) => format!("is {problem}"),
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        self.mistake(&key, format_args!("it is {}, which {problem}", file.display()));
        Secret::new("")
    }

    fn channels(&mut self, place: &str, files: &[PathBuf], main: bool) -> Vec<ChannelDefinition> {
        let inline = self.config.channel_definition.clone().filter(|_| main);
        let mut channels: Vec<_> =
            inline.into_iter().map(|definition| ("channel_definition".to_owned(), definition)).collect();
        for (n, file) in files.iter().enumerate() {
            match ChannelDefinition::from_file(folder(self.path).join(file)) {
                Ok(definition) => channels.push((format!("{place}.channels[{n}]"), definition)),
                Err(error) => self.mistake(&format!("{place}.channels[{n}]"), error),
            }
        }
        if channels.is_empty() && files.is_empty() && !self.document.has_mistakes() {
            if main {
                let wanted = "it is missing; a connector needs the partner channel's, in a table [channel_definition] \
                              or as the path of its *.ConversationChannelDefinition-meta.xml";
                self.mistake("channel_definition", wanted);
            } else {
                let wanted = "it is missing; it must be a list of channel definition files";
                self.mistake(&format!("{place}.channels"), wanted);
            }
        }
        self.check_channels(&channels);
        channels.into_iter().map(|(_, definition)| definition).collect()
    }

    /// Each needs a name, by which Salesforce knows it, and a stream of its own: an event does not say
    /// which channel definition it is of, and two that read it would both route it.
    fn check_channels(&mut self, channels: &[(String, ChannelDefinition)]) {
        let mut topics = BTreeMap::new();
        let mut names = BTreeSet::new();
        for (key, definition) in channels {
            let Some(name) = definition.developer_name.as_deref() else {
                let problem = "it is missing; every call to Salesforce names it";
                self.mistake(&format!("{key}.developer_name"), problem);
                continue;
            };
            if !is_api_name(name) {
                let problem = format!("it is '{}'; it must be such as Acme_Messaging", shown(name));
                self.mistake(&format!("{key}.developer_name"), problem);
                continue;
            }
            if !names.insert(name) {
                let problem =
                    format!("there are two channel definitions {name}; developer names must differ");
                self.mistake(key, problem);
                continue;
            }
            let Some(topic) = definition.topic() else {
                let problem = format!("it is missing; it says where the events of {name} come from");
                self.mistake(&format!("{key}.custom_platform_event"), problem);
                continue;
            };
            self.check_event(key, definition);
            if let Some(other) = topics.insert(topic.clone(), name) {
                let problem = format!(
                    "the channel definitions {other} and {name} have the same platform event {topic}, and an event \
                     does not say whose it is; give each channel an event of its own"
                );
                self.mistake(key, problem);
            }
        }
    }

    /// The names that Salesforce's own fields have: what is none is never found.
    fn check_event(&mut self, key: &str, definition: &ChannelDefinition) {
        let names = [
            ("custom_platform_event", definition.custom_platform_event.as_deref(), "__e"),
            ("custom_event_type_field", definition.event_type_field(), "__c"),
            ("custom_event_payload_field", definition.event_payload_field(), "__c"),
        ];
        for (field, name, ending) in names {
            if let Some(name) = name.filter(|name| !is_api_name(name) || !name.ends_with(ending)) {
                let problem = format!(
                    "it is '{}'; it must be an API name that ends in {ending}, such as acme__Routing{ending}",
                    shown(name)
                );
                self.mistake(&format!("{key}.{field}"), problem);
            }
        }
    }

    fn roster(&mut self, place: &str, file: &Path) -> Roster {
        let path = folder(self.path).join(file);
        match Config::load(&path, &Environment::new()) {
            Ok(config) => config.roster,
            Err(error) => {
                self.mistake(&format!("{place}.roster"), error);
                Roster::default()
            }
        }
    }

    fn mistake(&mut self, key: &str, problem: impl fmt::Display) {
        self.document.mistake_at(key, problem);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DEFINITION: &str = "[channel_definition]\ndeveloper_name = 'Acme_Messaging'\nrouting_owner = 'Partner'\ncustom_platform_event = 'acme__Routing__e'\n";

    const ORG: &str = "[org]\nid = '00DHs0000000001'\ninstance_url = 'https://acme.my.salesforce.com'\n\
                       interaction_url = 'https://acme.my.salesforce-scrt.com'\nconsumer_key = 'key'\nusername = 'user@acme.example'\n";

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
    }

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Serving, Vec<String>> {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let file = folder().join("x.toml");
        Serving::parse(&file, text, &variables).map_err(|error| match error {
            Error::Mistaken { mistakes } => {
                let place = format!("{}", folder().display());
                mistakes.iter().map(|mistake| mistake.to_string().replace(&place, "…")).collect()
            }
            Error::Unreadable { .. } => vec![error.to_string()],
        })
    }

    #[test]
    fn one_org_stands_in_the_file_with_its_channel_and_its_people() {
        let text = format!(
            "{DEFINITION}{ORG}private_key_file = 'keys/sample-private-key.pem'\nbegin = 'earliest'\n[store]\n\
             path = 'state/byoc.db'\noutcome_days = 7\nmax_megabytes = 64\n[[reps]]\nid = '005Hs00000Ada01'\n"
        );
        let serving = parse(&text, &[]).unwrap();
        let [org] = serving.orgs.as_slice() else { panic!("{:?}", serving.orgs) };
        assert_eq!((org.place.as_str(), org.roster.reps.len(), org.channels.len()), ("org", 1, 1));
        assert!(org.from_earliest && org.private_key.expose().contains("PRIVATE KEY"));
        assert!(!format!("{serving:?}").contains("BEGIN"), "a key was printed");
        let store = StoreSettings {
            path: folder().join("state/byoc.db"),
            outcomes: Duration::from_secs(7 * 24 * 3600),
            max_bytes: Some(64 << 20),
        };
        assert_eq!(serving.store, store);
    }

    #[test]
    fn variables_set_the_org_and_its_key() {
        let key = std::fs::read_to_string(folder().join("keys/sample-private-key.pem")).unwrap();
        let variables = [("BYOC_ORG_PRIVATE_KEY", key.as_str()), ("BYOC_ORG_USERNAME", "other@acme.example")];
        let serving = parse(&format!("{DEFINITION}{ORG}"), &variables).unwrap();
        assert_eq!(serving.orgs[0].username, "other@acme.example");
        assert_eq!(serving.orgs[0].private_key.expose(), key);
        assert!(!serving.orgs[0].from_earliest, "history is nobody's business until it is asked for");
    }

    #[test]
    fn what_is_missing_to_serve_is_named() {
        insta::assert_snapshot!(parse("", &[]).unwrap_err().join("\n"), @"…/x.toml, org: there is none; a connector needs at least one, in a table [org] with id, instance_url, interaction_url, consumer_key, username and private_key_file");
        insta::assert_snapshot!(parse(ORG, &[]).unwrap_err().join("\n"), @"…/x.toml, line 1, org.private_key_file: it is missing; it must be the path of an RSA key in PEM, or the key itself in BYOC_ORG_PRIVATE_KEY");
        let key = std::fs::read_to_string(folder().join("keys/sample-private-key.pem")).unwrap();
        let key = [("BYOC_ORG_PRIVATE_KEY", key.as_str())];
        insta::assert_snapshot!(parse(ORG, &key).unwrap_err().join("\n"), @"…/x.toml, channel_definition: it is missing; a connector needs the partner channel's, in a table [channel_definition] or as the path of its *.ConversationChannelDefinition-meta.xml");
        let bare = "[channel_definition]\nrouting_owner = 'Partner'\n";
        insta::assert_snapshot!(parse(&format!("{bare}{ORG}"), &key).unwrap_err().join("\n"), @"…/x.toml, line 1, channel_definition.developer_name: it is missing; every call to Salesforce names it");
    }

    #[test]
    fn every_mistake_in_an_org_names_its_key() {
        let text = "[org]\nid = '00X'\ninstance_url = 5\nusername = 'u'\nbegin = 'yesterday'\nconsumer_secret = 's'\n\
                    [store]\npath = ''\noutcome_days = 0\nmax_megabytes = 1\n\
                    [[orgs]]\nid = '00DHs0000000001'\nroster = 'none.toml'\n";
        insta::assert_snapshot!(parse(text, &[("BYOC_STORE_OUTCOME_DAYS", "many")]).unwrap_err().join("\n"), @r#"
        …/x.toml, line 2, org.id: '00X' is no org id: it has 3 characters, not 15 or 18
        …/x.toml, line 3, org.instance_url: invalid type: integer `5`, expected a text
        …/x.toml, line 5, org.begin: unknown variant `yesterday`, expected `earliest` or `latest`
        …/x.toml, line 6, org.consumer_secret: there is no such key; there are id, instance_url, interaction_url, pubsub_endpoint, consumer_key, username, audience, token_url, private_key_file, begin, channels, roster
        …/x.toml, line 8, store.path: it is empty; it must be the path of a file, such as byoc.db
        …/x.toml, line 10, store.max_megabytes: it must be 16 or more
        …/x.toml, line 11, orgs[0]: missing field `instance_url`
        the variable BYOC_STORE_OUTCOME_DAYS: invalid type: string "many", expected a whole number, 0 or more
        "#);
    }

    #[test]
    fn two_channels_of_one_stream_are_refused() {
        let text = format!(
            "{DEFINITION}{ORG}channels = ['definitions/acme.toml', 'definitions/none.toml']\n\
             [[orgs]]\nid = '00DHs0000000001'\ninstance_url = 'i'\ninteraction_url = 'i'\nconsumer_key = ''\nusername = 'u'\n"
        );
        insta::assert_snapshot!(parse(&text, &[("BYOC_ORG_PRIVATE_KEY", "k")]).unwrap_err().join("\n"), @r"
        …/x.toml, line 11, org.channels[1]: …/definitions/none.toml cannot be read: No such file or directory (os error 2)
        …/x.toml, line 11, org.channels[0]: there are two channel definitions Acme_Messaging; developer names must differ
        …/x.toml, line 12, orgs[0].private_key_file: it is missing; it must be the path of an RSA key in PEM
        …/x.toml, line 13, orgs[0].id: 00DHs0000000001 is the id of org already; ids must differ
        …/x.toml, line 14, orgs[0].instance_url: it is 'i'; it must be a whole URL, such as https://host.example
        …/x.toml, line 15, orgs[0].interaction_url: it is 'i'; it must be a whole URL, such as https://host.example
        …/x.toml, line 16, orgs[0].consumer_key: it is empty; the connected app in Salesforce has it
        the variable BYOC_ORG_PRIVATE_KEY: it is no RSA key in PEM (InvalidKeyFormat); it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----, and have 2048 bits or more
        ");
        let renamed = text.replace("'Acme_Messaging'", "'Other'").replace(", 'definitions/none.toml'", "");
        let told = parse(&renamed, &[("BYOC_ORG_PRIVATE_KEY", "k")]).unwrap_err();
        insta::assert_snapshot!(told[0], @"…/x.toml, line 11, org.channels[0]: the channel definitions Other and Acme_Messaging have the same platform event /event/acme__Routing__e, and an event does not say whose it is; give each channel an event of its own");
    }
}
