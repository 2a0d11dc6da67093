//! What only a running connector needs: its orgs, how to log in to them, where the store is.
//!
//! Read when something is to be served, and passed over otherwise: who replays a recording on their own
//! machine has no private key there.
//!
//! Elsewhere: how an org is read and checked in `orgs`, the other tables each in a file of its name.

use std::path::Path;

use super::document::Document;
use super::error::text_of;
use super::server::{self, ServerSettings};
use super::store::{self, StoreSettings};
use super::{Config, Environment, Error, Org, orgs, partner_keys, webhooks};
use crate::webhook;

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

impl Serving {
    /// Reads a file. A path in it is relative to the folder that the file is in.
    ///
    /// # Errors
    /// Where the file cannot be read, or with all mistakes in it.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Error> {
        Self::parse(path, &text_of(path)?, environment)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// With all mistakes in it.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut document = Document::parse(path, text, environment);
        let config = Config::read(&mut document, path);
        let orgs = orgs::read(&mut document, path, environment, &config);
        let store = store::read(&mut document, path);
        let partner_keys = partner_keys::read(&mut document, path, &orgs);
        let server = server::read(&mut document, path, environment, partner_keys);
        let webhooks = webhooks::read(&mut document, path, environment);
        let mistakes = document.finish();
        if mistakes.is_empty() {
            Ok(Self { config, orgs, store, server, webhooks })
        } else {
            Err(Error::Mistaken { mistakes })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use secrecy::ExposeSecret;

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
        assert!(org.from_earliest && org.private_key.expose_secret().contains("PRIVATE KEY"));
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
        assert_eq!(serving.orgs[0].private_key.expose_secret(), key);
        assert!(!serving.orgs[0].from_earliest, "history is nobody's business until it is asked for");
    }

    #[test]
    fn what_is_missing_to_serve_is_named() {
        insta::assert_snapshot!(parse("", &[]).unwrap_err().join("\n"), @"…/x.toml, org: it is missing; set at least one, in a table [org] with id, instance_url, interaction_url, consumer_key, username and private_key_file");
        insta::assert_snapshot!(parse(ORG, &[]).unwrap_err().join("\n"), @r"
        …/x.toml, channel_definition: it is missing; set the partner channel's, in a table [channel_definition] or as the path of its *.ConversationChannelDefinition-meta.xml
        …/x.toml, line 1, org.private_key_file: it is missing; it must be the path of an RSA key in PEM, or the key itself in BYOC_ORG_PRIVATE_KEY
        ");
        let key = std::fs::read_to_string(folder().join("keys/sample-private-key.pem")).unwrap();
        let key = [("BYOC_ORG_PRIVATE_KEY", key.as_str())];
        insta::assert_snapshot!(parse(ORG, &key).unwrap_err().join("\n"), @"…/x.toml, channel_definition: it is missing; set the partner channel's, in a table [channel_definition] or as the path of its *.ConversationChannelDefinition-meta.xml");
        let bare = "[channel_definition]\nrouting_owner = 'Partner'\n";
        insta::assert_snapshot!(parse(&format!("{bare}{ORG}"), &key).unwrap_err().join("\n"), @"…/x.toml, line 1, channel_definition.developer_name: it is missing; every call to Salesforce names it");
    }

    #[test]
    fn every_mistake_in_an_org_names_its_key() {
        let text = "[org]\nid = '00X'\ninstance_url = 5\nusername = 'u'\nbegin = 'yesterday'\nconsumer_secret = 's'\n\
                    [store]\npath = ''\noutcome_days = 0\nmax_megabytes = 1\n\
                    [[orgs]]\nid = '00DHs0000000001'\nroster = 'none.toml'\n";
        insta::assert_snapshot!(parse(text, &[("BYOC_STORE_OUTCOME_DAYS", "many")]).unwrap_err().join("\n"), @r#"
        …/x.toml, channel_definition: it is missing; set the partner channel's, in a table [channel_definition] or as the path of its *.ConversationChannelDefinition-meta.xml
        …/x.toml, line 1, org.private_key_file: it is missing; it must be the path of an RSA key in PEM, or the key itself in BYOC_ORG_PRIVATE_KEY
        …/x.toml, line 1, org.interaction_url: it is missing; it must be the host alone, such as https://acme.my.salesforce-scrt.com
        …/x.toml, line 1, org.consumer_key: it is missing; the app in Salesforce has it
        …/x.toml, line 2, org.id: '00X' is not a valid org id: it has 3 characters, not 15 or 18
        …/x.toml, line 3, org.instance_url: invalid type: integer `5`, expected a string, e.g. "https://host.example"
        …/x.toml, line 5, org.begin: unknown variant `yesterday`, expected `earliest` or `latest`
        …/x.toml, line 6, org.consumer_secret: unknown key; the keys are id, instance_url, interaction_url, pubsub_endpoint, consumer_key, username, audience, token_url, private_key_file, begin, reads_per_day, reads_until_percent, channels, roster
        …/x.toml, line 8, store.path: it is empty; it must be the path of a file, such as byoc.db
        …/x.toml, line 10, store.max_megabytes: it must be 16 or more
        …/x.toml, line 11, orgs[0].private_key_file: it is missing; it must be the path of an RSA key in PEM
        …/x.toml, line 11, orgs[0].channels: it is missing; it must be a list of channel definition files
        …/x.toml, line 11, orgs[0].instance_url: it is missing; it must be the org's own address, such as https://acme.my.salesforce.com
        …/x.toml, line 11, orgs[0].interaction_url: it is missing; it must be the host alone, such as https://acme.my.salesforce-scrt.com
        …/x.toml, line 11, orgs[0].consumer_key: it is missing; the app in Salesforce has it
        …/x.toml, line 11, orgs[0].username: it is missing; it must be the integration user's, such as byoc@acme.example
        …/x.toml, line 13, orgs[0].roster: cannot read the configuration …/none.toml: No such file or directory (os error 2)
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
        …/x.toml, line 12, orgs[0].channels: it is missing; it must be a list of channel definition files
        …/x.toml, line 13, orgs[0].id: 00DHs0000000001 is the id of org already; ids must differ
        …/x.toml, line 14, orgs[0].instance_url: it is 'i'; it must be a whole URL, such as https://host.example
        …/x.toml, line 15, orgs[0].interaction_url: it is 'i'; it must be a whole URL, such as https://host.example
        …/x.toml, line 16, orgs[0].consumer_key: it is empty; the app in Salesforce has it
        the variable BYOC_ORG_PRIVATE_KEY: it is not a valid PEM RSA key; it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----
        ");
        let renamed = text.replace("'Acme_Messaging'", "'Other'").replace(", 'definitions/none.toml'", "");
        let told = parse(&renamed, &[("BYOC_ORG_PRIVATE_KEY", "k")]).unwrap_err();
        insta::assert_snapshot!(told[0], @"…/x.toml, line 11, org.channels[0]: the channel definitions Other and Acme_Messaging have the same platform event /event/acme__Routing__e; give each channel its own event");
    }
}
