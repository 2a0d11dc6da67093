//! The timeline: what happened, in an order and in words that a person can follow.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::cli::output::printable;
use crate::cli::style::{BAD, CAUTION, FAINT, GOOD, HEADING, NAME};
use crate::cli::{Error, Output};
use crate::model::call::Answer;
use crate::model::error_codes::ErrorCode;
use crate::model::event::{EventKind, ParticipantChange, Target};
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::model::roster::Roster;
use crate::model::words::{CancelReason, WorkChange};
use crate::replay::{CallNote, Note, Search, Summary, What};
use crate::routing::{Outcome, OwedView, Remark};

/// How wide the column is that says what a line is about.
const DEED: usize = 21;

/// How wide the column is that says whom or what.
const OBJECT: usize = 30;

/// Prints notes as a timeline.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    last: Option<ConversationId>,
    /// Whose offer an agent work is.
    reps: HashMap<String, String>,
}

impl Timeline {
    pub(super) fn title(output: &Output, name: &str, side: &str) -> Result<(), Error> {
        let (name, side) = (printable(name), printable(side));
        output.line(format_args!("{HEADING}{name}{HEADING:#}  {FAINT}{side}{FAINT:#}"))
    }

    pub(super) fn show(&mut self, output: &Output, note: &Note, roster: &Roster) -> Result<(), Error> {
        let Some((deed, rest)) = self.say(note, roster) else { return Ok(()) };
        if self.last.as_ref() != Some(&note.conversation) {
            output.line("")?;
            if note.conversation.as_str() != "-" {
                let date = note.at.to_string();
                let date = date.get(..10).unwrap_or_default();
                output.line(format_args!("{FAINT}conversation {}  {date}{FAINT:#}", note.conversation))?;
            }
            self.last = Some(note.conversation.clone());
        }
        let time = note.at.to_string();
        let time = time.get(11..23).unwrap_or(&time);
        let gap = " ".repeat(DEED.saturating_sub(deed.text.chars().count()));
        let style = deed.style;
        output.line(format_args!("{FAINT}{time}{FAINT:#}  {style}{}{style:#}{gap}  {rest}", deed.text))
    }

    /// What a note's line says; `None` where it has none.
    fn say(&mut self, note: &Note, roster: &Roster) -> Option<(LineStart, String)> {
        match &note.what {
            What::Event(happening) => self.event(happening, roster),
            What::Search(search) => Some((LineStart::plain("find a rep"), found(search, roster))),
            What::Call(call) => Some(self.call(call, roster)),
            What::Announced { rep, joined } => {
                let what = if *joined { "joined" } else { "left" };
                Some((LineStart::plain("tell the end user"), format!("{} {what}", rep_name(roster, *rep))))
            }
            What::Ended { at, outcome, reason, after, .. } => {
                let deed =
                    LineStart { text: outcome.as_str().to_uppercase(), style: outcome_style(*outcome) };
                let who = match reason {
                    crate::routing::Reason::Joined(rep) => format!("{} joined.", rep_name(roster, *rep)),
                    other => printable(&other.to_string()).into_owned(),
                };
                // What was decided then may have taken until now to be carried out.
                let decided = if *at < note.at { "decided " } else { "" };
                Some((deed, format!("{who}  {FAINT}{decided}{} after the request{FAINT:#}", length(*after))))
            }
            What::Owed(owed) => Some((
                LineStart { text: "still owed".to_owned(), style: BAD },
                printable(&owed_in_words(owed, roster)).into_owned(),
            )),
            What::Remark(remark) => {
                say_remark(remark).map(|text| (LineStart::faint("note"), printable(&text).into_owned()))
            }
            What::Difference(difference) => {
                let deed = LineStart { text: "DIFFERS".to_owned(), style: BAD };
                Some((deed, printable(&difference.to_string()).into_owned()))
            }
        }
    }

    fn event(&mut self, happening: &EventKind, roster: &Roster) -> Option<(LineStart, String)> {
        Some(match happening {
            EventKind::RoutingRequested(requested) => (
                LineStart { text: format!("{} asked for", requested.routing_type), style: HEADING },
                format!(
                    "{:<OBJECT$}  {FAINT}request {}{FAINT:#}",
                    target_name(roster, &requested.target),
                    requested.event
                ),
            ),
            EventKind::RoutingCancelled(cancelled) => {
                let who = match cancelled.reason {
                    CancelReason::Cancel => "by the requester",
                    CancelReason::EndUserEnded => "the end user has left",
                    _ => "Salesforce confirms",
                };
                (LineStart { text: "routing cancelled".to_owned(), style: CAUTION }, who.to_owned())
            }
            EventKind::WorkChanged(change) => {
                let who = change.rep.map(|rep| rep_name(roster, rep));
                let who = who.or_else(|| self.reps.get(change.work.as_str()).cloned());
                let style = match change.change {
                    WorkChange::Accepted => GOOD,
                    WorkChange::Assigned => FAINT,
                    _ => CAUTION,
                };
                let text = format!("offer {}", change.change.as_str().to_lowercase());
                let who = who.unwrap_or_else(|| "somebody".to_owned());
                (LineStart { text, style }, format!("{who:<OBJECT$}  {FAINT}{}{FAINT:#}", change.work))
            }
            EventKind::SessionChanged { work_item, status, previous, .. } => {
                let before = previous.map(|before| format!(", was {before}")).unwrap_or_default();
                let text = format!("{:<OBJECT$}  {FAINT}{work_item}{FAINT:#}", format!("{status}{before}"));
                (LineStart::faint("session"), text)
            }
            EventKind::ParticipantsChanged(changes) => (
                LineStart::faint("participants"),
                changes.iter().map(|c| came_or_went(roster, c)).collect::<Vec<_>>().join(", "),
            ),
            EventKind::RoutingStarted { .. } | EventKind::ParticipantSeen(_) | EventKind::WorkItemSeen(_) => {
                return None;
            }
        })
    }

    fn call(&mut self, call: &CallNote, roster: &Roster) -> (LineStart, String) {
        let (style, answer) = answer(call);
        let object = self.object(call, roster);
        let mut text = format!("{object:<OBJECT$}  {style}{answer}{style:#}");
        if call.tries > 1 {
            let _ = write!(text, "  {CAUTION}{} tries{CAUTION:#}", call.tries);
        }
        let _ = write!(text, "  {FAINT}+{}{FAINT:#}", length(call.took));
        for field in ["psrId", "agentWorkId"] {
            if let Some(id) = text_of(call.response.as_ref(), field) {
                let _ = write!(text, "  {FAINT}{}{FAINT:#}", printable(id));
            }
        }
        let path = call.path.strip_prefix("/api/v1").unwrap_or(call.path);
        (LineStart { text: format!("{} {path}", call.method), style: NAME }, text)
    }

    /// Whom or what a call is about.
    fn object(&mut self, call: &CallNote, roster: &Roster) -> String {
        let field = |pointer: &str| call.body.pointer(pointer).and_then(Value::as_str);
        let rep_of = |id: &str| RepId::parse(id).map_or_else(|_| id.to_owned(), |rep| rep_name(roster, rep));
        match (call.method, call.path) {
            ("POST", "/api/v1/route") => {
                match (field("/routingInfo/flow/flowId"), field("/routingInfo/queueId")) {
                    (Some(flow), _) => flow_name(roster, flow),
                    (None, Some(queue)) => queue_name(roster, queue),
                    (None, None) => "by the channel's default".to_owned(),
                }
            }
            ("POST", "/api/v1/agentWork") => {
                let rep = field("/userId").map(rep_of).unwrap_or_default();
                if let Some(work) = text_of(call.response.as_ref(), "agentWorkId") {
                    // Answers have the long form of an id, events the short one.
                    let work = AgentWorkId::parse(work).map_or_else(|_| work.to_owned(), |id| id.to_string());
                    self.reps.insert(work, rep.clone());
                }
                rep
            }
            ("PATCH", _) => {
                let work = field("/workId").unwrap_or_default();
                let rep = self.reps.get(work).map_or(work, String::as_str);
                format!("cancel for {rep}")
            }
            ("POST", "/api/v1/routingResult") => match field("/errorMessage") {
                Some(_) => "failed".to_owned(),
                None => "success".to_owned(),
            },
            ("DELETE", _) => field("/cancelReason").unwrap_or_default().to_owned(),
            _ => field("/participants/0/subject")
                .map(|id| format!("remove {}", rep_of(id)))
                .unwrap_or_default(),
        }
    }
}

/// The first column of a line.
struct LineStart {
    text: String,
    style: anstyle::Style,
}

impl LineStart {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), style: anstyle::Style::new() }
    }

    fn faint(text: &str) -> Self {
        Self { text: text.to_owned(), style: FAINT }
    }
}

/// The status of a call, and what it means where it is not what was hoped for.
fn answer(call: &CallNote) -> (anstyle::Style, String) {
    let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    match &call.answer {
        Answer::Done(_) => (GOOD, status),
        Answer::Lost(_) => (BAD, "no answer".to_owned()),
        Answer::Refused(refusal) => {
            let meaning = match refusal.code {
                Some(code) => format!("{status} {code}: {}", ErrorCode(code).meaning()),
                None => format!("{status} {}", printable(&refusal.message)),
            };
            (BAD, meaning)
        }
    }
}

fn outcome_style(outcome: Outcome) -> anstyle::Style {
    match outcome {
        Outcome::Joined => GOOD.bold(),
        Outcome::Failed => BAD,
        _ => CAUTION.bold(),
    }
}

fn found(search: &Search, roster: &Roster) -> String {
    let place = match (search.queue, search.skills.as_slice()) {
        (Some(queue), _) => queue_name(roster, queue.as_str()),
        (None, []) => "anybody".to_owned(),
        (None, skills) => {
            let names: Vec<_> = skills.iter().map(|skill| skill.id.as_str()).collect();
            format!("skills {}", names.join(" + "))
        }
    };
    let (style, who) = match &search.found {
        Ok(reps) if reps.is_empty() => (CAUTION, "nobody".to_owned()),
        Ok(reps) => (NAME, reps.iter().map(|rep| rep_name(roster, *rep)).collect::<Vec<_>>().join(", ")),
        Err(failure) => (BAD, printable(&failure.to_string()).into_owned()),
    };
    let took = length(search.took);
    format!("{place:<OBJECT$}  {style}{who}{style:#}  {FAINT}+{took}{FAINT:#}")
}

/// What is still to be undone at Salesforce, and what came of the last try.
fn owed_in_words(owed: &OwedView, roster: &Roster) -> String {
    let what = match (owed.undo, owed.rep) {
        ("cancelOffer", Some(rep)) => format!("cancel the offer to {}", rep_name(roster, rep)),
        ("removeRep", Some(rep)) => format!("remove {}", rep_name(roster, rep)),
        ("unknownOffer", Some(rep)) => {
            return format!("an offer of unknown id to {} may still ring", rep_name(roster, rep));
        }
        _ => "clear the PSR".to_owned(),
    };
    let answer = owed.last_answer.as_deref().unwrap_or("no answer");
    format!("{what}; tried {} times, last: {answer}", owed.tries)
}

fn say_remark(remark: &Remark) -> Option<String> {
    Some(match remark {
        Remark::SeenBefore(event) => format!("request {event} ignored: duplicate event"),
        Remark::NotRouted(event, kind) => {
            format!("request {event} of type {kind} left alone: a rep is there, or it is not routed here")
        }
        Remark::TooLateToCancel(_) => "cancel ignored: the rep has already joined".to_owned(),
        Remark::NotCancellable(_) | Remark::NotDeclinable(_) => remark.to_string(),
        Remark::NothingToCancel => "cancel ignored: no open request matches it".to_owned(),
        Remark::NotTheirOffer(work, rep) => {
            format!("{rep} reported {work}, which was offered to another rep; ignored")
        }
        Remark::CancelGuessed(event) => format!("the cancel was applied to request {event}"),
        Remark::WaitsAlready(_) => "the waiting session is already being routed".to_owned(),
        Remark::NoResultWithoutWorkItem(event) => {
            format!("no routing result for {event}: its workItemId was not known in time")
        }
        Remark::Broken(illegal) => illegal.to_string(),
        Remark::LateAnswer(_)
        | Remark::OldWork(_)
        | Remark::ForeignWork(_)
        | Remark::RepRefused(..)
        | Remark::OldMove(_)
        | Remark::RouterFailed(..) => return None,
    })
}

fn came_or_went(roster: &Roster, change: &ParticipantChange) -> String {
    let who = match change.participant.as_rep() {
        Some(rep) => rep_name(roster, rep),
        None => format!("{} {}", change.participant.role, change.participant.subject),
    };
    format!("{}{who}", if change.joined { "+ " } else { "− " })
}

fn target_name(roster: &Roster, target: &Target) -> String {
    match target {
        Target::Rep(rep) => format!("rep {}", rep_name(roster, *rep)),
        Target::Queue(queue) => queue_name(roster, queue.as_str()),
        Target::Flow { flow, .. } => flow_name(roster, flow.as_str()),
        Target::Skills(skills) => {
            let names: Vec<_> = skills.iter().map(|skill| skill.id.as_str()).collect();
            format!("skills {}", names.join(" + "))
        }
        Target::Bot(bot) => format!("bot {bot}"),
        Target::External(contact) => format!("outside contact {contact}"),
        Target::Unreadable => "an unreadable target".to_owned(),
    }
}

fn rep_name(roster: &Roster, rep: RepId) -> String {
    let known = roster.reps.iter().find(|known| known.id == rep && !known.name.is_empty());
    known.map_or_else(|| rep.to_string(), |known| printable(&known.name).into_owned())
}

fn queue_name(roster: &Roster, id: &str) -> String {
    let known = roster.queues.iter().find(|known| known.id.as_str() == id && !known.name.is_empty());
    format!("queue {}", printable(known.map_or(id, |known| &known.name)))
}

fn flow_name(roster: &Roster, id: &str) -> String {
    let known = roster.flows.iter().find(|known| known.id.as_str() == id && !known.name.is_empty());
    format!("flow {}", printable(known.map_or(id, |known| &known.name)))
}

fn text_of<'a>(value: Option<&'a Value>, field: &str) -> Option<&'a str> {
    value?.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// A length of time, as short as it is exact enough.
fn length(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
    }
}

/// The last lines: what came of it all.
pub(super) fn sum_up(output: &Output, summary: &Summary) -> Result<(), Error> {
    let count =
        |number: u64, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
    let endings: Vec<String> = Outcome::ALL
        .into_iter()
        .filter(|outcome| summary.ended(*outcome) > 0)
        .map(|outcome| format!("{} {outcome}", summary.ended(outcome)))
        .collect();
    let endings = if endings.is_empty() { String::new() } else { format!(": {}", endings.join(", ")) };
    output.line("")?;
    output.line(format_args!(
        "{}{endings} · {} · {}",
        count(summary.requests(), "request", "requests"),
        count(summary.calls, "call", "calls"),
        count(summary.lines, "line", "lines"),
    ))?;
    for (what, times) in &summary.ignored {
        output.line(format_args!("{FAINT}ignored: {} ({times}){FAINT:#}", printable(what)))?;
    }
    for failure in &summary.recorded_failures {
        let failure = printable(failure);
        output.line(format_args!(
            "{CAUTION}recorded failure{CAUTION:#}  {failure}; not replayed against a live side"
        ))?;
    }
    match summary.differences {
        0 if !summary.compared => Ok(()),
        0 => output.line(format_args!("{GOOD}nothing differs{GOOD:#}")),
        number => output.line(format_args!("{BAD}{}{BAD:#}", count(number, "difference", "differences"))),
    }
}
