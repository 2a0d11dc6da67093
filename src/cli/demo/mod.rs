//! `byoc demo`: a Salesforce that is played, the connector and the reps' console in one process.
//!
//! Nothing is cut short: the connector reads a real stream, calls a real HTTP API and keeps a real store, all on
//! one port of this machine.

mod script;
mod setting;
mod timeline;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::serve::LogOptions;
use super::signals::asked_to_stop;
use super::style;
use super::{Error, Outcome, Output, running};
use crate::emulator::http::{self, Emulator};
use crate::host::{Host, Prepared};
use crate::model::time::{Clock, SystemClock};
use crate::server::{Server, raise_descriptors};
use crate::service::Service;
use setting::Setting;

/// One line for the list of commands.
pub const ABOUT: &str =
    "Try it: an emulated Salesforce, the connector and a rep console on one port; no org needed";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc demo
  byoc demo --headless
  byoc demo --port 0 --json";

/// How long the parts may take to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Play a script of conferences, print what happens, and exit: 0 if all passed, 1 if not
    #[arg(long)]
    headless: bool,
    /// Where to listen; 0 takes a port that is free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    #[command(flatten)]
    log: LogOptions,
}

/// Where everything is: one line with `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    address: String,
    console: String,
    connector_page: String,
    operator: String,
    control: String,
}

/// The demo, running.
struct Demo {
    emulator: Emulator,
    service: Service,
    server: Server,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    setting: Setting,
}

/// Runs the demo until it is told to stop, or plays its script.
///
/// # Errors
/// Where the port is taken, or no folder for the store can be had.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    args.log.begin("warn,byoc_connector::server=error")?;
    raise_descriptors();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        // Who plays the script needs no port of their own choice.
        let (port, ring_seconds) = if args.headless { (0, 3) } else { (args.port, 30) };
        let demo = Demo::start(port, ring_seconds).await?;
        let outcome = if args.headless {
            script::play(&demo.emulator, &demo.service, output).await
        } else {
            let stop = asked_to_stop();
            demo.announce(output)?;
            stop.await;
            Ok(Outcome::Done)
        };
        demo.end().await;
        outcome
    })
}

impl Demo {
    async fn start(port: u16, ring_seconds: u32) -> Result<Self, Error> {
        let wanted = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let cannot = |error| {
            Error::new(format_args!("cannot listen on {wanted}: {error}; --port 0 takes a port that is free"))
        };
        let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let setting = Setting::new(address, ring_seconds)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let emulator = Emulator::new(setting.emulator(), Arc::clone(&clock)).map_err(Error::new)?;
        let prepared = Prepared::new(setting.serving.clone(), &clock)?;
        let numbers = running::numbers()?;
        let again = setting.serving.clone();
        let host = Host::start(prepared, clock, Box::new(move || Ok(again.clone()))).await?;
        let server = running::server(&setting.serving.server, &host, numbers)?;
        let service = host.service().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let serving = tokio::spawn(http::serve_with(listener, emulator.clone(), server.routes(), until));
        Ok(Self { emulator, service, server, address, stop, serving, setting })
    }

    /// The connector first, so that what it still has to say to Salesforce finds somebody.
    async fn end(self) {
        self.service.stop(PATIENCE).await;
        self.server.close();
        drop(self.stop);
        tokio::time::timeout(PATIENCE, self.serving).await.ok();
        self.setting.clean_up();
    }

    fn announce(&self, output: &Output) -> Result<(), Error> {
        // By name: what Chromium takes for this machine's own is asked for less.
        let address = format!("http://localhost:{}", self.address.port());
        let said = Announcement {
            console: format!("{address}/console?rep={}", setting::FIRST_REP),
            connector_page: format!("{address}/connector"),
            operator: format!("{address}/"),
            control: format!("{address}/emulator/v1"),
            address,
        };
        output.json(&said)?;
        let (heading, faint, name) = (style::HEADING, style::FAINT, style::NAME);
        output.line(format_args!("{heading}Open {}{heading:#}", said.console))?;
        output.line("")?;
        output.line("  You are Anna, with a customer. Start a conference, and choose who to invite.")?;
        output.line("  Bo accepts, Clara declines, Didi does not answer. To answer as another")?;
        output
            .line("  rep, open the page once more and choose who you are. Transfers are not routed yet.")?;
        output.line("")?;
        for (what, value) in [
            ("operator page", &said.operator),
            ("connector page", &said.connector_page),
            ("emulator's control API", &said.control),
        ] {
            output.line(format_args!("  {what:<34} {name}{value}{name:#}"))?;
        }
        output.line(format_args!("{faint}  All data is deleted at the end; ctrl-c ends it.{faint:#}"))?;
        output.flush()
    }
}
