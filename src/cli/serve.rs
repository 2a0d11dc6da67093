//! `byoc serve`: the connector, running.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::stop::asked_to_stop;
use super::{ConfigFile, Error, Outcome, Output};
use crate::config::Serving;
use crate::connector::TellNobody;
use crate::model::time::{Clock, SystemClock};
use crate::people::People;
use crate::service::{OrgPlan, Plan, Ports, Service};
use crate::store::{self, Retention, Sqlite, Store};
use crate::telemetry::{self, LogFormat};

/// One line for the list of commands.
pub const ABOUT: &str = "Run the connector: events in, calls out, the page for the reps' browsers";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc serve
  byoc serve --config byoc.toml --check
  BYOC_ORG_PRIVATE_KEY=\"$(cat key.pem)\" byoc serve --log-format json";

/// How long stopping may take.
const PATIENCE: Duration = Duration::from_secs(9);

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Check the configuration and the keys, name every mistake, and start nothing
    #[arg(long)]
    check: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, env = "BYOC_LOG_FORMAT")]
    log_format: LogFormat,
    /// What is logged [default: info]
    #[arg(long, value_name = "FILTER", env = "BYOC_LOG")]
    log: Option<String>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Where the configuration is mistaken, the store cannot be opened, or the port is taken.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let serving = args.config.load_to_serve()?;
    let colour = std::io::stderr().is_terminal();
    telemetry::log(args.log_format, args.log.as_deref(), colour).map_err(Error::new)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let orgs = orgs(&serving, &clock)?;
        if args.check {
            output.line(format_args!("The configuration is fine: {}.", counted(&orgs)))?;
            output.json(&serde_json::json!({ "ok": true }))?;
            return Ok(Outcome::Done);
        }
        let store = open(&serving).await?;
        let plan = Plan { orgs, store, clock };
        let service = Service::start(plan).await.map_err(|error| cannot_use(&serving.store.path, &error))?;
        asked_to_stop().await;
        service.stop(PATIENCE).await;
        Ok(Outcome::Done)
    })
}

fn orgs(serving: &Serving, clock: &Arc<dyn Clock>) -> Result<Vec<OrgPlan>, Error> {
    let mut orgs = Vec::new();
    let mut mistakes = Vec::new();
    for org in &serving.orgs {
        let people = People::new(org.roster.clone(), serving.config.people.choice);
        let ports = |_: &_| Ports {
            finder: Arc::new(people.clone()),
            directory: Arc::new(people.clone()),
            notifier: Arc::new(TellNobody),
            people: Some(people.clone()),
        };
        match OrgPlan::new(serving, org, clock, ports) {
            Ok(plan) => orgs.push(plan),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    if mistakes.is_empty() { Ok(orgs) } else { Err(Error::several(mistakes)) }
}

fn counted(orgs: &[OrgPlan]) -> String {
    let channels: usize = orgs.iter().map(|org| org.channels.len()).sum();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(orgs.len(), "org"), plural(channels, "channel"))
}

async fn open(serving: &Serving) -> Result<Arc<dyn Store>, Error> {
    let settings = &serving.store;
    let options = store::Options {
        path: settings.path.clone(),
        retention: Retention { outcomes: settings.outcomes, ..Retention::default() },
        max_bytes: settings.max_bytes,
    };
    let store = Sqlite::open(options).await.map_err(|error| cannot_use(&settings.path, &error))?;
    Ok(Arc::new(store))
}

fn cannot_use(path: &Path, error: &store::Error) -> Error {
    Error::new(format_args!("the store {} cannot be used: {error}", path.display()))
}
