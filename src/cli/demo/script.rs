//! What `byoc demo --headless` plays: a conference of each kind, one after the other.

use std::time::Duration;

use serde::Serialize;

use super::timeline::{Names, line_of};
use crate::cli::style;
use crate::cli::{Error, Outcome, Output};
use crate::emulator::http::Emulator;
use crate::emulator::{Act, Done, RequestEnd};
use crate::model::event::{SkillRequirement, Target};
use crate::model::ids::{EventId, FlowId, QueueId, RepId, SkillId, Subject};
use crate::routing::{Outcome as Ended, Reason};
use crate::service::{RequestEnded, Service};

use super::setting::FIRST_REP;

/// How long one conference may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the connector may take until its stream stands.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// After how long a requester changes their mind.
const CHANGE_OF_MIND: Duration = Duration::from_millis(400);

/// One conference.
struct Scene {
    title: &'static str,
    target: Target,
    cancelled: bool,
    ends: Ended,
}

/// A conference that was played, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DemoResult<'a> {
    conference: &'a str,
    request: &'a EventId,
    outcome: Ended,
    expected: Ended,
    reason: String,
    milliseconds: u64,
    timeline: Vec<String>,
}

/// Plays all of it; the answer is no where something went another way than it should.
pub(super) async fn play(emulator: &Emulator, service: &Service, output: &Output) -> Result<Outcome, Error> {
    ready(service).await?;
    let mut as_expected = true;
    for scene in scenes()? {
        as_expected &= play_one(scene, emulator, service, output).await?;
    }
    let left = emulator.with(|salesforce, _| salesforce.leftovers());
    let owed: usize =
        service.channels().iter().filter_map(crate::service::RunningChannel::owes).map(|it| it.count).sum();
    let tidy = left.is_empty() && owed == 0;
    as_expected &= tidy;
    let (good, bad) = (style::GOOD, style::BAD);
    match (as_expected, tidy) {
        (true, _) => output.line(format_args!(
            "{good}Every conference ended as expected; no offers or PSRs are left, and nothing is owed.{good:#}"
        ))?,
        (false, true) => output.line(format_args!("{bad}Not every conference ended as expected.{bad:#}"))?,
        (false, false) => output.line(format_args!("{bad}Left over: {left:?}, {owed} owed{bad:#}"))?,
    }
    Ok(if as_expected { Outcome::Done } else { Outcome::No })
}

async fn ready(service: &Service) -> Result<(), Error> {
    let stands = async {
        while !service.readiness().ready {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(READY_WITHIN, stands).await;
    waited.map_err(|_| Error::new(format_args!("the connector is not ready: {:?}", service.readiness())))
}

async fn play_one(
    scene: Scene,
    emulator: &Emulator,
    service: &Service,
    output: &Output,
) -> Result<bool, Error> {
    let (heading, faint) = (style::HEADING, style::FAINT);
    output.line(format_args!("{heading}{}{heading:#}", scene.title))?;
    let mut told = service.told();
    let rep = RepId::parse(FIRST_REP).map_err(Error::new)?;
    let start = Act::StartConversation { end_user: None, reps: vec![rep] };
    let Done::Started { conversation, .. } = act(emulator, start)? else {
        return Err(Error::new("the conversation did not start"));
    };
    let before = last_number(emulator);
    let ask =
        Act::RequestConference { conversation: conversation.clone(), requester: None, target: scene.target };
    let Done::Requested { request } = act(emulator, ask)? else {
        return Err(Error::new("no conference was requested"));
    };
    if scene.cancelled {
        tokio::time::sleep(CHANGE_OF_MIND).await;
        act(emulator, Act::CancelRequest { request: request.clone() })?;
    }
    let ending = tokio::time::timeout(PATIENCE, ending_of(&mut told, &request)).await;
    let Ok(Some(RequestEnded { ending, .. })) = ending else {
        return Err(Error::new(format_args!("'{}' did not end within {PATIENCE:?}", scene.title)));
    };
    // The last calls are on their way when the outcome is known.
    settled(service, &request).await;
    let timeline = timeline(emulator, before);
    for line in &timeline {
        output.line(format_args!("  {line}"))?;
    }
    let fine = ending.outcome == scene.ends && same_rep(emulator, &request, &ending.reason);
    let mark = if fine { style::GOOD } else { style::BAD };
    output.line(format_args!("  {mark}{}{mark:#}: {}", ending.outcome, ending.reason))?;
    if !fine {
        output.line(format_args!(
            "  {faint}expected {}, with the same rep on both sides{faint:#}",
            scene.ends
        ))?;
    }
    output.line("")?;
    let created = emulator.with(|salesforce, _| salesforce.request(&request).map(|asked| asked.created));
    output.json(&DemoResult {
        conference: scene.title,
        request: &request,
        outcome: ending.outcome,
        expected: scene.ends,
        reason: ending.reason.to_string(),
        milliseconds: created
            .map_or(0, |created| u64::try_from(ending.at.since(created).as_millis()).unwrap_or(u64::MAX)),
        timeline,
    })?;
    output.flush()?;
    Ok(fine)
}

fn act(emulator: &Emulator, act: Act) -> Result<Done, Error> {
    emulator.with(|salesforce, now| salesforce.act(now, act)).map_err(Error::new)
}

fn last_number(emulator: &Emulator) -> u64 {
    emulator.with(|salesforce, _| salesforce.books().entries().last().map_or(0, |entry| entry.number))
}

/// Whether Salesforce has the same rep for the one who joined, or nobody as well.
fn same_rep(emulator: &Emulator, request: &EventId, reason: &Reason) -> bool {
    let here = if let Reason::Joined(rep) = reason { Some(*rep) } else { None };
    let there = emulator.with(|salesforce, _| match salesforce.request(request)?.ended {
        Some((_, RequestEnd::Joined { rep })) => Some(rep),
        _ => None,
    });
    here == there
}

async fn ending_of(
    told: &mut tokio::sync::broadcast::Receiver<RequestEnded>,
    request: &EventId,
) -> Option<RequestEnded> {
    loop {
        match told.recv().await {
            Ok(ended) if ended.ending.request == *request => return Some(ended),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// Waits until nothing of the request is open any more.
async fn settled(service: &Service, request: &EventId) {
    let closed = async {
        loop {
            for running in service.channels().iter() {
                if matches!(running.open_request(request).await, Ok(None) | Err(_)) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.ok();
}

/// What happened since, as lines.
fn timeline(emulator: &Emulator, after: u64) -> Vec<String> {
    emulator.with(|salesforce, _| {
        let names = Names::of(salesforce);
        let entries = salesforce.books().after(after);
        let Some(begin) = entries.first().map(|entry| entry.at) else { return Vec::new() };
        let line = |entry| Some((entry, line_of(entry, &names)?));
        let lines = entries.iter().filter_map(line);
        lines.map(|(entry, text)| format!("{:>7.3} s  {text}", entry.at.since(begin).as_secs_f64())).collect()
    })
}

fn scenes() -> Result<Vec<Scene>, Error> {
    let queue = |id: &str| QueueId::parse(id).map_err(Error::new);
    let rep = |id: &str| RepId::parse(id).map_err(Error::new);
    let billing = queue("00GHu00000Bills")?;
    let claims = queue("00GHu0000Claims")?;
    let expert = FlowId::parse("300Hu0000Expert").map_err(Error::new)?;
    let skill = SkillId::parse("0C5Hu000Billing").map_err(Error::new)?;
    let outside = Subject::parse("+49 30 1234567").map_err(Error::new)?;
    let skilled = vec![SkillRequirement { id: skill, level: Some(5), priority: None, additional: false }];
    let scene = |title, target, ends| Scene { title, target, cancelled: false, ends };
    Ok(vec![
        scene("Anna invites a rep, who accepts", Target::Rep(rep("005Hu000000Bose")?), Ended::Joined),
        scene("Anna invites the queue Billing", Target::Queue(billing), Ended::Joined),
        scene(
            "Anna invites a flow, which finds today's expert",
            Target::Flow { flow: expert, fallback: Some(billing) },
            Ended::Joined,
        ),
        scene("Anna invites a rep with a skill", Target::Skills(skilled), Ended::Joined),
        scene("Anna invites a rep, who declines", Target::Rep(rep("005Hu00000Clara")?), Ended::Declined),
        Scene {
            title: "Anna invites a rep, and cancels while it rings",
            target: Target::Rep(rep("005Hu00000Didit")?),
            cancelled: true,
            ends: Ended::Cancelled,
        },
        scene(
            "Anna invites the queue Claims: one rep declines, one does not answer",
            Target::Queue(claims),
            Ended::Unanswered,
        ),
        scene("Anna invites an external contact", Target::External(outside), Ended::Refused),
    ])
}
