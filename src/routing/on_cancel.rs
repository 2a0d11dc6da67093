//! Whom a cancel means.
//!
//! A cancel names no request (PROTOCOL: "Doubts"). What it carries proves different things:
//!
//! | field | what it proves |
//! | --- | --- |
//! | `pendingServiceRoutingId` | the one request whose PSR it is; none, where that request is over |
//! | `recordId` | the one request whose agent work it is; where it is the work item, only the conversation |
//! | `initiator` | who asked |
//! | `workOwnerId` | who cancels, who is the one who asked |
//! | `routingType` | of which type the request is |
//!
//! Who asked for a request is rarely told. The rep whose page last opened the list of contacts is a hint at
//! it, and so is that there was only one rep.
//!
//! Invariants
//! - A cancel means one request at most, and never one that somebody has accepted.
//! - No transfer is called off by a cancel: its rep is on the way, and the one who asked may be gone.
//! - Where more than one request fits, the choice is a guess, and said to be one.

use crate::model::event::RoutingCancelled;
use crate::model::ids::RepId;
use crate::model::words::CancelReason;

use super::command::Remark;
use super::conversation::Conversation;
use super::decision::Decision;
use super::fact::{Fact, RequestFact};
use super::progress::ReportState;
use super::reason::{Outcome, Reason};
use super::request::Request;

/// What a cancel comes to.
enum CancelTarget<'a> {
    /// This request; there is no doubt, or no other that it could be.
    One(&'a Request),
    /// This one is likelier than the others.
    Guess(&'a Request),
    /// One that somebody has accepted.
    TooLate(&'a Request),
    /// A transfer, which nothing calls off once it is begun.
    Transfer(&'a Request),
    /// None that is open.
    None,
}

impl Decision<'_> {
    pub(super) fn on_cancelled(&mut self, cancelled: &RoutingCancelled) {
        match cancelled.reason {
            CancelReason::Cancel => self.on_cancelled_once(cancelled),
            CancelReason::EndUserEnded => {
                self.wait_is_over();
                self.end_all(&Reason::EndUserLeft);
            }
            // Salesforce echoes the reasons that our own clearing gave.
            CancelReason::Unknown | CancelReason::Unavailable | CancelReason::Decline => {}
        }
    }

    /// A cancel names no request: when it comes again, the one that it meant may be over, and it would
    /// be taken for another's.
    fn on_cancelled_once(&mut self, cancelled: &RoutingCancelled) {
        if let Some(entry) = &cancelled.entry {
            if self.conversation.has_seen(entry) {
                self.remark(Remark::SeenBefore(entry.clone()));
                return;
            }
            self.fact(Fact::CancelReceived(entry.clone()));
        }
        let (number, guessed) = match self.conversation.meant(cancelled) {
            CancelTarget::None => return self.remark(Remark::NothingToCancel),
            CancelTarget::TooLate(request) => {
                let event = request.event.clone();
                return self.remark(Remark::TooLateToCancel(event));
            }
            CancelTarget::Transfer(request) => {
                let event = request.event.clone();
                return self.remark(Remark::NotCancellable(event));
            }
            CancelTarget::One(request) => (request.number, None),
            CancelTarget::Guess(request) => (request.number, Some(request.event.clone())),
        };
        if let Some(event) = guessed {
            self.remark(Remark::CancelGuessed(event));
        }
        self.withhold_report(number);
        if self.conversation.request(number).is_some_and(|request| request.verdict.is_none()) {
            self.decide(number, Outcome::Cancelled, Reason::RequesterCancelled);
        }
    }

    pub(super) fn withhold_report(&mut self, number: u32) {
        if self.conversation.request(number).is_some_and(|request| request.report == ReportState::Due) {
            self.about(number, RequestFact::ResultNotSent);
        }
    }

    /// The conversation is over: everything open is called off.
    pub(super) fn end_all(&mut self, reason: &Reason) {
        let open: Vec<u32> = self.conversation.requests.iter().map(|request| request.number).collect();
        for number in open {
            self.withhold_report(number);
            if self.conversation.request(number).is_some_and(|request| request.verdict.is_none()) {
                self.decide(number, Outcome::Cancelled, reason.clone());
            }
        }
    }
}

impl Conversation {
    fn meant(&self, cancelled: &RoutingCancelled) -> CancelTarget<'_> {
        let of_type = |request: &&Request| {
            cancelled.routing_type.is_none_or(|of_type| of_type == request.routing_type)
                && request.rule().is_none_or(|rule| rule.cancellable)
                && request.report != ReportState::Withheld
        };
        if let Some(owner) = cancelled.psr.and_then(|psr| self.owner_of(psr)) {
            return self.request(owner).map_or(CancelTarget::None, certain);
        }
        if let Some(work) = cancelled.work {
            let of_work = |request: &&Request| request.offers.iter().any(|it| it.work() == Some(work));
            if let Some(request) = self.requests.iter().find(of_work) {
                return certain(request);
            }
            if self.is_past_work(work) {
                return CancelTarget::None;
            }
        }
        let asker = cancelled.initiator.or(cancelled.by);
        // A PSR that nobody knows is that of a request whose own is not known yet, or of none of ours.
        let fits = |request: &&Request| {
            of_type(request)
                && (cancelled.psr.is_none() || !self.has_known_psr(request.number))
                && asker.is_none_or(|rep| request.requester.is_none_or(|asked| asked == rep))
        };
        // The newest first: a rep invites one at a time.
        let mut fitting: Vec<&Request> = self.requests.iter().rev().filter(fits).collect();
        if fitting.iter().any(|request| request.verdict.is_none()) {
            fitting.retain(|request| request.verdict.is_none());
        }
        likeliest(&fitting, asker)
    }
}

fn certain(request: &Request) -> CancelTarget<'_> {
    match request {
        _ if joined(request) => CancelTarget::TooLate(request),
        _ if request.is_transfer() => CancelTarget::Transfer(request),
        _ => CancelTarget::One(request),
    }
}

fn joined(request: &Request) -> bool {
    request.verdict.as_deref().is_some_and(|verdict| verdict.outcome == Outcome::Joined)
}

/// Of those that fit, newest first: the one of whoever asked, as far as that is known; else the newest
/// that nobody has accepted.
fn likeliest<'a>(fitting: &[&'a Request], asker: Option<RepId>) -> CancelTarget<'a> {
    let open: Vec<&'a Request> = fitting.iter().copied().filter(|request| !joined(request)).collect();
    let of_asker = |known: fn(&Request) -> Option<RepId>| {
        let of_asker = |request: &&Request| asker.is_some() && known(request) == asker;
        open.iter().copied().filter(of_asker).collect::<Vec<&'a Request>>()
    };
    let (certain, hinted) = (of_asker(|request| request.requester), of_asker(|request| request.asked_by));
    match (open.as_slice(), certain.as_slice()) {
        ([], _) => fitting.first().map_or(CancelTarget::None, |request| CancelTarget::TooLate(request)),
        ([only], _) | (_, [only]) => CancelTarget::One(only),
        ([newest, ..], []) => CancelTarget::Guess(hinted.first().unwrap_or(newest)),
        (_, [newest, ..]) => CancelTarget::Guess(newest),
    }
}
