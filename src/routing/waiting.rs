//! A session that waits for its only rep is routed: at Salesforce's `RoutingRequested` with `Initial`, and anew each time
//! that it becomes `Waiting` (PROTOCOL: "RoutingRequested", "What can happen after the offer"). One routing is enough,
//! whichever of the two comes first.
//!
//! The first time at once; where that comes to nothing, or the rep is soon gone again, after a wait that
//! doubles. While another request of the conversation may still bring a rep, nothing is begun.
//!
//! Invariants
//! 10. A session that waits has a request that is being worked on, or a moment at which the next begins; until
//!     Salesforce must have ended it.
//!
//! Elsewhere: what such a request does, in `next`, as with any other.

use std::time::Duration;

use crate::model::event::RoutingRequested;
use crate::model::ids::{EventId, RepId};
use crate::model::time::Timestamp;

use super::command::{Announced, Remark, SessionNews};
use super::conversation::Conversation;
use super::decision::Decision;
use super::fact::{Fact, Requested};
use super::phase::SessionPhase;
use super::policy::{ANSWER_WINDOW, Settings};
use super::reason::{Outcome, Reason};
use super::request::Request;
use super::rules::{self, Admission, Rule, TargetKind};
use super::session_wait::{self, SessionWait, State};
use super::target::{ResolvedTarget, WHEN_WAITING};

/// A session that has not waited for so long begins with the first attempt again.
const SERVED_FOR: Duration = Duration::from_secs(300);

/// After so many attempts it is given up. They take more than the 54 hours after which Salesforce ends a
/// session that nobody answers, so that only a session whose end was never told comes so far.
const MOST_ATTEMPTS: u16 = 700;

/// Whether the connector routes it.
fn is_ours(wait: &SessionWait, settings: &Settings) -> bool {
    settings.policy.route_waiting || wait.after_transfer
}

impl Conversation {
    /// When a session that waits is routed, where nothing else is waited for.
    pub(super) fn route_waiting_at(&self, settings: &Settings) -> Option<Timestamp> {
        let wait = self.session_wait.as_deref().filter(|wait| is_ours(wait, settings))?;
        match wait.state {
            State::Until(at) if !self.may_bring_a_rep() => Some(at),
            State::Until(_) | State::Pursued | State::Over(_) => None,
        }
    }

    /// Whether its session waits for a rep, as far as events have told.
    pub fn waits_for_a_rep(&self) -> bool {
        self.session_wait.as_deref().is_some_and(|wait| !wait.is_over())
    }

    fn may_bring_a_rep(&self) -> bool {
        self.requests.iter().any(|request| request.verdict.is_none())
    }

    pub(super) fn apply_session_waits(&mut self, entry: &EventId, lately: u16) {
        let after_transfer =
            self.session_wait.as_deref().is_some_and(|wait| !wait.is_over() && wait.after_transfer);
        self.session_wait = Some(Box::new(SessionWait { after_transfer, ..SessionWait::new(entry, lately) }));
    }

    pub(super) fn apply_left_alone(&mut self, entry: &EventId) {
        self.session_wait = Some(Box::new(SessionWait::after_transfer(entry)));
    }

    pub(super) fn apply_route_planned(&mut self, at: Timestamp) {
        if let Some(wait) = self.session_wait.as_deref_mut() {
            wait.state = State::Until(at);
        }
    }

    pub(super) fn apply_routed_anew(&mut self) {
        if let Some(wait) = self.session_wait.as_deref_mut() {
            wait.attempts = wait.attempts.saturating_add(1);
            wait.lately = wait.lately.saturating_add(1);
            wait.state = State::Pursued;
        }
    }

    pub(super) fn apply_wait_over(&mut self, since: Timestamp) {
        if let Some(wait) = self.session_wait.as_deref_mut()
            && !wait.is_over()
        {
            wait.state = State::Over(since);
        }
    }
}

impl Decision<'_> {
    /// The session is in a phase other than `Over`.
    pub(super) fn on_session_phase(&mut self, entry: &EventId, phase: SessionPhase) {
        if phase != SessionPhase::Waiting {
            self.wait_is_over();
            return;
        }
        if !self.settings.policy.route_waiting {
            return;
        }
        if self.conversation.has_seen(entry) {
            self.remark(Remark::SeenBefore(entry.clone()));
            return;
        }
        if self.conversation.waits_for_a_rep() {
            self.remark(Remark::WaitsAlready(entry.clone()));
            return;
        }
        if self.conversation.may_bring_a_rep() {
            self.remark(Remark::WaitsAlready(entry.clone()));
        }
        self.fact(Fact::SessionWaiting { entry: entry.clone(), lately: self.attempts_lately() });
        self.tell(Announced::Session(SessionNews::Waiting));
    }

    /// How often the session was routed since it was last served for a good while.
    fn attempts_lately(&self) -> u16 {
        self.conversation.session_wait.as_deref().map_or(0, |wait| match wait.state {
            State::Over(since) if self.now >= since + SERVED_FOR => 0,
            _ => wait.lately,
        })
    }

    /// Salesforce asks for a session's only rep.
    pub(super) fn on_first_requested(&mut self, requested: &RoutingRequested, rule: &Rule) {
        let event = &requested.event;
        let ours = self.settings.policy.route_waiting && rule.admission == Admission::Routed;
        if !ours || !self.conversation.has_no_rep() {
            self.remark(Remark::NotRouted(event.clone(), requested.routing_type));
            return;
        }
        self.learn_of_request(requested);
        if self.conversation.may_bring_a_rep() {
            self.remark(Remark::WaitsAlready(event.clone()));
            return;
        }
        let (lately, late) = (self.attempts_lately(), self.now >= requested.created + ANSWER_WINDOW);
        // What comes late may be over: events behind it would tell. As after an attempt, it is not begun at once.
        let lately = if late { lately.max(1) } else { lately };
        self.fact(Fact::SessionWaiting { entry: event.clone(), lately });
        self.tell(Announced::Session(SessionNews::Waiting));
        if !late {
            self.route_first(event.clone(), ResolvedTarget::resolve_first(&requested.target));
        }
    }

    /// A rep whom no offer of ours brought is in: a session that a rep began, or that somebody else routed. It is
    /// followed from here on, and not routed.
    pub(super) fn has_found_its_rep(&mut self, rep: RepId) {
        let ours = |request: &Request| request.offer(rep).is_some();
        if self.conversation.requests.iter().any(ours) {
            return;
        }
        let seeks = |request: &&Request| request.brings_first_rep() && request.verdict.is_none();
        let seeking: Vec<u32> = self.conversation.requests.iter().filter(seeks).map(|it| it.number).collect();
        for number in seeking {
            self.decide(number, Outcome::Cancelled, Reason::HasRep);
        }
        self.wait_is_over();
    }

    /// A transfer has ended. Where nobody joined and its customer has no rep any more, they are routed as one who
    /// waits, whoever routes those else: a rep has handed them over.
    pub(super) fn care_for_customer(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let Some(verdict) = request.verdict.as_deref() else { return };
        let ended = matches!(verdict.reason, Reason::EndUserLeft | Reason::SessionEnded);
        let failed = request.is_transfer() && verdict.outcome != Outcome::Joined && !ended;
        if failed && self.conversation.is_left_alone() && !self.conversation.waits_for_a_rep() {
            let name = session_wait::name_after(&request.event);
            self.fact(Fact::CustomerLeftAlone(name));
        }
    }

    /// Whoever the session waited for is there, or nobody is waiting any more.
    pub(super) fn wait_is_over(&mut self) {
        if self.conversation.waits_for_a_rep() {
            self.fact(Fact::SessionWaitEnded(self.now));
        }
    }

    /// Begins the next attempt, when it is due and nothing else can bring a rep.
    pub(super) fn route_waiting(&mut self) {
        if self.conversation.may_bring_a_rep() {
            return;
        }
        let Some(wait) = self.conversation.session_wait.as_deref() else { return };
        if !is_ours(wait, self.settings) {
            return;
        }
        match wait.state {
            State::Pursued if wait.attempts >= MOST_ATTEMPTS => self.wait_is_over(),
            State::Pursued => {
                let at = self.now + wait.pause();
                self.fact(Fact::RerouteScheduled(at));
            }
            State::Until(at) if at <= self.now => {
                let event = wait.next_name();
                self.route_first(event, WHEN_WAITING.1);
            }
            State::Until(_) | State::Over(_) => {}
        }
    }

    /// Begins to look for a session's only rep. No rep waits for an answer, so that its time begins now.
    fn route_first(&mut self, event: EventId, wanted: ResolvedTarget) {
        let (routing_type, _) = WHEN_WAITING;
        self.fact(Fact::Requested(Box::new(Requested {
            number: self.conversation.next_number(),
            event,
            created: self.now,
            routing_type,
            wanted,
            reports: rules::rule(routing_type, TargetKind::Unnamed).reports(),
            requester: None,
            asked_by: None,
        })));
    }
}
