//! The org of the demo, its people, and a connector that is configured for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::cli::Error;
use crate::config::{Environment, Serving};
use crate::emulator::http::{AppSettings, Options, SAMPLE_PRIVATE_KEY};
use crate::emulator::{BearerRule, Settings};

/// Whose console is opened first.
pub(super) const FIRST_REP: &str = "005Hu000000Anna";

/// The people, as the emulator has them without a configuration.
const SAMPLE: &str = include_str!("../../emulator/sample.toml");

pub(super) struct Setting {
    pub(super) serving: Serving,
    /// Where the store is.
    folder: PathBuf,
}

impl Setting {
    /// A connector for the org that is played at this address, where an offer rings for so long.
    pub(super) fn new(address: SocketAddr, ring_seconds: u32) -> Result<Self, Error> {
        let name = format!("byoc-demo-{}-{}", std::process::id(), address.port());
        let folder = std::env::temp_dir().join(name);
        let cannot =
            |error| Error::new(format_args!("cannot make {} for the store: {error}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        let key = ("BYOC_ORG_PRIVATE_KEY".to_owned(), SAMPLE_PRIVATE_KEY.to_owned());
        let environment = Environment::from([key]);
        let text = configuration(address, ring_seconds);
        let serving = Serving::parse(&folder.join("demo.toml"), &text, &environment).map_err(Error::new)?;
        Ok(Self { serving, folder })
    }

    /// The Salesforce side of it.
    pub(super) fn emulator(&self) -> Options {
        let config = &self.serving.config;
        let mut settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
        if let Some(definition) = &config.channel_definition {
            settings.follow(definition, config.platform_participant_limit);
        }
        Options {
            seed: 1,
            roster: config.roster.clone(),
            settings,
            app: AppSettings::default(),
            fixed_tokens: Vec::new(),
        }
    }

    /// Takes the store away.
    pub(super) fn clean_up(self) {
        remove(&self.folder);
    }
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::warn!(%error, folder = %folder.display(), "the demo's store could not be deleted");
    }
}

fn configuration(address: SocketAddr, ring_seconds: u32) -> String {
    let (org, app) = (Settings::default(), AppSettings::default());
    format!(
        r#"
[org]
id = "{id}"
instance_url = "http://{address}"
interaction_url = "http://{address}"
pubsub_endpoint = "http://{address}"
consumer_key = "{consumer_key}"
username = "{username}"
token_url = "http://{address}/services/oauth2/token"
begin = "earliest"

[routing]
ring_seconds = {ring_seconds}

[server]
listen = "{address}"

{SAMPLE}
"#,
        id = org.org,
        consumer_key = app.consumer_key,
        username = app.username,
    )
}
