//! A live side for a replay: an org, or `byoc emulator` at an address.
//!
//! Calls are made for real, and virtual time moves on by as long as they take. An emulator is told,
//! through its control API, of the recording's people and of what they did; an org knows its own.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::cli;
use crate::emulator::Act;
use crate::interaction::{
    Client, Exchanged, FixedToken, JwtBearer, JwtSettings, Priority, TokenSource, Witness,
};
use crate::model::call::Call;
use crate::model::channel_definition::ChannelDefinition;
use crate::model::event::{Event, Happening, Participant, RoutingRequested, Target};
use crate::model::ids::{AgentWorkId, ConversationId, FlowId, OrgId, RepId};
use crate::model::roster::{Roster, Script};
use crate::model::time::{Clock, SystemClock, Timestamp};
use crate::model::words::{CancelReason, SessionStatus, WorkChange};
use crate::replay::{Arrival, Scan, Side, Try};
use crate::routing::Conversation;

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

/// What went wrong with a live side.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {what}")]
pub(super) struct Error {
    address: String,
    what: String,
}

/// The last exchange that the client made.
#[derive(Debug, Default)]
struct LastExchange(Mutex<Option<(Option<u16>, Vec<u8>)>>);

impl Witness for LastExchange {
    fn exchanged(&self, exchange: &Exchanged<'_>) {
        let seen = (exchange.status, exchange.body.to_vec());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

impl LastExchange {
    fn take(&self) -> Option<(Option<u16>, Vec<u8>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A side at an address.
pub(super) struct Live {
    address: String,
    runtime: Runtime,
    http: reqwest::Client,
    /// What an emulator said of itself; `None` for an org.
    emulator: Option<Value>,
    org: OrgId,
    developer_name: Option<String>,
    /// Whether the developer name may still be learnt from the recording.
    learns_name: bool,
    tokens: Arc<dyn TokenSource>,
    client: Option<Client>,
    last: Arc<LastExchange>,
    recorded_reps: bool,
    known_reps: HashSet<RepId>,
    known_flows: HashSet<FlowId>,
}

/// Finds out who is at the address and how to get in.
pub(super) fn connect(address: &str, args: &OrgArgs, scan: Scan) -> Result<Live, cli::Error> {
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

fn reached_not(error: &reqwest::Error) -> String {
    let mut text = "cannot connect".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        text = format!("cannot connect: {why}");
        cause = why.source();
    }
    text
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
            wrong("the emulator has an app of its own: --access-token-file, or --consumer-key with --username and --private-key, is required".to_owned())
        })
    };
    let key = SecretString::from(field("privateKey")?);
    let mut settings = JwtSettings::new(field("consumerKey")?, field("username")?, key);
    settings.token_url = Some(format!("{address}/services/oauth2/token"));
    Ok(settings)
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

impl Live {
    fn error(&self, what: impl Into<String>) -> Error {
        Error { address: self.address.clone(), what: what.into() }
    }

    fn client(&mut self) -> Result<Client, Error> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let name = self.developer_name.clone().ok_or_else(|| {
            self.error(
                "--channel-definition-name is required: the recording does not name its channel definition",
            )
        })?;
        let witness: Arc<dyn Witness> = Arc::clone(&self.last) as _;
        let client = Client::builder(&self.address, self.org, name, Arc::clone(&self.tokens))
            .witness(witness)
            .build()
            .map_err(|error| self.error(error.to_string()))?;
        self.client = Some(client.clone());
        Ok(client)
    }

    /// Tells an emulator something; an org is told nothing.
    fn control(&self, path: &str, body: &Value) -> Result<(), Error> {
        if self.emulator.is_none() {
            return Ok(());
        }
        let url = format!("{}/emulator/v1/{path}", self.address);
        let answer = self
            .runtime
            .block_on(async { self.http.post(url).json(body).send().await })
            .map_err(|error| self.error(reached_not(&error)))?;
        // What the emulator will not do again (a conversation that is there, an offer that is over)
        // shows in its answers to the calls; only an emulator that is gone ends the replay.
        if !answer.status().is_success() {
            tracing::debug!(path, status = answer.status().as_u16(), "the emulator would not");
        }
        Ok(())
    }

    fn act(&self, act: &Act) -> Result<(), Error> {
        let body = serde_json::to_value(act).map_err(|error| self.error(error.to_string()))?;
        self.control("acts", &body)
    }

    fn know_rep(&mut self, rep: RepId) -> Result<(), Error> {
        if !self.known_reps.insert(rep) {
            return Ok(());
        }
        self.control("roster", &json!({ "reps": [{ "id": rep }] }))
    }

    fn adopt(
        &self,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: Option<&RoutingRequested>,
    ) -> Result<(), Error> {
        let participants = known.map(Conversation::participants).unwrap_or_default();
        let work_item =
            known.and_then(Conversation::work_item).or(requested.and_then(|asked| asked.work_item));
        self.control(
            "conversations",
            &json!({
                "conversation": conversation,
                "workItem": work_item,
                "endUser": requested.and_then(|asked| asked.end_user.clone()),
                "reps": participants.iter().filter_map(Participant::as_rep).collect::<Vec<_>>(),
            }),
        )
    }
}

impl Side for Live {
    type Error = Error;

    fn on_roster(&mut self, _now: Timestamp, roster: &Roster) -> Result<(), Error> {
        let mut roster = roster.clone();
        if self.recorded_reps {
            roster.reps.iter_mut().for_each(|rep| rep.script = Script::Wait);
        }
        self.known_reps.extend(roster.reps.iter().map(|rep| rep.id));
        self.known_flows.extend(roster.flows.iter().map(|flow| flow.id));
        let body = serde_json::to_value(&roster).map_err(|error| self.error(error.to_string()))?;
        self.control("roster", &body)
    }

    fn on_definition(&mut self, definition: &ChannelDefinition) -> Result<(), Error> {
        if self.learns_name && definition.developer_name.is_some() {
            self.developer_name.clone_from(&definition.developer_name);
            self.client = None;
        }
        Ok(())
    }

    fn on_request(
        &mut self,
        _now: Timestamp,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: &RoutingRequested,
    ) -> Result<(), Error> {
        self.adopt(conversation, known, Some(requested))?;
        // A recording need not bring everybody whom it names.
        match &requested.target {
            Target::Rep(rep) => self.know_rep(*rep),
            Target::Queue(queue) => self.control("roster", &json!({ "queues": [{ "id": queue }] })),
            Target::Flow { flow, fallback } if !self.known_flows.contains(flow) => {
                let flow = json!({ "id": flow, "queue": fallback });
                self.control("roster", &json!({ "flows": [flow] }))
            }
            _ => Ok(()),
        }
    }

    fn on_event(
        &mut self,
        _now: Timestamp,
        known: Option<&Conversation>,
        event: &Event,
    ) -> Result<(), Error> {
        let conversation = || event.conversation.clone();
        match &event.what {
            Happening::WorkChanged(change) => match change.change {
                WorkChange::Accepted => self.act(&Act::Accept { work: change.work }),
                WorkChange::Declined => self.act(&Act::Decline { work: change.work }),
                _ => Ok(()),
            },
            Happening::RoutingCancelled(cancelled) if cancelled.reason == CancelReason::EndUserEnded => {
                conversation().map_or(Ok(()), |conversation| self.act(&Act::EndUserLeaves { conversation }))
            }
            Happening::SessionChanged { status: SessionStatus::Ended, .. } => {
                conversation().map_or(Ok(()), |conversation| self.act(&Act::EndSession { conversation }))
            }
            Happening::SessionChanged { status: SessionStatus::Waiting, .. } => {
                conversation().map_or(Ok(()), |conversation| self.adopt(&conversation, known, None))
            }
            _ => Ok(()),
        }
    }

    fn call(&mut self, now: Timestamp, tried: &Try<'_>) -> Result<Arrival, Error> {
        let client = self.client()?;
        if let Call::CreateAgentWork { rep, .. } = tried.call {
            self.know_rep(*rep)?;
        }
        // The time that is left in the recording is the time that is left in the world.
        let give_up_at = SystemClock.now() + tried.give_up_at.since(now);
        let began = Instant::now();
        self.last.take();
        let priority = Priority::of(tried.call);
        let answer =
            self.runtime.block_on(client.send(tried.id.request_id(), tried.call, give_up_at, priority));
        let (status, body) = self.last.take().unwrap_or_default();
        let response = serde_json::from_slice(&body).ok();
        Ok(Arrival::Answer { after: began.elapsed(), answer, status, response })
    }

    fn offers(&self, _conversation: &ConversationId) -> Vec<(RepId, AgentWorkId)> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    fn advance(&mut self, _now: Timestamp) -> Result<Vec<Event>, Error> {
        Ok(Vec::new())
    }
}
