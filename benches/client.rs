//! Calls a second of the client beside a bare reqwest loop, both in this run, against a server in this
//! process that answers 202 at once. Prints both and their ratio; 0.8 is wanted.
//!
//! Rounds of the two alternate, so that a machine that slows down slows both.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use byoc_connector::interaction::{Client, FixedToken, Limiter, Priority, encode};
use byoc_connector::model::call::{Answer, Call, CreateAgentWork};
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, RepId, WorkItemId};
use byoc_connector::model::time::{Clock, SystemClock};
use byoc_connector::model::words::RoutingType;
use uuid::Uuid;

const CALLERS: usize = 32;
const CALLS_A_CALLER: usize = 250;
const ROUNDS: usize = 9;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[expect(clippy::print_stdout, reason = "its output is its purpose")]
fn main() -> Result<(), Failure> {
    // `cargo bench` says so; without that, as from `cargo test --benches`, one round shows that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (ours, bare) = runtime.block_on(measure(rounds))?;
    let each = u32::try_from(CALLERS * CALLS_A_CALLER)?;
    let a_second = |took: Duration| f64::from(each) / took.as_secs_f64();
    println!("client        {:>9.0} calls/s (median of {rounds} rounds of {each})", a_second(ours));
    println!("bare reqwest  {:>9.0} calls/s", a_second(bare));
    println!("ratio         {:>9.2}", a_second(ours) / a_second(bare));
    Ok(())
}

async fn measure(rounds: usize) -> Result<(Duration, Duration), Failure> {
    let answer = || async { (StatusCode::ACCEPTED, r#"{"success":true,"agentWorkId":"0Bz000000000001"}"#) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/api/v1/agentWork", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let client = client(&url)?;
    let http = reqwest::Client::new();
    round_of_ours(&client).await?;
    round_of_bare(&http, &url).await?;
    for _ in 0..rounds {
        ours.push(round_of_ours(&client).await?);
        bare.push(round_of_bare(&http, &url).await?);
    }
    Ok((median(ours), median(bare)))
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

fn client(url: &str) -> Result<Client, Failure> {
    // The rate must not be what is measured; the limiter's work must.
    let limiter = Limiter::new(NonZeroU32::MAX, NonZeroU32::MAX);
    let org = OrgId::parse("00D000000000001")?;
    let tokens = Arc::new(FixedToken::new("token"));
    Ok(Client::builder(url, org, "Acme_Messaging", tokens).limiter(limiter).build()?)
}

fn call(caller: usize) -> Result<Call, Failure> {
    Ok(Call::CreateAgentWork(CreateAgentWork {
        rep: RepId::parse("005000000000001")?,
        work_item: WorkItemId::parse("0Mw000000000001")?,
        conversation: ConversationId::parse(&format!("conversation-{caller}"))?,
        routing_type: RoutingType::Conference,
        correlation: EventId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55")?,
        capacity: None,
    }))
}

async fn round_of_ours(client: &Client) -> Result<Duration, Failure> {
    let start = Instant::now();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (client, call) = (client.clone(), call(caller)?);
        callers.push(tokio::spawn(async move {
            for _ in 0..CALLS_A_CALLER {
                let give_up_at = SystemClock.now() + Duration::from_secs(52);
                match client.send(Uuid::new_v4(), &call, give_up_at, Priority::Later).await {
                    Answer::Done(_) => {}
                    other => return Err(Failure::from(format!("{other:?}"))),
                }
            }
            Ok(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(start.elapsed())
}

/// The same requests, with nothing around them: built, sent, and their body read.
async fn round_of_bare(http: &reqwest::Client, url: &str) -> Result<Duration, Failure> {
    let start = Instant::now();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (http, url) = (http.clone(), format!("{url}/api/v1/agentWork"));
        let body = encode(&call(caller)?).body;
        callers.push(tokio::spawn(async move {
            for _ in 0..CALLS_A_CALLER {
                let request = http
                    .post(&url)
                    .header("Authorization", "Bearer token")
                    .header("OrgId", "00D000000000001")
                    .header("AuthorizationContext", "Acme_Messaging")
                    .header("RequestId", Uuid::new_v4().to_string())
                    .json(&body);
                request.send().await?.bytes().await?;
            }
            Ok::<(), reqwest::Error>(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(start.elapsed())
}
