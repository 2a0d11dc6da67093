//! A conversation under test: given, when, then.
//!
//! Commands read as short sentences (`offer bo (psr)`, `take back W1`), so that a test says what
//! should be done and not how it is spelled.

use std::time::Duration;

use byoc_connector::model::call::{
    AgentWorkUpdate, Answer, Call, Capacity, ClearRoute, CreateAgentWork, Refusal, Removable,
    RemoveParticipant, Reply, ReportResult, Route, RouteBy, Routed, RoutingOutcome, UpdateAgentWork,
};
use byoc_connector::model::event::{
    EventKind, Participant, ParticipantChange, RoutingCancelled, RoutingRequested, SkillRequirement, Target,
    WorkChanged,
};
use byoc_connector::model::ids::{
    AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, SkillId, Subject, WorkItemId,
};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{
    Announced, Announcement, Command, Conversation, Effects, Ending, Fact, Input, Order, Outcome, Policy,
    Remark, Report, Ring, Settings,
};

pub(crate) const REPS: [&str; 6] = ["ann", "bo", "cem", "dee", "eli", "fay"];

pub(crate) fn rep(name: &str) -> RepId {
    RepId::parse(&format!("005000000000{name:0<3}")).unwrap()
}

pub(crate) fn name(rep: RepId) -> String {
    rep.as_str()[12..].trim_end_matches('0').to_owned()
}

pub(crate) fn work(number: u32) -> AgentWorkId {
    AgentWorkId::parse(&format!("0Bz{number:012}")).unwrap()
}

pub(crate) fn work_item() -> WorkItemId {
    WorkItemId::parse("0Mw000000000001").unwrap()
}

pub(crate) fn queue() -> QueueId {
    QueueId::parse("00G000000000001").unwrap()
}

pub(crate) fn flow() -> FlowId {
    FlowId::parse("300000000000001").unwrap()
}

pub(crate) fn psr(number: u32) -> PsrId {
    PsrId::parse(&format!("0JR{number:012}")).unwrap()
}

pub(crate) fn event(number: u32) -> EventId {
    EventId::parse(&format!("event-{number}")).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings { conference_supported: true, participant_limit: None, policy: Policy::default() }
}

pub(crate) fn requested(number: u32, target: Target) -> EventKind {
    EventKind::RoutingRequested(Box::new(RoutingRequested {
        event: event(number),
        created: Timestamp::from_millis(0),
        routing_type: RoutingType::Conference,
        target,
        work_item: None,
        end_user: Some(Subject::parse("customer").unwrap()),
        requester: None,
        list_opened_by: None,
    }))
}

pub(crate) fn skill(id: &str, priority: Option<i32>) -> SkillRequirement {
    SkillRequirement {
        id: SkillId::parse(id).unwrap(),
        level: None,
        priority,
        additional: priority.is_some(),
    }
}

pub(crate) fn changed(number: u32, change: WorkChange) -> EventKind {
    EventKind::WorkChanged(WorkChanged {
        work: work(number),
        work_item: Some(work_item()),
        rep: None,
        change,
    })
}

pub(crate) fn accepted(number: u32) -> EventKind {
    changed(number, WorkChange::Accepted)
}

pub(crate) fn declined(number: u32) -> EventKind {
    changed(number, WorkChange::Declined)
}

pub(crate) fn cancelled(reason: CancelReason) -> EventKind {
    EventKind::RoutingCancelled(RoutingCancelled {
        entry: None,
        reason,
        routing_type: Some(RoutingType::Conference),
        psr: None,
        work: None,
        initiator: None,
        by: None,
    })
}

pub(crate) fn requester_cancelled() -> EventKind {
    cancelled(CancelReason::Cancel)
}

pub(crate) fn session(status: SessionStatus, previous: Option<SessionStatus>) -> EventKind {
    let entry = EventId::parse(&format!("session-{status}")).unwrap();
    EventKind::SessionChanged { entry, work_item: work_item(), status, previous, ended_by: None }
}

/// Told now; see [`Scenario::when`].
const NOW: Timestamp = Timestamp::from_millis(i64::MIN);

fn moved(who: &str, joined: bool, at: Timestamp) -> EventKind {
    let participant = Participant::rep(rep(who)).unwrap();
    EventKind::ParticipantsChanged(vec![ParticipantChange { participant, joined, at }])
}

pub(crate) fn came(who: &str) -> EventKind {
    moved(who, true, NOW)
}

pub(crate) fn went(who: &str) -> EventKind {
    moved(who, false, NOW)
}

/// By an entry of that time, in milliseconds.
pub(crate) fn came_at(who: &str, millis: i64) -> EventKind {
    moved(who, true, Timestamp::from_millis(millis))
}

pub(crate) fn went_at(who: &str, millis: i64) -> EventKind {
    moved(who, false, Timestamp::from_millis(millis))
}

pub(crate) fn seen(who: &str) -> EventKind {
    EventKind::ParticipantSeen(Participant::rep(rep(who)).unwrap())
}

pub(crate) fn bot() -> Participant {
    Participant { role: ParticipantRole::Chatbot, subject: Subject::parse("helper").unwrap() }
}

pub(crate) fn routed() -> Answer {
    Answer::Done(Reply::Routed(Routed { psr: Some(psr(1)), ..Routed::default() }))
}

pub(crate) fn offered(number: u32) -> Answer {
    Answer::Done(Reply::Offered(Some(work(number))))
}

pub(crate) fn ok() -> Answer {
    Answer::Done(Reply::Ok)
}

/// No answer, whatever was tried.
pub(crate) fn lost() -> Answer {
    Answer::Lost("503 Service Unavailable".into())
}

/// A code that nobody has published, with a message that speaks of capacity.
pub(crate) const NO_ROOM: u32 = 99_999;

pub(crate) fn refused(code: u32, after_lost_try: bool) -> Answer {
    let message = if code == NO_ROOM { "The agent is at capacity" } else { "no" };
    Answer::Refused(Refusal { status: 400, code: Some(code), message: message.into(), after_lost_try })
}

/// A command as a short sentence.
pub(crate) fn sentence(order: &Order) -> String {
    let names = |reps: &[RepId]| reps.iter().map(|rep| name(*rep)).collect::<Vec<_>>().join(" ");
    match order {
        Order::Find(query) => {
            let place = if query.queue_id.is_some() {
                "in the queue".to_owned()
            } else {
                query.skills.iter().map(|skill| skill.id.as_str()).collect::<Vec<_>>().join("+")
            };
            format!("find {} {place}, not [{}]", query.limit, names(&query.exclude))
        }
        Order::Call(Call::Route(Route { by, routing_type, .. })) => match by {
            RouteBy::Queue(_) => format!("route {routing_type} by queue"),
            RouteBy::Flow { .. } => format!("route {routing_type} by flow"),
            RouteBy::ChannelSetting => format!("route {routing_type}"),
        },
        Order::Call(Call::ClearRoute(ClearRoute { reason, .. })) => format!("clear {reason}"),
        Order::Call(Call::CreateAgentWork(CreateAgentWork { rep, capacity, .. })) => match capacity {
            None => format!("offer {} (psr)", name(*rep)),
            Some(Capacity::Weight(weight)) => format!("offer {} (weight {weight})", name(*rep)),
            Some(Capacity::Percentage(part)) => format!("offer {} ({part} %)", name(*rep)),
        },
        Order::Call(Call::UpdateAgentWork(UpdateAgentWork { work, change: AgentWorkUpdate::Cancel })) => {
            format!("take back W{}", work.as_str()[3..].trim_start_matches('0'))
        }
        Order::Call(Call::ReportResult(ReportResult { result, .. })) => match result {
            RoutingOutcome::Routed => "report yes".to_owned(),
            RoutingOutcome::RoutedExternally => "report external".to_owned(),
            RoutingOutcome::Failed(_) => "report no".to_owned(),
        },
        Order::Call(Call::RemoveParticipant(RemoveParticipant { who: Removable::Rep(rep), .. })) => {
            format!("remove {}", name(*rep))
        }
        Order::Call(other) => format!("not of routing: {other:?}"),
    }
}

/// A conversation, what it asked for, and what time it is.
pub(crate) struct Scenario {
    pub(crate) conversation: Conversation,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) facts: Vec<Fact>,
    /// When each fact came about.
    pub(crate) times: Vec<Timestamp>,
    /// How many facts there were after each turn.
    pub(crate) turns: Vec<usize>,
    pub(crate) endings: Vec<Ending>,
    pub(crate) announcements: Vec<Announcement>,
    pub(crate) remarks: Vec<Remark>,
    /// Everything that was asked for and not answered.
    pub(crate) open: Vec<Command>,
    unread: Vec<String>,
    /// The time of the last entry about who came and went.
    moved: Timestamp,
}

impl Scenario {
    /// A conversation with its work item known and `ann` in it.
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut scenario = Self::unknown(settings);
        scenario.when(session(SessionStatus::Active, None));
        scenario.when(came("ann"));
        scenario.announcements.clear();
        scenario
    }

    /// A conversation of which nothing is known.
    pub(crate) fn unknown(settings: Settings) -> Self {
        Self {
            conversation: Conversation::new(ConversationId::parse("conversation").unwrap()),
            settings,
            now: Timestamp::from_millis(0),
            facts: Vec::new(),
            times: Vec::new(),
            turns: Vec::new(),
            endings: Vec::new(),
            announcements: Vec::new(),
            remarks: Vec::new(),
            open: Vec::new(),
            unread: Vec::new(),
            moved: Timestamp::from_millis(0),
        }
    }

    pub(crate) fn ring_all(limit: Option<u32>) -> Self {
        let mut settings = settings();
        settings.policy.ring = Ring::All;
        settings.participant_limit = limit;
        Self::with(settings)
    }

    pub(crate) fn report_accepted() -> Self {
        let mut settings = settings();
        settings.policy.report = Report::Accepted;
        Self::with(settings)
    }

    pub(crate) fn input(&mut self, input: Input) {
        let Effects { facts, commands, announcements, endings, remarks } =
            self.conversation.handle(&self.settings, self.now, input);
        self.times.extend(facts.iter().map(|_| self.now));
        self.facts.extend(facts);
        self.turns.push(self.facts.len());
        self.endings.extend(endings);
        self.announcements.extend(announcements);
        self.remarks.extend(remarks);
        self.unread.extend(commands.iter().map(|command| sentence(&command.order)));
        self.open.extend(commands);
    }

    /// Something happens. An entry that is told now is later than every one before.
    pub(crate) fn when(&mut self, mut happening: EventKind) {
        if let EventKind::ParticipantsChanged(changes) = &mut happening {
            for change in changes {
                if change.at == NOW {
                    change.at = self.now.max(self.moved + Duration::from_millis(1));
                }
                self.moved = self.moved.max(change.at);
            }
        }
        self.input(Input::Happened(happening));
    }

    /// Answers the open call whose sentence begins like this.
    pub(crate) fn answer(&mut self, start: &str, answer: Answer) {
        let command = self.take(start);
        self.input(Input::Answered(command.id, answer));
    }

    /// Answers the open question to the router.
    pub(crate) fn found(&mut self, names: &[&str]) {
        let command = self.take("find");
        self.input(Input::Found(command.id, Ok(names.iter().map(|name| rep(name)).collect())));
    }

    pub(crate) fn take(&mut self, start: &str) -> Command {
        let place = self.open.iter().position(|command| sentence(&command.order).starts_with(start));
        match place {
            Some(place) => self.open.remove(place),
            None => panic!("'{start}' is not among the open commands {:?}", self.sentences()),
        }
    }

    fn sentences(&self) -> Vec<String> {
        self.open.iter().map(|command| sentence(&command.order)).collect()
    }

    /// Lets time pass, with every deadline on the way.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.conversation.deadline(&self.settings)
            && deadline <= end
        {
            self.now = self.now.max(deadline);
            self.input(Input::DeadlineReached);
            assert_ne!(
                self.conversation.deadline(&self.settings),
                Some(deadline),
                "a deadline that has passed must not come again"
            );
        }
        self.now = end;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    /// What was asked for since the last look.
    pub(crate) fn commands(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unread)
    }

    /// The outcomes so far, in order.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.endings.iter().map(|ending| ending.outcome).collect()
    }

    /// Who came and went, as the partner was told.
    pub(crate) fn announced(&self) -> Vec<String> {
        let said = |told: &Announcement| {
            let Announced::Rep { rep, joined } = told.what else { return None };
            Some(format!("{} {}", name(rep), if joined { "joined" } else { "left" }))
        };
        self.announcements.iter().filter_map(said).collect()
    }

    /// A queue conference whose offer to `bo` rings as W1.
    pub(crate) fn ringing_from_queue() -> Self {
        let mut chat = Self::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo"]);
        chat.answer("offer bo", offered(1));
        chat.answer("report yes", ok());
        chat.commands();
        chat
    }

    /// A conference with `bo` that rings as W1.
    pub(crate) fn ringing_rep() -> Self {
        let mut chat = Self::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", offered(1));
        chat.answer("report yes", ok());
        chat.commands();
        chat
    }
}
