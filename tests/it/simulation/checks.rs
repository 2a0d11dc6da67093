//! The invariants of the design, looked for on both sides once a world has come to rest.
//!
//! Who a call was made for is told by its `RequestId`: Salesforce's routing result names no request, so
//! where several are open in one conversation the emulator's own books can only guess.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use byoc_connector::emulator::{Conversation, LedgerEvent, WorkState};
use byoc_connector::model::call::{
    Call, CreateAgentWork, Removable, RemoveParticipant, ReportResult, RoutingOutcome,
};
use byoc_connector::model::error_codes::ErrorCode;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, RepId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{ANSWER_WINDOW, Announcement, Ending, Outcome, Reason, Remark, Ring};
use byoc_connector::store::{Telling, TellingId};

use super::journal::Move;
use super::world::{Made, World, ends_ringing};

/// Codes that say that a call of ours was wrong in itself. No race excuses one of these.
const OUR_MISTAKES: [u32; 13] =
    [10013, 10014, 10015, 10016, 10024, 10030, 10033, 10034, 10082, 10083, 10093, 10100, 15110];

/// Everything that is wrong with a world at rest; nothing is expected.
pub(crate) fn mistakes(world: &World) -> Vec<String> {
    let mut found = Found::default();
    found.endings(world);
    found.calls(world);
    found.reports(world);
    found.leftovers(world);
    found.offers(world);
    found.order(world);
    found.joins(world);
    found.owed(world);
    found.told(world);
    found.announced(world);
    found.participants(world);
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

/// Why nobody is taken out: they have gone by themselves, or are the last one and can only end the conversation.
const NOBODY_TO_REMOVE: [u32; 2] = [ErrorCode::PARTICIPANT_NOT_FOUND.0, 10_097];

fn worked(made: &Made) -> bool {
    (200..300).contains(&made.status)
}

fn ending<'a>(world: &'a World, request: &EventId) -> Option<&'a Ending> {
    world.trace.endings.iter().map(|(_, ending)| ending).find(|ending| ending.request == *request)
}

impl Found {
    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }

    /// Invariant 1, and that a cancel means the request that was cancelled.
    fn endings(&mut self, world: &World) {
        self.must(world.is_settled(), || "something is open at rest".to_owned());
        for remark in &world.trace.remarks {
            self.must(!matches!(remark, Remark::Broken(_)), || format!("{remark:?}"));
        }
        let mut ended: BTreeMap<&EventId, usize> = BTreeMap::new();
        for (_, ending) in &world.trace.endings {
            *ended.entry(&ending.request).or_default() += 1;
        }
        for request in world.salesforce.requests() {
            let times = ended.get(&request.event).copied().unwrap_or_default();
            self.must(times == 1, || format!("1: {} ended {times} times", request.event));
        }
        for id in world.trace.commands.keys() {
            let times = ended.get(&id.request).copied().unwrap_or_default();
            self.must(times == 1, || format!("1: {} ended {times} times", id.request));
        }
        for (conversation, ending) in &world.trace.endings {
            let over = world.salesforce.conversation(conversation).is_some_and(Conversation::is_over);
            let fine = match ending.reason {
                Reason::RequesterCancelled => called_off(world, &ending.request),
                Reason::EndUserLeft | Reason::SessionEnded => over,
                _ => true,
            };
            self.must(fine, || format!("{} was not called off: {:?}", ending.request, ending.reason));
        }
    }

    fn calls(&mut self, world: &World) {
        for made in &world.trace.made {
            // An accept takes the PSR that an offer under way was going to use.
            let taken = made.code == Some(10013)
                && world.trace.psrs.values().any(|request| *request == made.id.request);
            let ours = made.code.is_some_and(|code| OUR_MISTAKES.contains(&code)) && !taken;
            self.must(!ours, || format!("refused with {:?}: {:?}", made.code, made.call));
        }
    }

    /// Invariant 2.
    fn reports(&mut self, world: &World) {
        let mut numbers: BTreeMap<&EventId, BTreeSet<u16>> = BTreeMap::new();
        let mut given: BTreeMap<&EventId, (Timestamp, bool)> = BTreeMap::new();
        for made in &world.trace.made {
            let Call::ReportResult(ReportResult { result, .. }) = &made.call else { continue };
            numbers.entry(&made.id.request).or_default().insert(made.id.number);
            if worked(made) {
                let success = !matches!(result, RoutingOutcome::Failed(_));
                given.entry(&made.id.request).or_insert((made.at, success));
            }
        }
        for (request, numbers) in numbers {
            self.must(numbers.len() == 1, || format!("2: {request} was reported twice"));
        }
        for request in world.salesforce.requests() {
            let Some(ending) = ending(world, &request.event) else { continue };
            if let Some((at, success)) = given.get(&request.event) {
                let after = at.since(request.created);
                self.must(after < ANSWER_WINDOW, || {
                    format!("2: {} was answered after {after:?}", request.event)
                });
                // A rep who came too late and is the last one left is not taken out.
                let alone = world.trace.alone.contains(&request.event);
                let lied = !success && ending.outcome == Outcome::Joined && !alone;
                self.must(!lied, || format!("2: {} joined after a no", request.event));
            } else {
                let excused = ending.outcome == Outcome::Cancelled
                    || !world.link.is_clean()
                    || called_off(world, &request.event)
                    || world.salesforce.conversation(&request.conversation).unwrap().is_over();
                self.must(excused, || format!("2: {} was not answered: {ending:?}", request.event));
            }
        }
    }

    /// Invariants 3 and 4. What nobody can take back is no mistake of ours.
    fn leftovers(&mut self, world: &World) {
        for work in world.salesforce.works().filter(|work| work.state.is_open()) {
            let nameless = world.is_nameless(work.id);
            self.must(nameless, || format!("3: {} still rings at {}", work.id, work.rep));
        }
        for psr in world.salesforce.psrs() {
            // A route call names no request. Where two ask for the same, the emulator may take it for the
            // wrong one, and then an accept does not take it up: that is the emulator's doubt, not ours.
            let mistaken = world.salesforce.request(&psr.correlation).is_some()
                && world.trace.psrs.get(&psr.id) != Some(&psr.correlation);
            self.must(mistaken, || format!("4: {} is left for {}", psr.id, psr.correlation));
        }
        for ended in &world.trace.over_limit {
            self.must(false, || format!("5: {ended}"));
        }
    }

    /// Invariant 5: how many ring at once; and that nobody is asked twice.
    fn offers(&mut self, world: &World) {
        let mut ringing: BTreeMap<&EventId, usize> = BTreeMap::new();
        for entry in world.salesforce.books().entries() {
            match &entry.what {
                LedgerEvent::OfferCreated { work, .. } => {
                    let Some(request) = world.trace.works.get(work) else { continue };
                    if world.is_nameless(*work) {
                        continue;
                    }
                    let open = ringing.entry(request).or_default();
                    *open += 1;
                    let many = *open > 1 && world.settings.policy.ring == Ring::OneAtATime;
                    self.must(!many, || format!("5: {open} offers of {request} ring at once"));
                }
                LedgerEvent::OfferChanged { work, change, .. } if ends_ringing(*change) => {
                    let Some(request) = world.trace.works.get(work) else { continue };
                    if !world.is_nameless(*work) {
                        *ringing.entry(request).or_default() -= 1;
                    }
                }
                _ => {}
            }
        }
        let mut asked: BTreeMap<(&EventId, RepId), u16> = BTreeMap::new();
        for made in &world.trace.made {
            let Call::CreateAgentWork(CreateAgentWork { rep, .. }) = &made.call else { continue };
            let first = *asked.entry((&made.id.request, *rep)).or_insert(made.id.number);
            self.must(first == made.id.number, || format!("{rep} was asked twice for {}", made.id.request));
        }
    }

    /// Invariant 7, as Salesforce sees it.
    fn order(&mut self, world: &World) {
        let margin = Duration::from_secs(world.settings.policy.margin_seconds.into());
        let mut routed: BTreeSet<&EventId> = BTreeSet::new();
        let mut offered: BTreeSet<&EventId> = BTreeSet::new();
        for made in world.trace.made.iter().filter(|made| worked(made)) {
            let request = &made.id.request;
            match &made.call {
                Call::Route(_) => {
                    self.must(!offered.contains(request), || format!("7: {request} routed after an offer"));
                    routed.insert(request);
                }
                Call::CreateAgentWork(CreateAgentWork { capacity, .. }) => {
                    let fits = capacity.is_some() != routed.contains(request);
                    self.must(fits, || format!("7: {request} routed: {}, {capacity:?}", capacity.is_none()));
                    offered.insert(request);
                }
                Call::ReportResult(ReportResult { result: RoutingOutcome::Routed, .. }) => {
                    let created = world.salesforce.request(request).unwrap().created;
                    let promised = made.at.since(created) >= ANSWER_WINDOW.saturating_sub(margin);
                    let there = to_one_who_is_in(world, request);
                    let early = !offered.contains(request) && !promised && !there;
                    self.must(!early, || format!("7: {request} was promised before its offer"));
                }
                Call::ClearRoute(_) => self.clear(world, made),
                _ => {}
            }
        }
    }

    /// A clear comes when nothing of its request rings, and takes no PSR that another request needs.
    fn clear(&mut self, world: &World, made: &Made) {
        for booked in &made.changed {
            let LedgerEvent::PsrDeleted { psr, .. } = booked else { continue };
            let Some(owner) = world.trace.psrs.get(psr).filter(|owner| **owner != made.id.request) else {
                continue;
            };
            let decided = world.trace.decided.get(owner).is_some_and(|at| *at <= made.at);
            self.must(decided, || format!("4: {} cleared the PSR {psr} of {owner}", made.id.request));
        }
        let mut rings = ringing_at(world, &made.id.request, made.at);
        rings.retain(|work| {
            let rep = world.salesforce.work(*work).unwrap().rep;
            !world.trace.owed_cancels.contains(&(made.id.request.clone(), rep))
        });
        self.must(rings.is_empty(), || format!("7: {} cleared while {rings:?} rang", made.id.request));
    }

    /// Who joined is who is said to have joined.
    fn joins(&mut self, world: &World) {
        let removed = |request: &EventId, rep: RepId| {
            world.trace.made.iter().any(|made| {
                matches!(made.call, Call::RemoveParticipant(RemoveParticipant { who: Removable::Rep(it), .. }) if it == rep)
                    && made.id.request == *request
                    && (worked(made) || made.code.is_some_and(|code| NOBODY_TO_REMOVE.contains(&code)))
            })
        };
        for (_, ending) in &world.trace.endings {
            let Reason::Joined(rep) = ending.reason else { continue };
            let accepted = world.salesforce.works().any(|work| {
                work.rep == rep
                    && world.trace.works.get(&work.id) == Some(&ending.request)
                    && matches!(work.state, WorkState::Accepted | WorkState::Closed)
            });
            self.must(accepted || to_one_who_is_in(world, &ending.request), || {
                format!("{rep} is said to have joined and did not accept")
            });
            self.must(!removed(&ending.request, rep), || format!("{rep} joined and was removed"));
        }
        for entry in world.salesforce.books().entries() {
            let LedgerEvent::OfferChanged { work, rep, change, .. } = &entry.what else { continue };
            let Some(request) = world.trace.works.get(work) else { continue };
            if *change != WorkChange::Accepted {
                continue;
            }
            let said = ending(world, request).is_some_and(|ending| ending.reason == Reason::Joined(*rep));
            // The last one left is not taken out, whoever joined first.
            let stays = world.trace.alone.contains(request);
            self.must(said || removed(request, *rep) || stays, || {
                format!("{rep} accepted {request}, which ended {:?}", ending(world, request))
            });
        }
    }

    /// Invariant 8: what failed was owed, and nothing is owed at rest.
    fn owed(&mut self, world: &World) {
        for failed in &world.trace.not_owed {
            self.must(false, || format!("8: {failed}"));
        }
        for request in world.salesforce.requests() {
            let here = world.conversation(&request.conversation).into_iter();
            for owed in here
                .flat_map(byoc_connector::routing::Conversation::owed)
                .filter(|owed| owed.request == request.event)
            {
                self.must(false, || format!("8: still owed: {owed:?}"));
            }
        }
    }

    /// Nothing overtakes, and whoever looks on is told of an ending once, unless the store or the process failed.
    fn told(&mut self, world: &World) {
        for overtaken in &world.trace.overtaken {
            self.must(false, || format!("9: {overtaken}"));
        }
        let undisturbed = world.crash.is_none() && world.trace.store_failures == 0;
        let same = !undisturbed || world.trace.told == world.trace.endings;
        self.must(same, || format!("told: {:?}, stored: {:?}", world.trace.told, world.trace.endings));
    }

    /// The partner hears of every rep who came or went, in order; what it hears again has the same id.
    fn announced(&mut self, world: &World) {
        let mut known: BTreeMap<TellingId, &Announcement> = BTreeMap::new();
        let mut heard: BTreeMap<&ConversationId, Vec<Move>> = BTreeMap::new();
        for Telling { id, announcement, .. } in &world.trace.heard {
            let Announcement { conversation, what } = announcement;
            let before = known.insert(*id, announcement);
            self.must(before.is_none_or(|it| it == announcement), || format!("{id} names two things"));
            if before.is_none() {
                heard.entry(conversation).or_default().push(Move::of(*what));
            }
        }
        for (conversation, moves) in &world.journal.moves {
            let heard = heard.remove(conversation).unwrap_or_default();
            self.must(heard == *moves, || format!("{conversation}: heard {heard:?}, stored {moves:?}"));
        }
        self.must(heard.is_empty(), || format!("heard, and not stored: {heard:?}"));
    }

    /// Both sides know the same people in a conversation that goes on.
    fn participants(&mut self, world: &World) {
        let conversations: BTreeSet<_> = world.salesforce.requests().map(|it| &it.conversation).collect();
        for id in conversations {
            let there = world.salesforce.conversation(id).unwrap();
            let Some(here) = world.conversation(id) else { continue };
            let waits = !there.is_over() && there.status == SessionStatus::Waiting;
            self.must(!waits || here.waits_for_a_rep(), || format!("10: {id} waits, and nobody routes it"));
            let there_all: BTreeSet<_> = there.participants.iter().collect();
            let here_all: BTreeSet<_> = here.participants().iter().collect();
            self.must(there.is_over() || there_all == here_all, || {
                format!("in {id} are {there_all:?}, and the connector thinks {here_all:?}")
            });
        }
    }
}

/// Whether this request of the conversation was called off, or another: a cancel names no request, a request
/// does not say who asked, and where several are open the connector has to guess which one is meant.
/// Whether it is a transfer to a rep who was in: there is nothing to offer and nothing to accept.
fn to_one_who_is_in(world: &World, request: &EventId) -> bool {
    let offered = world.salesforce.works().any(|work| work.correlation == *request);
    world.salesforce.request(request).is_some_and(|it| {
        it.routing_type == RoutingType::Transfer && matches!(it.target, Target::Rep(_)) && !offered
    })
}

fn called_off(world: &World, request: &EventId) -> bool {
    let of = |event: &EventId| world.salesforce.request(event).map(|request| request.conversation.clone());
    let this = of(request);
    world.trace.called_off.iter().any(|other| of(other) == this)
}

fn ringing_at(world: &World, request: &EventId, at: Timestamp) -> BTreeSet<AgentWorkId> {
    let mut ringing = BTreeSet::new();
    for entry in world.salesforce.books().entries().iter().take_while(|entry| entry.at < at) {
        match &entry.what {
            LedgerEvent::OfferCreated { work, .. } if world.trace.works.get(work) == Some(request) => {
                ringing.insert(*work);
            }
            LedgerEvent::OfferChanged { work, change, .. } if ends_ringing(*change) => {
                ringing.remove(work);
            }
            _ => {}
        }
    }
    ringing.retain(|work| !world.is_nameless(*work));
    ringing
}
