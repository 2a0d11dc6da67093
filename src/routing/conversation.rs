//! One conversation: who is in it, its work item, and its routing requests.
//!
//! The requests of a conversation share its seats, its PSR clearing and its work item, so they are one
//! state machine: what one of them may do depends on what the others hold.
//!
//! Invariants (numbered as in the design)
//! 1. Every request ends, once, with one last word.
//! 2. At most one routing result a request, within 60 seconds of its event.
//! 3. When a request has ended, no offer of it can still be accepted.
//! 4. When a request has ended, no PSR of it is left.
//! 5. Never more participants than the limit, open offers of all requests counted.
//! 6. The same event twice changes nothing.
//!
//! Elsewhere: `on_event` and `on_answer` turn inputs into facts, `next` turns state into commands,
//! `request` holds what a fact makes of a request.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::event::{Participant, WorkChanged};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{ParticipantRole, RoutingType};

use super::command::{Command, CommandId, Order};
use super::fact::{Fact, IllegalFact, Intent, RequestFact};
use super::last_move::LastMove;
use super::offer::Offer;
use super::policy::Settings;
use super::progress::InFlight;
use super::reason::{Conclusion, Outcome};
use super::request::Request;
use super::session_wait::SessionWait;

/// How many routing events and cancels a conversation remembers, so that none is taken for new when it
/// comes again.
const REMEMBERED_EVENTS: usize = 64;

/// How many offers that no open request holds are remembered, so that none is taken for another's.
const REMEMBERED_WORKS: usize = 64;

/// How many PSRs are remembered, those of requests that are over included, so that a late cancel is not
/// taken for another's.
const REMEMBERED_PSRS: usize = 16;

/// How many events about offers of unknown id wait for the answers that tell the ids.
const UNPLACED_WORKS: usize = 16;

/// The routing of one conversation, as a plain value: it can be stored, compared and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Conversation {
    pub(super) id: ConversationId,
    pub(super) work_item: Option<WorkItemId>,
    pub(super) participants: SmallVec<[Participant; 1]>,
    pub(super) requests: Vec<Request>,
    next_number: u32,
    seen: Vec<EventId>,
    /// Offers of ours whose requests are over; and, in what an older release wrote, those of others.
    past_works: Vec<AgentWorkId>,
    /// Offers that no request of ours made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    foreign_works: Vec<AgentWorkId>,
    pub(super) unplaced: Vec<WorkChanged>,
    /// The last move of each who came or went.
    #[serde(default)]
    pub(super) moves: Vec<LastMove>,
    /// The PSRs that were made, and the numbers of their requests, the newest last.
    #[serde(default)]
    psrs: Vec<(PsrId, u32)>,
    #[serde(default)]
    pub(super) session_wait: Option<Box<SessionWait>>,
}

impl Conversation {
    /// A conversation of which nothing is known yet.
    pub fn new(id: ConversationId) -> Self {
        Self {
            id,
            work_item: None,
            participants: SmallVec::new(),
            requests: Vec::new(),
            next_number: 0,
            seen: Vec::new(),
            past_works: Vec::new(),
            foreign_works: Vec::new(),
            unplaced: Vec::new(),
            moves: Vec::new(),
            psrs: Vec::new(),
            session_wait: None,
        }
    }

    /// Its id.
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// Its messaging session, where known.
    pub fn work_item(&self) -> Option<WorkItemId> {
        self.work_item
    }

    /// Who is in it, as far as events have told.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// Whether the rep is in it, and no other rep is, as far as events have told.
    pub(super) fn is_last_rep(&self, rep: RepId) -> bool {
        let mut reps = self.participants.iter().filter_map(Participant::as_rep);
        reps.next() == Some(rep) && reps.next().is_none()
    }

    /// Whether nothing is open: no request, no clean-up.
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty()
    }

    /// The routing events whose requests are open.
    pub fn open_requests(&self) -> impl Iterator<Item = &EventId> {
        self.requests.iter().map(|request| &request.event)
    }

    /// Whether one more participant would be too many, open invitations counted.
    pub fn is_full(&self, settings: &Settings) -> bool {
        settings.participant_limit.is_some_and(|limit| self.taken_seats(None) >= to_usize(limit))
    }

    /// When to feed [`Input::DeadlineReached`](super::Input::DeadlineReached) at the latest; `None` where nothing waits for time.
    pub fn deadline(&self, settings: &Settings) -> Option<Timestamp> {
        let of_request =
            |request: &Request| request.deadline(settings).into_iter().chain(self.next_try(request));
        self.requests.iter().flat_map(of_request).chain(self.route_waiting_at(settings)).min()
    }

    /// The commands that were given and never answered, to be given again after a restart. Their ids
    /// are the same, and so are the calls.
    ///
    /// The making of an offer whose rep has answered it meanwhile is among them with its time over: it
    /// is not to be tried again, for that would ring the rep once more, and is to be answered `Lost`.
    pub fn outstanding(&self, settings: &Settings) -> Vec<Command> {
        self.requests
            .iter()
            .flat_map(|request| {
                request
                    .in_flight()
                    .into_iter()
                    .map(|(call, intent)| (request.unless_overtaken(call, &intent), intent))
                    .filter_map(|(call, intent)| self.command(settings, request, call, &intent))
            })
            .collect()
    }

    /// Makes a fact part of the state. Recovery runs this alone, over the journal.
    ///
    /// # Errors
    /// Where the fact does not fit the state; the state is then as it was.
    pub fn apply(&mut self, fact: &Fact) -> Result<(), IllegalFact> {
        match fact {
            Fact::WorkItemLearned(work_item) => self.work_item = Some(*work_item),
            Fact::ParticipantJoined(participant) => {
                if !self.participants.contains(participant) {
                    self.participants.push(participant.clone());
                }
            }
            Fact::ParticipantLeft(participant) => self.participants.retain(|p| p != participant),
            Fact::ParticipantMoved { who, joined, at } => self.apply_move(who, *joined, *at),
            Fact::SessionEnded => {
                self.participants.retain(|p| p.role == ParticipantRole::EndUser);
                self.session_wait = None;
                for request in &mut self.requests {
                    request.session_over_from = Some(request.commands);
                }
            }
            Fact::SessionWaiting { entry, lately } => {
                self.remember_event(entry);
                self.apply_session_waits(entry, *lately);
            }
            Fact::PsrMade { psr, request } => {
                if self.psrs.len() == REMEMBERED_PSRS {
                    self.psrs.remove(0);
                }
                self.psrs.push((*psr, *request));
            }
            Fact::CustomerLeftAlone(name) => {
                self.remember_event(name);
                self.apply_left_alone(name);
            }
            Fact::RerouteScheduled(at) => self.apply_route_planned(*at),
            Fact::SessionWaitEnded(since) => self.apply_wait_over(*since),
            Fact::ForeignOfferSeen(work) => remember(&mut self.foreign_works, *work),
            Fact::OfferEventHeld(change) => {
                if self.unplaced.len() == UNPLACED_WORKS {
                    self.unplaced.remove(0);
                }
                self.unplaced.push(change.clone());
            }
            Fact::OfferEventMatched(work) => self.unplaced.retain(|change| change.work != *work),
            Fact::CancelReceived(entry) => self.remember_event(entry),
            Fact::Requested(requested) => {
                // Whatever brings a first rep belongs to the session's wait, and is named after the event that told of
                // it, which is known.
                let anew = requested.routing_type == RoutingType::Initial;
                if !anew || self.session_wait.is_none() {
                    self.remember_event(&requested.event);
                }
                self.next_number = requested.number.saturating_add(1);
                self.requests.reserve_exact(1);
                self.requests.push(Request::new(requested));
                if anew {
                    self.apply_routed_anew();
                }
            }
            Fact::DeadlinesShortened(latest) => self.cut_times(latest),
            Fact::OfRequest(number, fact) => return self.apply_to_request(*number, fact),
        }
        Ok(())
    }

    fn apply_to_request(&mut self, number: u32, fact: &RequestFact) -> Result<(), IllegalFact> {
        let Some(request) = self.requests.iter_mut().find(|request| request.number == number) else {
            return Err(IllegalFact {
                fact: format!("{fact:?}"),
                state: format!("no open request {number}"),
            });
        };
        let replaced = match fact {
            RequestFact::OfferRepeated { rep, .. } => request.offer(*rep).and_then(Offer::work),
            _ => None,
        };
        request.apply(fact)?;
        if let Some(work) = replaced {
            remember(&mut self.past_works, work);
            return Ok(());
        }
        if let RequestFact::Decided(Conclusion { outcome: Outcome::Joined, at, .. }) = fact {
            self.apply_wait_over(*at);
        } else if *fact == RequestFact::Closed {
            let works: Vec<AgentWorkId> = request.offers.iter().filter_map(Offer::work).collect();
            self.requests.retain(|request| request.number != number);
            for work in works {
                remember(&mut self.past_works, work);
            }
            if self.requests.is_empty() {
                self.unplaced.clear();
            }
        }
        Ok(())
    }

    fn remember_event(&mut self, event: &EventId) {
        if self.seen.contains(event) {
            return;
        }
        if self.seen.len() == REMEMBERED_EVENTS {
            self.seen.remove(0);
        }
        // Nearly every conversation has one request at a time; room for four would double what it weighs.
        self.seen.reserve_exact(1);
        self.seen.push(event.clone());
    }

    pub(super) fn next_number(&self) -> u32 {
        self.next_number
    }

    pub(super) fn has_seen(&self, event: &EventId) -> bool {
        self.seen.contains(event)
    }

    /// The number of the request whose PSR it is, be it open or over.
    pub(super) fn owner_of(&self, psr: PsrId) -> Option<u32> {
        self.psrs.iter().find(|(made, _)| *made == psr).map(|(_, request)| *request)
    }

    /// Whether it is known which PSR was made for the request.
    pub(super) fn has_known_psr(&self, request: u32) -> bool {
        self.psrs.iter().any(|(_, owner)| *owner == request)
    }

    /// Whether no open request holds it, and that is known.
    pub(super) fn is_past_work(&self, work: AgentWorkId) -> bool {
        self.was_ours(work) || self.foreign_works.contains(&work)
    }

    /// Whether a request of ours made it that is over.
    pub(super) fn was_ours(&self, work: AgentWorkId) -> bool {
        self.past_works.contains(&work)
    }

    pub(super) fn request(&self, number: u32) -> Option<&Request> {
        self.requests.iter().find(|request| request.number == number)
    }

    pub(super) fn is_present(&self, rep: RepId) -> bool {
        self.participants.iter().any(|participant| participant.as_rep() == Some(rep))
    }

    /// Whether the rep has an offer that they can still accept, from any request of the conversation.
    pub(super) fn is_invited(&self, rep: RepId) -> bool {
        self.requests.iter().any(|request| {
            request.offer(rep).is_some_and(Offer::is_open) || request.candidates.contains(&rep)
        })
    }

    /// Whether the rep's console rings, or may yet, for any request of the conversation. Nobody is found
    /// for a second one meanwhile: an event could then be about either.
    pub(super) fn may_ring(&self, rep: RepId) -> bool {
        let may_ring = |offer: &Offer| offer.holds_seat() || offer.rings_without_a_name();
        self.is_invited(rep) || self.requests.iter().any(|request| request.offer(rep).is_some_and(may_ring))
    }

    /// Whether an offer to the rep that another request made may exist without a name.
    pub(super) fn another_may_exist(&self, number: u32, rep: RepId) -> bool {
        let mut others = self.requests.iter().filter(|request| request.number != number);
        others.any(|request| request.offer(rep).is_some_and(Offer::may_get_name))
    }

    /// The seats that are taken: everybody who is in, and whoever the open requests may bring.
    ///
    /// A conference has an end user and a rep in it even where no event has told of them.
    pub(super) fn taken_seats(&self, except: Option<u32>) -> usize {
        let count = |role| self.participants.iter().filter(|p| p.role == role).count();
        let end_users = count(ParticipantRole::EndUser).max(1);
        let reps = count(ParticipantRole::Agent).max(1);
        let others = count(ParticipantRole::Chatbot).saturating_add(count(ParticipantRole::Supervisor));
        // Where the rep who hands over has left already, whoever takes over comes in nobody's place.
        let unrelieved = |request: &Request| {
            let asked = request.requester.or(request.asked_by);
            let gone = asked.is_some_and(|rep| !self.is_present(rep));
            usize::from(
                gone && request.is_transfer() && (request.verdict.is_none() || request.held_seats() > 0),
            )
        };
        let others_of = self.requests.iter().filter(|request| Some(request.number) != except);
        let held: usize = others_of.map(|it| it.seats().saturating_add(unrelieved(it))).sum();
        end_users.saturating_add(reps).saturating_add(others).saturating_add(held)
    }
}

/// Remembers an offer; of too many, the oldest is forgotten.
fn remember(works: &mut Vec<AgentWorkId>, work: AgentWorkId) {
    if works.contains(&work) {
        return;
    }
    if works.len() == REMEMBERED_WORKS {
        works.remove(0);
    }
    works.push(work);
}

/// Widens a limit for comparing with a count.
pub(super) fn to_usize(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl Conversation {
    /// The command for an intent, built from the state alone, so that it is the same after a restart.
    pub(super) fn command(
        &self,
        settings: &Settings,
        request: &Request,
        call: InFlight,
        intent: &Intent,
    ) -> Option<Command> {
        let order = match intent {
            Intent::Search { dropped, limit } => Order::Find(self.query(request, *dropped, *limit)),
            _ => Order::Call(self.call(settings, request, intent)?),
        };
        let id = CommandId { request: request.event.clone(), number: call.number };
        Some(Command { id, give_up_at: call.give_up_at, order })
    }
}
