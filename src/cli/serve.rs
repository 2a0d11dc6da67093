//! `byoc serve`: the connector, running.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;

use super::output::printable;
use super::signals::{asked_to_reload, asked_to_stop};
use super::style;
use super::{ConfigFile, Error, Outcome, Output, running};
use crate::config::{Serving, Warning};
use crate::host::{Host, Prepared};
use crate::model::time::{Clock, SystemClock};
use crate::server;
use crate::service::OrgPlan;
use crate::telemetry::{self, LogFormat};

/// One line for the list of commands.
pub const ABOUT: &str = "Run the connector: read events, make calls, serve the page for reps' browsers";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc serve
  byoc serve --config byoc.toml --check
  BYOC_ORG_PRIVATE_KEY=\"$(cat key.pem)\" byoc serve --log-format json";

/// How long the service may take to stop; the server before it has had its time by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Check the configuration and the keys, name every mistake, and start nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    log: LogOptions,
}

/// What is logged, and how: the same wherever something runs for long.
#[derive(Debug, clap::Args)]
pub struct LogOptions {
    /// How log lines look: text, or json for one object a line
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        env = "BYOC_LOG_FORMAT",
        hide_env_values = true
    )]
    log_format: LogFormat,
    /// What is logged, such as debug or info,byoc_connector=debug [default: info; demo: warn]
    #[arg(long, value_name = "FILTER", env = "BYOC_LOG", hide_env_values = true)]
    log: Option<String>,
}

impl LogOptions {
    /// Begins to log to stderr; `level` where nothing else is said.
    pub(super) fn begin(&self, level: &str) -> Result<(), Error> {
        let colour = std::io::stderr().is_terminal();
        telemetry::log(self.log_format, self.log.as_deref().unwrap_or(level), colour).map_err(Error::new)
    }
}

/// Where the connector is: one line with `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    address: String,
    connector_page: String,
    orgs: usize,
    channels: usize,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Where the configuration is mistaken, the store cannot be opened, or the port is taken.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let serving = args.config.load_to_serve()?;
    args.log.begin("info")?;
    server::raise_descriptors();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    let outcome = runtime.block_on(serve(args, &serving, output));
    // What still runs has had its time.
    runtime.shutdown_timeout(Duration::from_millis(500));
    outcome
}

async fn serve(args: &Args, serving: &Serving, output: &Output) -> Result<Outcome, Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let prepared = Prepared::new(serving.clone(), &clock)?;
    let counts = counts(&prepared.orgs);
    let warnings = serving.warnings();
    if args.check {
        return checked(counts, &warnings, output);
    }
    // The port first: who finds it taken has taken up nothing.
    let wanted = serving.server.listen;
    let listener = TcpListener::bind(wanted).await.map_err(|error| cannot("listen", wanted, &error))?;
    let address = listener.local_addr().map_err(|error| cannot("listen", wanted, &error))?;
    let health = match serving.server.health_listen {
        Some(wanted) => {
            let bound = TcpListener::bind(wanted).await;
            Some(bound.map_err(|error| cannot("health_listen", wanted, &error))?)
        }
        None => None,
    };
    let stop = asked_to_stop();
    let reload = asked_to_reload();
    let numbers = running::numbers()?;
    let config = args.config.clone();
    let source = Box::new(move || config.read_to_serve());
    let host = Host::start(prepared, clock, source).await?;
    let service = host.service().clone();
    began(serving, address);
    let server = match running::server(&serving.server, &host, numbers) {
        Ok(server) => server,
        Err(error) => {
            service.stop(PATIENCE).await;
            return Err(error);
        }
    };
    for warning in &warnings {
        tracing::warn!("configuration: {warning}");
    }
    announce(address, counts, output)?;
    let reloading = tokio::spawn(reload.each(host));
    let vital = health.map(|health| tokio::spawn(server::serve_vital(health, server.clone())));
    let result = server::serve(listener, server, stop).await;
    if let Some(vital) = vital {
        vital.abort();
    }
    reloading.abort();
    service.stop(PATIENCE).await;
    result.map_err(|error| Error::new(format_args!("the server on {address} failed: {error}")))?;
    Ok(Outcome::Done)
}

/// Tells what a check found: that the configuration can be started with, and what in it cannot work.
fn checked(counts: (usize, usize), warnings: &[Warning], output: &Output) -> Result<Outcome, Error> {
    let caution = style::CAUTION;
    for warning in warnings {
        output.line(format_args!("{caution}warning{caution:#}: {}", printable(&warning.to_string())))?;
    }
    let all_well = if warnings.is_empty() { "is valid" } else { "is valid, with warnings" };
    output.line(format_args!("The configuration {all_well}: {}.", in_words(counts)))?;
    let (orgs, channels) = counts;
    let said = serde_json::json!({ "ok": true, "orgs": orgs, "channels": channels, "warnings": warnings });
    output.json(&said)?;
    Ok(Outcome::Done)
}

/// Why nothing can listen at the address of that key, and what would do.
fn cannot(key: &str, wanted: SocketAddr, error: &io::Error) -> Error {
    let instead = match error.kind() {
        io::ErrorKind::AddrInUse => "; stop the other program, or set another port",
        io::ErrorKind::AddrNotAvailable => "; it must be an address of this machine",
        io::ErrorKind::PermissionDenied => "; it must be a port that this user may open, such as 8080",
        _ => "",
    };
    Error::new(format_args!("server.{key}: cannot listen on {wanted}: {error}{instead}"))
}

/// Tells the log what serves where, once it does.
fn began(serving: &Serving, address: SocketAddr) {
    let orgs: Vec<String> = serving.orgs.iter().map(|org| org.id.to_string()).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        orgs = orgs.join(","),
        store = %serving.store.path.display(),
        %address,
        "byoc-connector started"
    );
}

fn counts(orgs: &[OrgPlan]) -> (usize, usize) {
    (orgs.len(), orgs.iter().map(|org| org.channels.len()).sum())
}

fn in_words((orgs, channels): (usize, usize)) -> String {
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(orgs, "org"), plural(channels, "channel"))
}

fn announce(address: SocketAddr, counts: (usize, usize), output: &Output) -> Result<(), Error> {
    let address = format!("http://{address}");
    let connector_page = format!("{address}/connector");
    output.line(format_args!("The connector serves {} on {address}", in_words(counts)))?;
    output.line(format_args!("  page for Salesforce   {connector_page}"))?;
    output.line(format_args!("  page for operators    {address}/"))?;
    output.line(format_args!("  is it ready           {address}/readyz"))?;
    let (orgs, channels) = counts;
    output.json(&Announcement { address, connector_page, orgs, channels })?;
    output.flush()
}
