//! The emulator's model as the live side of a replay, in virtual time.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use crate::emulator::{
    Act, AdoptedConversation, AnswerFate, ApiRequest, Emission, Emitted, Salesforce, SeededRandom, Settings,
    WorkState,
};
use crate::events;
use crate::interaction::{TryOutcome, decode};
use crate::model::call::{Call, CreateAgentWork};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::event::{Event, EventKind, Participant, RoutingRequested, Target};
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::model::roster::{Flow, Rep, Roster, Script};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, SessionStatus, WorkChange};
use crate::routing::Conversation;

use super::side::{Arrival, Side, Try};

/// How long an emulated answer takes. Enough to be seen in a timeline.
const LATENCY: Duration = Duration::from_millis(50);

/// How long a conversation without open offers is kept in the stand-in. Should it come up again, it is taken
/// over again as it stands.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How many entries the stand-in's books keep.
const BOOK_ENTRIES: usize = 10_000;

/// How long a rep without a script takes to accept, where the recording does not say what reps did.
const UNSCRIPTED_ACCEPT_MS: u64 = 2_000;

/// A stand-in Salesforce that takes its cues from the recording.
#[derive(Debug)]
pub struct Emulated {
    salesforce: Salesforce,
    settings: Settings,
    seed: u64,
    draws: SeededRandom,
    /// Whether reps do what the recording says, and not what their scripts say.
    recorded_reps: bool,
    /// The conversations that were taken over, the oldest first, and when.
    adopted: VecDeque<(Timestamp, ConversationId)>,
    /// How many offers of each had brought its reps in before: those are none of ours.
    seated: HashMap<ConversationId, usize>,
    roster: Roster,
    /// What the stand-in has told by itself and the connector has not heard yet.
    told: VecDeque<Emitted>,
    decoder: events::Decoder,
}

impl Emulated {
    /// An empty org. With `recorded_reps`, what reps do is in the recording; without, they follow their
    /// scripts, and those who have none accept.
    pub fn new(seed: u64, recorded_reps: bool) -> Self {
        let settings = Settings::default();
        Self {
            salesforce: stand_in(seed, &settings, recorded_reps),
            settings,
            seed,
            draws: SeededRandom::new(seed),
            recorded_reps,
            adopted: VecDeque::new(),
            seated: HashMap::new(),
            roster: Roster::default(),
            told: VecDeque::new(),
            decoder: events::Decoder::default(),
        }
    }

    /// The model, to look into its books.
    pub const fn salesforce(&self) -> &Salesforce {
        &self.salesforce
    }

    /// Takes what the stand-in told. Where the recording tells what happened, it is mute.
    fn listen(&mut self) {
        self.told.extend(self.salesforce.take_events());
    }

    /// Makes the org as the recording says by now. Once something has happened in it, it stays, and only
    /// its people change.
    fn set_up(&mut self, now: Timestamp) {
        if self.salesforce.books().entries().is_empty() {
            self.salesforce = stand_in(self.seed, &self.settings, self.recorded_reps);
        }
        let roster = self.roster.clone();
        for rep in &roster.reps {
            self.salesforce.upsert_rep(now, self.acting(rep.clone()));
        }
        for queue in &roster.queues {
            self.salesforce.add_queue(queue.id);
        }
        for flow in &roster.flows {
            self.salesforce.upsert_flow(flow.clone());
        }
    }

    /// Takes a conversation over as it stands, where it is not there yet.
    fn adopt(&mut self, now: Timestamp, adopted: AdoptedConversation) {
        if self.salesforce.conversation(&adopted.conversation).is_some() {
            return;
        }
        let id = adopted.conversation.clone();
        // What the stand-in cannot take over shows in its answers; the replay goes on.
        if let Err(error) = self.salesforce.seed_conversation(now, adopted) {
            tracing::debug!(%error, "the stand-in could not take over a conversation");
        }
        let seated = self.salesforce.conversation(&id).map_or(0, |taken| taken.works.len());
        self.seated.insert(id.clone(), seated);
        self.adopted.push_back((now, id));
        self.forget_old(now);
    }

    /// Makes sure that the org has whom a rep asked for: a recording need not bring all its people.
    fn know_target(&mut self, now: Timestamp, target: &Target) {
        match target {
            Target::Rep(rep) => self.know_rep(now, *rep),
            Target::Queue(queue) => self.salesforce.add_queue(*queue),
            Target::Flow { flow, fallback } => {
                if let Some(queue) = fallback {
                    self.salesforce.add_queue(*queue);
                }
                if !self.roster.flows.iter().any(|known| known.id == *flow) {
                    let name = String::new();
                    self.salesforce.upsert_flow(Flow { id: *flow, name, rep: None, queue: *fallback });
                }
            }
            Target::Skills(_) | Target::Bot(_) | Target::External(_) | Target::Unreadable => {}
        }
    }

    fn know_rep(&mut self, now: Timestamp, rep: RepId) {
        if self.salesforce.rep(rep).is_none() {
            self.salesforce.upsert_rep(now, self.acting(Rep::named(rep)));
        }
    }

    /// The rep with what they do about an offer.
    fn acting(&self, mut rep: Rep) -> Rep {
        rep.script = match rep.script {
            _ if self.recorded_reps => Script::Wait,
            Script::Wait => Script::Accept { after_milliseconds: UNSCRIPTED_ACCEPT_MS },
            scripted => scripted,
        };
        rep
    }

    /// Lets go of conversations in which nothing has been open for long: a recording may have any number.
    fn forget_old(&mut self, now: Timestamp) {
        while let Some((since, _)) = self.adopted.front()
            && *since + REMEMBERED <= now
        {
            let Some((_, id)) = self.adopted.pop_front() else { return };
            if self.has_open_offers(&id) {
                self.adopted.push_back((now, id));
                continue;
            }
            self.salesforce.forget(&id, BOOK_ENTRIES);
            self.seated.remove(&id);
        }
    }

    fn has_open_offers(&self, conversation: &ConversationId) -> bool {
        let works = self.salesforce.conversation(conversation).map(|it| it.works.as_slice());
        let mut works = works.unwrap_or_default().iter().filter_map(|work| self.salesforce.work(*work));
        works.any(|work| matches!(work.state, WorkState::Assigned | WorkState::Waiting))
    }

    fn hear(&mut self, emitted: Emitted) -> Vec<Event> {
        let decoded = match emitted.what {
            Emission::Platform { event, .. } => self.decoder.decode(&event.to_string(), emitted.at, None),
            Emission::AgentWork { rep, work_item_id, work_id, work_event } => {
                events::agent_work_event(work_item_id.as_str(), work_id.as_str(), &work_event, Some(rep))
            }
        };
        decoded.map(|decoded| decoded.events.into_vec()).unwrap_or_default()
    }

    fn request(&self, tried: &Try<'_>) -> ApiRequest {
        let mut headers = vec![
            ("Authorization".to_owned(), "Bearer replay".to_owned()),
            ("OrgId".to_owned(), self.settings.org.to_string()),
            ("AuthorizationContext".to_owned(), self.settings.channel.developer_name.clone()),
            ("RequestId".to_owned(), tried.id.request_id().to_string()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(tried.wire.headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        ApiRequest {
            method: tried.wire.method.as_str().to_owned(),
            path: tried.wire.path.to_owned(),
            headers,
            body: tried.wire.body.to_string().into_bytes(),
        }
    }

    /// What people do in the recording, as an act on the stand-in; `None` where it does it by itself.
    fn act(event: &Event) -> Option<Act> {
        let conversation = event.conversation.clone();
        match &event.what {
            EventKind::WorkChanged(change) => match change.change {
                WorkChange::Accepted => Some(Act::Accept { work: change.work }),
                WorkChange::Declined => Some(Act::Decline { work: change.work }),
                _ => None,
            },
            EventKind::RoutingCancelled(cancelled) if cancelled.reason == CancelReason::EndUserEnded => {
                Some(Act::EndUserLeaves { conversation: conversation? })
            }
            EventKind::SessionChanged { status: SessionStatus::Ended, .. } => {
                Some(Act::EndSession { conversation: conversation? })
            }
            _ => None,
        }
    }
}

impl Side for Emulated {
    type Error = Infallible;

    fn on_roster(&mut self, now: Timestamp, roster: &Roster) -> Result<(), Infallible> {
        self.roster = roster.clone();
        self.settings.channel.default_queue = roster.queues.first().map(|queue| queue.id);
        self.set_up(now);
        Ok(())
    }

    fn on_definition(&mut self, definition: &ChannelDefinition) -> Result<(), Infallible> {
        self.settings.follow(definition, None);
        self.set_up(Timestamp::from_millis(0));
        Ok(())
    }

    fn on_request(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: &RoutingRequested,
    ) -> Result<(), Infallible> {
        let adopted = adopted(conversation, known, Some(requested));
        self.adopt(now, adopted);
        self.know_target(now, &requested.target);
        if let Err(error) = self.salesforce.adopt_request(now, conversation, requested) {
            tracing::debug!(%error, "the stand-in could not take over a request");
        }
        self.listen();
        Ok(())
    }

    fn on_event(
        &mut self,
        now: Timestamp,
        known: Option<&Conversation>,
        event: &Event,
    ) -> Result<(), Infallible> {
        if let (Some(conversation), EventKind::SessionChanged { status: SessionStatus::Waiting, .. }) =
            (&event.conversation, &event.what)
        {
            self.adopt(now, adopted(conversation, known, None));
        }
        if let Some(act) = Self::act(event) {
            // A recorded deed that cannot be done again (an accept of an offer that was taken back here)
            // is told to the connector all the same: that is what it must cope with.
            if let Err(error) = self.salesforce.act(now, act) {
                tracing::debug!(%error, "what was recorded could not be done again");
            }
        }
        self.listen();
        Ok(())
    }

    fn call(&mut self, now: Timestamp, tried: &Try<'_>) -> Result<Arrival, Infallible> {
        if let Call::CreateAgentWork(CreateAgentWork { rep, .. }) = tried.call {
            self.know_rep(now, *rep);
        }
        let request = self.request(tried);
        let draw = self.draws.next_unit();
        let delivery = self.salesforce.deliver(now, &request, draw);
        self.listen();
        Ok(match delivery {
            AnswerFate::Answer { after_ms, response } => {
                let retry_after = response
                    .headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("Retry-After"))
                    .and_then(|(_, seconds)| seconds.parse().ok())
                    .map(Duration::from_secs);
                let body = response.body.to_string();
                Arrival::TryOutcome {
                    after: LATENCY.saturating_add(Duration::from_millis(after_ms)),
                    verdict: decode(tried.call, response.status, retry_after, body.as_bytes()),
                    status: Some(response.status),
                    response: Some(response.body),
                }
            }
            AnswerFate::NoAnswer { after_ms, carried_out: _ } => Arrival::TryOutcome {
                after: LATENCY.saturating_add(Duration::from_millis(after_ms)),
                verdict: TryOutcome::answer_lost("the connection broke"),
                status: None,
                response: None,
            },
        })
    }

    fn offers(&self, conversation: &ConversationId) -> Vec<(RepId, AgentWorkId)> {
        let works = self.salesforce.conversation(conversation).map(|it| it.works.as_slice());
        let seated = self.seated.get(conversation).copied().unwrap_or_default();
        works
            .unwrap_or_default()
            .iter()
            .skip(seated)
            .filter_map(|work| self.salesforce.work(*work))
            .map(|work| (work.rep, work.id))
            .collect()
    }

    fn deadline(&self) -> Option<Timestamp> {
        let told = self.told.front().map(|emitted| emitted.at);
        [told, self.salesforce.deadline()].into_iter().flatten().min()
    }

    fn advance(&mut self, now: Timestamp) -> Result<Vec<Event>, Infallible> {
        self.salesforce.advance(now);
        self.listen();
        let told = std::mem::take(&mut self.told);
        Ok(told.into_iter().flat_map(|emitted| self.hear(emitted)).collect())
    }
}

/// An empty org. Where the recording tells what happened, nobody needs to hear it again.
fn stand_in(seed: u64, settings: &Settings, recorded_reps: bool) -> Salesforce {
    let mut salesforce = Salesforce::new(seed, Roster::default(), settings.clone());
    if recorded_reps {
        salesforce.mute();
    }
    salesforce
}

/// A conversation as the recording has shown it so far.
pub(super) fn adopted(
    conversation: &ConversationId,
    known: Option<&Conversation>,
    requested: Option<&RoutingRequested>,
) -> AdoptedConversation {
    let participants = known.map(Conversation::participants).unwrap_or_default();
    AdoptedConversation {
        conversation: conversation.clone(),
        work_item: known.and_then(Conversation::work_item).or(requested.and_then(|asked| asked.work_item)),
        end_user: requested.and_then(|asked| asked.end_user.clone()),
        reps: participants.iter().filter_map(Participant::as_rep).collect(),
    }
}
