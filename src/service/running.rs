//! One running channel, as those who come by HTTP see it.

mod by_hand;
mod conversations;
mod looked_at;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use crate::connector::{self, DeadLetters, Delivery, Ended, GivenUp, Handle, UnreadableConversations};
use crate::contacts::{ConversationView, Directory, Query};
use crate::events::source::{Health, State};
use crate::events::{Decoded, Decoder, EventSource, Ignored, agent_work_event, identity};
use crate::interaction::{Client, Skew};
use crate::model::call::Sent;
use crate::model::contact::{ContactsFilter, ContactsResult, ListType};
use crate::model::event::Participant;
use crate::model::ids::{AgentWorkId, ConversationId, OrgId, RepId, WorkItemId};
use crate::model::time::Clock;
use crate::model::words::RoutingType;
use crate::notices::{Notice, Subject};
use crate::people::People;
use crate::routing::{Conversation, OfferOwner, Settings, rules};
use crate::store::{Cause, ChannelKey, Store};

pub use by_hand::SessionOrder;

use super::plan::ChannelPlan;
use super::refused;
use super::stream::{Reader, Time, count_odd};
use super::{EndedView, Error, RequestEnded};

pub use conversations::{BegunView, ConversationState, FirstMessage};

/// A running channel. A clone is the same one.
#[derive(Clone)]
pub struct RunningChannel(Arc<Inner>);

struct Inner {
    key: ChannelKey,
    settings: Settings,
    decoder: Decoder,
    is_ours: bool,
    handle: Handle,
    store: Arc<dyn Store>,
    directory: Arc<dyn Directory>,
    people: Option<People>,
    stream: Health,
    clock: Arc<dyn Clock>,
    skew: Skew,
    ended: Mutex<VecDeque<EndedView>>,
    client: Client,
    /// What was begun under which key, the newest last.
    begun: Mutex<VecDeque<(Uuid, Sent)>>,
}

/// What became of something that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processed {
    /// It is taken in, and durable.
    Stored,
    /// It is of no use here, and why.
    Ignored(Ignored),
}

impl RunningChannel {
    pub(super) fn new(
        org: OrgId,
        plan: &ChannelPlan,
        handle: Handle,
        stream: Health,
        (store, clock): (&Arc<dyn Store>, &Arc<dyn Clock>),
    ) -> Self {
        Self(Arc::new(Inner {
            key: plan.key(org),
            settings: plan.settings.clone(),
            decoder: Decoder::new(plan.field_names()),
            is_ours: plan.is_ours(),
            handle,
            store: Arc::clone(store),
            directory: Arc::clone(&plan.directory),
            people: plan.people.clone(),
            stream,
            clock: Arc::clone(clock),
            skew: plan.client.skew().clone(),
            ended: Mutex::default(),
            client: plan.client.clone(),
            begun: Mutex::default(),
        }))
    }

    /// Which channel it is.
    pub fn key(&self) -> &ChannelKey {
        &self.0.key
    }

    /// The rules that it follows.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether the partner routes the channel's requests; else Salesforce does, and none is taken in.
    pub fn is_ours(&self) -> bool {
        self.0.is_ours
    }

    /// Whether it has ended; where it failed, it is started again.
    pub(super) fn is_over(&self) -> bool {
        self.0.handle.is_over()
    }

    /// How its stream of events is doing.
    pub fn stream(&self) -> State {
        self.0.stream.state()
    }

    /// How far our clock is from its org's.
    pub(super) fn skew(&self) -> &Skew {
        &self.0.skew
    }

    /// The conversations that the store has and nobody can read.
    pub fn lost(&self) -> &UnreadableConversations {
        self.0.handle.lost()
    }

    /// What the partner did not take.
    pub fn dead_letters(&self) -> &DeadLetters {
        self.0.handle.dead_letters()
    }

    /// Undoes at Salesforce what may be open of a conversation that cannot be read, and forgets it: see
    /// [`UnreadableConversations::give_up`].
    ///
    /// # Errors
    /// Where the store cannot forget it, or the service is stopping.
    pub async fn give_up(
        &self,
        conversation: &ConversationId,
        insist: bool,
    ) -> Result<Option<GivenUp>, Error> {
        let id = conversation.clone();
        let anew = self.look(move |all| all.get(&id).is_some()).await?;
        let given = self.lost().give_up(conversation, insist, anew).await;
        Ok(given.map_err(connector::Error::from)?)
    }

    /// What to say of conversations that cannot be read; `None` where there are none.
    pub(super) fn unreadable_notice(&self) -> Option<Notice> {
        let lost = self.lost().all();
        let first = lost.first()?;
        let (org, channel) = (self.0.key.org, &self.0.key.channel);
        let count = match lost.len() {
            1 => "1 conversation".to_owned(),
            several => format!("{several} conversations"),
        };
        let hint = "GET /v1/unreadable-conversations lists what may still be open at Salesforce; \
                    POST /v1/unreadable-conversations/{id}/give-up cleans it up";
        Some(Notice {
            subject: Subject::of_channel("unreadable-conversations", org, channel),
            since: None,
            problem: format!("{count} cannot be read, such as {}: {}", first.conversation, first.why),
            hint: Some(hint.to_owned()),
        })
    }

    /// What to say of reps whom Salesforce refuses again and again; `None` where there are none.
    pub(super) fn refused_notice(&self) -> Option<Notice> {
        refused::notice(&self.0.key, &self.0.handle.refused_reps(self.0.clock.now()))
    }

    /// Its reps, where it is us who keep them.
    pub fn people(&self) -> Option<&People> {
        self.0.people.as_ref()
    }

    /// Whom a rep can pick (PROTOCOL: "getContacts: who can be picked"). `rep` is who asks, where that is known.
    ///
    /// # Errors
    /// Where the work item is of a conversation that the rep has no part in, the directory is out of reach, or the
    /// service is stopping.
    pub async fn contacts(
        &self,
        filter: ContactsFilter,
        work_item: Option<WorkItemId>,
        rep: Option<RepId>,
    ) -> Result<ContactsResult, Error> {
        let settings = self.0.settings.clone();
        let conversation = self.0.handle.look(move |all| {
            let Some((work_item, known)) = work_item.and_then(|it| Some((it, all.of_work_item(it)?))) else {
                return Ok(view(None, &settings));
            };
            match rep {
                Some(rep) if !known.concerns(rep) => Err(Error::AnothersWorkItem(work_item)),
                _ => Ok(view(Some(known), &settings)),
            }
        });
        let conversation = conversation.await??;
        // Salesforce does not say which list is open; where nothing is offered for a transfer, it is this one.
        let list = if conversation.transfers_routed { ListType::All } else { ListType::Conference };
        let query = Query { filter, list, conversation, work_item };
        Ok(self.0.directory.contacts(&query).await?)
    }

    /// A rep's page opens the list of contacts for a work item, which hints at who asks next.
    ///
    /// # Errors
    /// Where the service is stopping.
    pub async fn list_opened(&self, work_item: WorkItemId, rep: RepId) -> Result<(), Error> {
        Ok(self.0.handle.list_opened(work_item, rep).await?)
    }

    /// Takes in what a rep's browser tells of an offer. The same twice changes nothing. `rep` is whose browser it
    /// is, where that is known: they speak for themselves alone, and of what was offered to them.
    ///
    /// # Errors
    /// Where the work item is not known (yet), the offer is somebody else's, or it could not be made durable.
    pub async fn agent_work(
        &self,
        work_item: WorkItemId,
        work: AgentWorkId,
        work_event: &str,
        rep: Option<RepId>,
    ) -> Result<Processed, Error> {
        let decoded = agent_work_event(work_item.as_str(), work.as_str(), work_event, rep)?;
        if let Some(reason) = decoded.ignored {
            return Ok(Processed::Ignored(reason));
        }
        let whose = move |known: &Conversation| rep.map_or(OfferOwner::Theirs, |rep| known.whose(work, rep));
        let belongs = self.0.handle.look(move |all| all.of_work_item(work_item).map(whose));
        match belongs.await? {
            _ if !self.0.is_ours => {}
            None => return Err(Error::UnknownWorkItem(work_item)),
            Some(OfferOwner::Anothers) => return Err(Error::AnothersOffer(work)),
            Some(OfferOwner::Nobodys) => return Ok(Processed::Ignored(Ignored::NoOfferOfOurs)),
            Some(OfferOwner::Theirs) => {}
        }
        let cause = Cause::named(&identity::of_agent_work(work, work_event, rep))?;
        self.deliver(decoded, Some(cause)).await
    }

    /// Takes in one decoded platform event, as the stream would have brought it. The same twice changes nothing.
    ///
    /// # Errors
    /// Where it is none, or could not be made durable.
    pub async fn platform_event(&self, json: &str) -> Result<Processed, Error> {
        let decoded = self.0.decoder.clone().decode(json, self.0.clock.now(), None)?;
        count_odd(&decoded.odd);
        self.deliver(decoded, Some(Cause::named(&identity::of_platform_event(json))?)).await
    }

    async fn deliver(&self, mut decoded: Decoded, cause: Option<Cause>) -> Result<Processed, Error> {
        if !self.0.is_ours {
            let reason = Ignored::Value { field: "RoutingOwner", value: "Salesforce".into() };
            return Ok(Processed::Ignored(reason));
        }
        let ignored = decoded.ignored.take();
        if decoded.events.is_empty() {
            return Ok(Processed::Ignored(ignored.unwrap_or(Ignored::Unused("event with nothing in it"))));
        }
        self.0.handle.deliver(Delivery { events: decoded.events, cause, position: None }).await?;
        Ok(Processed::Stored)
    }

    /// How many conversations are remembered, and how many have an open request.
    ///
    /// # Errors
    /// Where the service is stopping.
    pub async fn counts(&self) -> Result<(usize, usize), Error> {
        Ok(self.0.handle.look(|all| (all.len(), all.open())).await?)
    }

    pub(super) fn reader(
        &self,
        topic: &str,
        source: Box<dyn EventSource>,
        stopping: watch::Receiver<bool>,
    ) -> Reader {
        let decoder = self.0.decoder.clone();
        let time = Time { clock: Arc::clone(&self.0.clock), skew: self.0.skew.clone() };
        Reader::new(topic, source, decoder, self.0.handle.clone(), time, stopping)
    }

    /// Keeps what ends, and passes it on, until the service stops.
    pub(super) async fn tell(
        self,
        told: broadcast::Sender<RequestEnded>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut endings = self.0.handle.endings();
        loop {
            let ended = tokio::select! {
                ended = endings.recv() => ended,
                _ = stopping.wait_for(|stopping| *stopping) => return,
            };
            match ended {
                Ok(ended) => self.ended(&told, ended),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    fn ended(&self, told: &broadcast::Sender<RequestEnded>, ended: Ended) {
        let Ended { conversation, ending, asked } = ended;
        self.keep(conversation.clone(), &ending, asked.clone());
        // Nobody may be watching.
        told.send(RequestEnded { channel: self.0.key.clone(), conversation, ending, asked }).ok();
    }
}

/// What has to be known of a conversation to say who may be asked to join it.
fn view(conversation: Option<&Conversation>, settings: &Settings) -> ConversationView {
    let mut view = ConversationView::of_channel(settings.conference_supported);
    view.transfers_routed = rules::is_routed(RoutingType::Transfer);
    if let Some(conversation) = conversation {
        let reps = conversation.participants().iter().filter_map(Participant::as_rep);
        view.present = reps.collect::<BTreeSet<_>>();
        view.asked = conversation.asked_reps().collect();
        view.transfers_routed &= conversation.may_be_transferred();
        view.full = conversation.is_full(settings);
    }
    view
}
