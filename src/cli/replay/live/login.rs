//! Finding out who is at an address, and how to get in.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Error, Live, reached_not, text};
use crate::cli;
use crate::interaction::{FixedToken, JwtBearer, JwtSettings, TokenSource};
use crate::model::ids::OrgId;
use crate::model::time::SystemClock;
use crate::replay::Scan;

/// How long the side may take to say who it is.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// How long a call of the control API may take.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(10);

/// Which org, and how to get in. Only a live side needs these.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Live side (--against URL)")]
pub(crate) struct OrgArgs {
    /// The org's id; an emulator says its own
    #[arg(long, value_name = "00D…", env = "BYOC_ORG_ID")]
    org_id: Option<OrgId>,
    /// Developer name of the channel definition [default: the recording's]
    #[arg(long, value_name = "NAME", env = "BYOC_CHANNEL_DEFINITION_NAME")]
    channel_definition_name: Option<String>,
    /// File that holds an access token
    #[arg(long, value_name = "FILE", conflicts_with = "consumer_key", env = "BYOC_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
    /// Consumer key of the External Client App or connected app, for the JWT bearer flow
    #[arg(long, value_name = "KEY", requires_all = ["username", "private_key"], env = "BYOC_CONSUMER_KEY")]
    consumer_key: Option<String>,
    /// The integration user
    #[arg(long, value_name = "NAME", env = "BYOC_USERNAME")]
    username: Option<String>,
    /// File that holds the app's private key, in PEM
    #[arg(long, value_name = "FILE", env = "BYOC_PRIVATE_KEY_FILE")]
    private_key: Option<PathBuf>,
    /// Who a login is meant for: the org's My Domain for an External Client App; a sandbox's connected app has
    /// https://test.salesforce.com
    #[arg(long, value_name = "URL", default_value = "https://login.salesforce.com", env = "BYOC_AUDIENCE")]
    audience: String,
    /// Where tokens are asked for [default: /services/oauth2/token at the audience]
    #[arg(long, value_name = "URL", env = "BYOC_TOKEN_URL")]
    token_url: Option<String>,
}

/// Finds out who is at the address and how to get in.
pub(in crate::cli::replay) fn connect(address: &str, args: &OrgArgs, scan: Scan) -> Result<Live, cli::Error> {
    let address = address.trim_end_matches('/').to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cli::Error::new(format_args!("no runtime for the live side: {error}")))?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CONTROL_TIMEOUT)
        .build()
        .map_err(|error| cli::Error::new(format_args!("no HTTP client for the live side: {error}")))?;
    let emulator = runtime.block_on(identity(&http, &address)).map_err(cli::Error::new)?;
    let org = match (&args.org_id, emulator.as_ref().and_then(|who| text(who, "org"))) {
        (Some(org), _) => *org,
        (None, Some(org)) => OrgId::parse(org).map_err(cli::Error::new)?,
        (None, None) => {
            return Err(cli::Error::new(format_args!("{address} is an org: --org-id 00D… is required")));
        }
    };
    let tokens = tokens(&runtime, &http, &address, args, emulator.is_some())?;
    let own_name = emulator.as_ref().and_then(|who| text(who, "authorizationContext")).map(str::to_owned);
    let developer_name = args.channel_definition_name.clone().or(own_name);
    Ok(Live {
        address,
        runtime,
        http,
        emulator,
        org,
        learns_name: developer_name.is_none(),
        developer_name,
        tokens,
        client: None,
        last: Arc::default(),
        recorded_reps: scan.has_work_events,
        known_reps: HashSet::new(),
        known_flows: HashSet::new(),
    })
}

/// Who is there: an emulator says so, and whoever does not is taken for an org.
async fn identity(http: &reqwest::Client, address: &str) -> Result<Option<Value>, Error> {
    let asked = http.get(format!("{address}/emulator/v1")).timeout(FIRST_ANSWER).send().await;
    match asked {
        Ok(answer) if answer.status().is_success() => {
            let who = answer.json::<Value>().await.unwrap_or_default();
            Ok(Some(who).filter(|who| text(who, "name") == Some("byoc emulator")))
        }
        Ok(_) => Ok(None),
        Err(error) => Err(Error { address: address.to_owned(), what: reached_not(&error) }),
    }
}

fn tokens(
    runtime: &Runtime,
    http: &reqwest::Client,
    address: &str,
    args: &OrgArgs,
    is_emulator: bool,
) -> Result<Arc<dyn TokenSource>, cli::Error> {
    let read = |file: &PathBuf| {
        std::fs::read_to_string(file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| cli::Error::new(format_args!("cannot read {}: {error}", file.display())))
    };
    if let Some(file) = &args.access_token_file {
        return Ok(Arc::new(FixedToken::new(read(file)?)));
    }
    let settings = match (&args.consumer_key, &args.username, &args.private_key) {
        (Some(key), Some(user), Some(file)) => {
            let mut settings = JwtSettings::new(key, user, SecretString::from(read(file)?));
            settings.audience.clone_from(&args.audience);
            settings.token_url.clone_from(&args.token_url);
            settings
        }
        _ if is_emulator => runtime.block_on(sample_credentials(http, address)).map_err(cli::Error::new)?,
        _ => {
            return Err(cli::Error::new(format_args!(
                "{address} is an org: --access-token-file, or --consumer-key with --username and --private-key, is required"
            )));
        }
    };
    let bearer = JwtBearer::new(settings, Arc::new(SystemClock)).map_err(cli::Error::new)?;
    Ok(Arc::new(bearer))
}

/// The sample app that an emulator lets in.
async fn sample_credentials(http: &reqwest::Client, address: &str) -> Result<JwtSettings, Error> {
    let wrong = |what: String| Error { address: address.to_owned(), what };
    let sample: Value = http
        .get(format!("{address}/emulator/v1/sample-credentials"))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| wrong(error.to_string()))?
        .json()
        .await
        .map_err(|error| wrong(error.to_string()))?;
    let field = |name: &'static str| {
        text(&sample, name).map(str::to_owned).ok_or_else(|| {
            wrong("the emulator has its own app: --access-token-file, or --consumer-key with --username and --private-key, is required".to_owned())
        })
    };
    let key = SecretString::from(field("privateKey")?);
    let mut settings = JwtSettings::new(field("consumerKey")?, field("username")?, key);
    settings.token_url = Some(format!("{address}/services/oauth2/token"));
    Ok(settings)
}
