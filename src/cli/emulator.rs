//! `byoc emulator`: a stand-in Salesforce to try things out and to test against.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::net::TcpListener;

use super::signals::asked_to_stop;
use super::style;
use super::{ConfigFile, Error, Outcome, Output};
use crate::config::{Config, Environment};
use crate::emulator::http::{self, AppSettings, Emulator, Options, Tls};
use crate::emulator::{BearerRule, Settings};
use crate::model::roster::Script;
use crate::model::time::SystemClock;

/// One line for the list of commands.
pub const ABOUT: &str =
    "Emulate Salesforce: token endpoint, Interaction Service, Pub/Sub API, scripted reps, faults";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc emulator
  byoc emulator --config byoc.toml --seed 7
  byoc emulator --config byoc.toml --reps accept
      every rep accepts after 2 seconds, except reps with their own script
  byoc emulator --port 0 --json
  byoc emulator --tls-ca emulator-ca.pem";

/// The people who are there without a configuration.
const SAMPLE: &str = include_str!("../emulator/sample.toml");

/// How long a rep takes to answer who has no script of their own, in milliseconds; as in a replay.
const ANSWERS_AFTER: u64 = 2_000;

/// What reps do with an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Reps {
    /// Somebody answers for them: a click at /console, or the control API
    Wait,
    /// They accept after 2 seconds
    Accept,
    /// They decline after 2 seconds
    Decline,
    /// They let it ring
    Ignore,
}

impl From<Reps> for Script {
    fn from(reps: Reps) -> Self {
        match reps {
            Reps::Wait => Self::Wait,
            Reps::Accept => Self::Accept { after_milliseconds: ANSWERS_AFTER },
            Reps::Decline => Self::Decline { after_milliseconds: ANSWERS_AFTER },
            Reps::Ignore => Self::Ignore,
        }
    }
}

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Where to listen; 0 takes a port that is free
    #[arg(long, default_value_t = 8085)]
    port: u16,
    /// On which address; other machines reach it only through one that is not this machine's own
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Speak TLS, and write the certificate of the authority that vouches for it to this file
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Another name or address by which it is reached over TLS; this machine's own are known
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Vec<String>,
    /// Seed for generated ids, which are then the same at each start; without it they differ
    #[arg(long)]
    seed: Option<u64>,
    /// What reps do with an offer who have no `script` in the configuration
    #[arg(long, value_enum, default_value_t = Reps::Wait)]
    reps: Reps,
    /// A bearer token that is taken without being asked for at the token endpoint; protects nothing
    #[arg(long, default_value = "emulator-token")]
    token: Vec<String>,
    /// The consumer key of the app that may ask for tokens (`iss`)
    #[arg(long, value_name = "KEY")]
    consumer_key: Option<String>,
    /// The user for whom that app asks (`sub`)
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The RSA public key of that app, in PEM; without it the sample key of fixtures/keys counts
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
}

/// Where the emulator is, and what it expects: one line with `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement<'a> {
    address: String,
    token_endpoint: String,
    control: String,
    pubsub: String,
    org_id: String,
    authorization_context: &'a str,
    consumer_key: &'a str,
    username: &'a str,
    tokens: &'a [String],
    topic: &'a str,
    event_type_field: &'a str,
    event_payload_field: &'a str,
    seed: u64,
    /// How many reps do nothing until somebody answers for them.
    waiting_reps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ca: Option<&'a Path>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Where the configuration is mistaken, the key cannot be read, or the port is taken.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let options = options(args)?;
    let emulator = Emulator::new(options.clone(), Arc::new(SystemClock)).map_err(Error::new)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let wanted = SocketAddr::new(args.host, args.port);
        let cannot = |error| {
            Error::new(format_args!("cannot listen on {wanted}: {error}; --port 0 takes a port that is free"))
        };
        let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let tls = tls(args, address)?;
        let stop = asked_to_stop();
        announce(address, &options, args.tls_ca.as_deref(), output)?;
        let served = match &tls {
            Some(tls) => http::serve_tls(listener, tls, emulator, stop).await,
            None => http::serve(listener, emulator, stop).await,
        };
        served.map_err(|error| Error::new(format_args!("the server on {address} failed: {error}")))?;
        Ok(Outcome::Done)
    })
}

fn options(args: &Args) -> Result<Options, Error> {
    let config = if args.config.is_there() {
        args.config.load()?
    } else {
        Config::parse(Path::new("sample.toml"), SAMPLE, &Environment::new()).map_err(Error::new)?
    };
    let mut settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
    if let Some(definition) = &config.channel_definition {
        settings.follow(definition, config.platform_participant_limit);
    }
    let mut app = AppSettings::default();
    if let Some(consumer_key) = &args.consumer_key {
        app.consumer_key.clone_from(consumer_key);
    }
    if let Some(username) = &args.username {
        app.username.clone_from(username);
    }
    if let Some(path) = &args.public_key {
        app.public_key = std::fs::read_to_string(path).map_err(|error| {
            Error::new(format_args!("cannot read the public key {}: {error}", path.display()))
        })?;
    }
    let seed = args.seed.unwrap_or_else(any_seed);
    let mut roster = config.roster;
    for rep in roster.reps.iter_mut().filter(|rep| rep.script == Script::Wait) {
        rep.script = args.reps.into();
    }
    Ok(Options { seed, roster, settings, app, fixed_tokens: args.token.clone() })
}

/// By chance: who keeps what an emulator told, and meets the next one, must not take its ids for those. Small
/// enough for a number of JavaScript's.
fn any_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0 >> 11
}

/// The authority and its certificate, written down before anybody is asked to trust it.
fn tls(args: &Args, address: SocketAddr) -> Result<Option<Tls>, Error> {
    let Some(file) = &args.tls_ca else { return Ok(None) };
    let here = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), address.ip().to_string()];
    let mut names: Vec<String> = here.into_iter().chain(args.tls_name.iter().cloned()).collect();
    names.sort();
    names.dedup();
    let tls = Tls::new(&names).map_err(Error::new)?;
    std::fs::write(file, tls.authority())
        .map_err(|error| Error::new(format_args!("cannot write {}: {error}", file.display())))?;
    Ok(Some(tls))
}

fn announce(
    address: SocketAddr,
    options: &Options,
    tls_ca: Option<&Path>,
    output: &Output,
) -> Result<(), Error> {
    let Options { settings, app, .. } = options;
    let scheme = if tls_ca.is_some() { "https" } else { "http" };
    let said = Announcement {
        address: format!("{scheme}://{address}"),
        token_endpoint: format!("{scheme}://{address}/services/oauth2/token"),
        control: format!("{scheme}://{address}/emulator/v1"),
        pubsub: format!("{scheme}://{address}"),
        org_id: settings.org.to_string(),
        authorization_context: &settings.channel.developer_name,
        consumer_key: &app.consumer_key,
        username: &app.username,
        tokens: &options.fixed_tokens,
        topic: &settings.events.topic,
        event_type_field: &settings.events.type_field,
        event_payload_field: &settings.events.payload_field,
        seed: options.seed,
        waiting_reps: options.roster.reps.iter().filter(|rep| rep.script == Script::Wait).count(),
        tls_ca,
    };
    output.json(&said)?;
    if !output.is_json() {
        print(&said, options, output)?;
    }
    output.flush()
}

fn print(said: &Announcement<'_>, options: &Options, output: &Output) -> Result<(), Error> {
    let (heading, faint, name) = (style::HEADING, style::FAINT, style::NAME);
    output.line(format_args!("{heading}The emulator listens on {}{heading:#}", said.address))?;
    for (what, value) in [
        ("token endpoint", said.token_endpoint.as_str()),
        ("OrgId", &said.org_id),
        ("AuthorizationContext", said.authorization_context),
        ("consumer key", said.consumer_key),
        ("username", said.username),
        ("bearer token", &said.tokens.join(", ")),
        ("control API", &said.control),
        ("Pub/Sub API (gRPC)", &said.pubsub),
        ("topic", said.topic),
    ] {
        output.line(format_args!("  {what:<21} {name}{value}{name:#}"))?;
    }
    if let Some(file) = said.tls_ca {
        output.line(format_args!("  {:<21} {name}{}{name:#}", "trust (PEM)", file.display()))?;
    }
    let Some(rep) = options.roster.reps.first() else {
        return output.line("The roster has no reps; add some with --config FILE.");
    };
    if said.waiting_reps > 0 {
        output.line(format_args!(
            "  {} of {} reps do not answer offers by themselves: answer for them at {}/console, give them a script in the \
             configuration, such as {{ does = \"accept\", afterMilliseconds = 2000 }}, or use --reps accept",
            said.waiting_reps,
            options.roster.reps.len(),
            said.address
        ))?;
    }
    let target = match options.roster.queues.first() {
        Some(queue) => format!(r#"{{"queueId": "{}"}}"#, queue.id),
        None => format!(r#"{{"userId": "{}"}}"#, rep.id),
    };
    let control = &said.control;
    output.line("")?;
    output.line(format_args!(
        "{faint}# A conversation with {} in it, who then asks for help; … is the first answer's conversation{faint:#}",
        rep.name
    ))?;
    output.line(format_args!(r#"curl {control}/conversations --json '{{"reps": ["{}"]}}'"#, rep.id))?;
    output.line(format_args!(
        r#"curl {control}/acts --json '{{"act": "requestConference", "conversation": "…", "target": {target}}}'"#
    ))?;
    output.line(format_args!("{faint}# What Salesforce tells, and everything that happened{faint:#}"))?;
    output.line(format_args!("curl '{control}/events?after=0&waitMilliseconds=10000'"))?;
    output.line(format_args!("curl {control}/books"))?;
    output.line(format_args!("{faint}# The next offer is made, but its answer is lost{faint:#}"))?;
    output.line(format_args!(
        r#"curl {control}/faults --json '{{"fault": "answerLost", "operation": "createAgentWork"}}'"#
    ))?;
    output.line(format_args!("{faint}# Disconnect every event stream{faint:#}"))?;
    output.line(format_args!(r#"curl {control}/streams --json '{{"fault": "unavailable"}}'"#))
}
