//! The table `[org]` and the list `[[orgs]]`: how to log in to each org, its channels, its people.
//!
//! One org stands in `[org]`, and its single values can be set by variables (`BYOC_ORG_USERNAME`); more of
//! them in `[[orgs]]`, in the file alone. `[org]` has the channel definition at the top of the file and the
//! roster beside it; an org of `[[orgs]]` names files of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::document::{Document, Entry, Source};
use super::{Config, Environment, Org};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::OrgId;
use crate::model::roster::Roster;
use crate::org::ReadLimits;
use crate::outbound::{secret_worthy_url, without_slashes};
use crate::private_key;

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
    "reads_per_day",
    "reads_until_percent",
];

/// What the key of `[org]` may also come in.
const KEY_VARIABLE: &str = "BYOC_ORG_PRIVATE_KEY";

const CONSUMER_KEY: &str = "the app in Salesforce has it";

const USERNAME: &str = "it must be the integration user's, such as byoc@acme.example";

/// An org as the file has it. What must be there is asked for when all of it is read, so that nothing that is missing
/// hides what is wrong with the rest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Written {
    id: Option<OrgId>,
    instance_url: Option<String>,
    interaction_url: Option<String>,
    pubsub_endpoint: Option<String>,
    consumer_key: Option<String>,
    username: Option<String>,
    audience: Option<String>,
    token_url: Option<String>,
    private_key_file: Option<PathBuf>,
    begin: StreamStart,
    reads_per_day: Option<u32>,
    reads_until_percent: Option<u32>,
    channels: Vec<PathBuf>,
    roster: Option<PathBuf>,
}

impl Written {
    /// Slashes at the end of a URL say nothing: Salesforce's own examples have them here and there.
    fn without_slashes(mut self) -> Self {
        let urls = [
            &mut self.instance_url,
            &mut self.interaction_url,
            &mut self.pubsub_endpoint,
            &mut self.audience,
            &mut self.token_url,
        ];
        for url in urls.into_iter().flatten() {
            *url = without_slashes(url).to_owned();
        }
        self
    }

    /// Values that cannot be, and why. A sentence is about its key.
    fn wrong_values(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let token_url = self.token_url.as_ref();
        let urls = [
            ("instance_url", self.instance_url.as_ref()),
            ("interaction_url", self.interaction_url.as_ref()),
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
            ("consumer_key", self.consumer_key.as_ref(), CONSUMER_KEY),
            ("username", self.username.as_ref(), USERNAME),
            ("audience", self.audience.as_ref(), "leave it out, or set it"),
        ];
        for (key, text, wanted) in texts {
            if text.is_some_and(|text| text.trim().is_empty()) && !wrong.iter().any(|(told, _)| *told == key)
            {
                wrong.push((key, format!("it is empty; {wanted}")));
            }
        }
        if self.reads_until_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            wrong.push(("reads_until_percent", "it must be 1 to 100".to_owned()));
        }
        wrong
    }

    fn reads(&self) -> ReadLimits {
        let usual = ReadLimits::default();
        ReadLimits {
            per_day: self.reads_per_day.unwrap_or(usual.per_day),
            until_percent: self.reads_until_percent.unwrap_or(usual.until_percent),
        }
    }

    /// What must be there and is not, and what it must be.
    fn missing(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let wanted = [
            ("id", self.id.is_some(), "it must be the org's, such as 00DHs0000000001"),
            (
                "instance_url",
                self.instance_url.is_some(),
                "it must be the org's own address, such as https://acme.my.salesforce.com",
            ),
            (
                "interaction_url",
                self.interaction_url.is_some(),
                "it must be the host alone, such as https://acme.my.salesforce-scrt.com",
            ),
            ("consumer_key", self.consumer_key.is_some(), CONSUMER_KEY),
            ("username", self.username.is_some(), USERNAME),
        ];
        wanted.into_iter().filter(|(_, is_there, _)| !is_there).map(|(key, _, wanted)| (key, wanted))
    }
}

impl Entry for Written {
    const CAMEL_CASE: bool = false;
    const PLACED: bool = true;

    fn id(&self) -> Option<&str> {
        self.id.as_ref().map(OrgId::as_str)
    }
}

/// Where a stream begins of which nothing was read yet.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StreamStart {
    Earliest,
    #[default]
    Latest,
}

/// Letters, digits and underscores, as all of Salesforce's API names.
fn is_api_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What came from outside, cut to what fits in one line.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads them, and checks all that can be without asking anybody.
pub(super) fn read(
    document: &mut Document<'_>,
    path: &Path,
    environment: &Environment,
    config: &Config,
) -> Vec<Org> {
    Orgs { document, path, environment, config }.read()
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
        let (has_main, alone) = (one.is_some(), more.is_empty());
        let mut orgs: Vec<Org> = Vec::new();
        if let Some(written) = one {
            orgs.extend(self.org("org".to_owned(), written, true));
        }
        for (n, written) in more.into_iter().enumerate() {
            let place = format!("orgs[{n}]");
            if let Some(same) =
                orgs.iter().find(|org: &&Org| Some(org.id) == written.id && org.place == "org")
            {
                let problem = format!("{} is the id of {} already; ids must differ", same.id, same.place);
                self.mistake(&format!("{place}.id"), problem);
            }
            orgs.extend(self.org(place, written, false));
        }
        let is_told = self.document.is_told("org") || self.document.is_told("orgs");
        if !has_main && alone && !is_told {
            let problem = "it is missing; set at least one, in a table [org] with id, \
                           instance_url, interaction_url, consumer_key, username and private_key_file";
            self.mistake("org", problem);
        }
        if !alone && !has_main && !self.config.roster.is_empty() {
            let problem = "the reps, queues, flows and contacts at the top of the file are those of [org], which is \
                           missing; an org of [[orgs]] has its own file: roster = \"acme.toml\"";
            self.mistake("orgs", problem);
        }
        orgs
    }

    /// An org; none where something is missing without which it is none, which is told then.
    fn org(&mut self, place: String, written: Written, main: bool) -> Option<Org> {
        let written = written.without_slashes();
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
        for (key, wanted) in written.missing() {
            self.missing(&format!("{place}.{key}"), format_args!("it is missing; {wanted}"));
        }
        Some(Org {
            reads: written.reads(),
            id: written.id?,
            instance_url: written.instance_url.unwrap_or_default(),
            interaction_url: written.interaction_url.unwrap_or_default(),
            pubsub_endpoint: written.pubsub_endpoint,
            consumer_key: written.consumer_key.unwrap_or_default(),
            username: written.username.unwrap_or_default(),
            audience: written.audience,
            token_url: written.token_url,
            private_key,
            from_earliest: matches!(written.begin, StreamStart::Earliest),
            channels,
            roster,
            place,
        })
    }

    fn private_key(&mut self, place: &str, file: Option<&Path>, main: bool) -> SecretString {
        if let Some(text) = self.environment.get(KEY_VARIABLE).filter(|_| main) {
            return private_key::pem(text.as_bytes()).unwrap_or_else(|reason| {
                let source = Source::Variable(KEY_VARIABLE.to_owned());
                self.document.mistake(
                    source,
                    format_args!("{place}.private_key"),
                    format_args!("it is {reason}"),
                );
                SecretString::default()
            });
        }
        let key = format!("{place}.private_key_file");
        let Some(file) = file else {
            let also = if main { format!(", or the key itself in {KEY_VARIABLE}") } else { String::new() };
            self.missing(&key, format_args!("it is missing; it must be the path of an RSA key in PEM{also}"));
            return SecretString::default();
        };
        let problem = match std::fs::read(folder(self.path).join(file)) {
            Ok(bytes) => match private_key::pem(&bytes) {
                Ok(pem) => return pem,
                Err(reason) => format!("is {reason}"),
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        self.mistake(&key, format_args!("it is {}, which {problem}", file.display()));
        SecretString::default()
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
        let list = format!("{place}.channels");
        if channels.is_empty() && files.is_empty() && !self.document.is_told(&list) {
            if main {
                let wanted = "it is missing; set the partner channel's, in a table [channel_definition] or as the path \
                              of its *.ConversationChannelDefinition-meta.xml";
                self.missing("channel_definition", wanted);
            } else {
                let wanted = "it is missing; it must be a list of channel definition files";
                self.missing(&list, wanted);
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
                self.missing(&format!("{key}.developer_name"), problem);
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
                let problem = format!("it is missing; it is the source of the events of {name}");
                self.missing(&format!("{key}.custom_platform_event"), problem);
                continue;
            };
            self.check_event(key, definition);
            if let Some(other) = topics.insert(topic.clone(), name) {
                let problem = format!(
                    "the channel definitions {other} and {name} have the same platform event {topic}; give each \
                     channel its own event"
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

    /// That something is missing: it may be because it was wrong, which is told already.
    fn missing(&mut self, key: &str, problem: impl fmt::Display) {
        if !self.document.is_told(key) {
            self.mistake(key, problem);
        }
    }

    fn mistake(&mut self, key: &str, problem: impl fmt::Display) {
        self.document.mistake_at(key, problem);
    }
}
