//! What each kind of request takes: one row for each kind (conference, transfer, first routing) and each target.
//!
//! The rest of `routing` asks a row and matches on neither. `docs/rules.md` shows all rows; a test keeps it so.
//!
//! Invariants
//! - The table is total: a new kind or target does not compile without its rows.
//! - It only rules what is decided from now on. What a fact has settled is read from the fact (`target`), so that
//!   a journal reads the same when a row changes.
//!
//! Elsewhere: whom a target names, in `target`; what a refusal says, in `reason`; how a session's status is read, in
//! `phase`.

mod source;

use crate::model::words::RoutingType;

use super::reason::Reason;

pub use source::Source;

/// What a request asks for, without saying whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// One rep.
    Rep,
    /// Somebody from a queue.
    Queue,
    /// Whoever a flow says.
    Flow,
    /// Somebody with skills.
    Skills,
    /// A bot.
    Bot,
    /// Somebody outside of Salesforce.
    External,
    /// Nobody is named: for a first routing the channel's own setting decides.
    Unnamed,
}

impl TargetKind {
    /// Every kind of target.
    pub const ALL: [Self; 7] =
        [Self::Rep, Self::Queue, Self::Flow, Self::Skills, Self::Bot, Self::External, Self::Unnamed];
}

/// What one kind of request for one kind of target takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What becomes of a routing event that asks for it.
    pub admission: Admission,
    /// In whose place the rep comes.
    pub arrival: Arrival,
    /// Whether `POST /route` makes a PSR first. Without one, agent work carries a capacity.
    pub route: bool,
    /// Whom to offer it to.
    pub find: Find,
    /// For how long an offer of it rings.
    pub rings: Rings,
    /// What happens when nobody can take it now.
    pub waits: Waits,
    /// Whether a rep may decline it.
    pub declinable: bool,
    /// Whether a cancel of the rep who asked may mean it.
    pub cancellable: bool,
    /// What the routing result says.
    pub result: ResultSays,
    /// What agent work names as `routingCorrelationId`.
    pub correlation: Correlation,
    /// Where that is written.
    pub sources: &'static [Source],
}

impl Rule {
    /// Whether Salesforce waits for a routing result.
    pub const fn reports(&self) -> bool {
        !matches!(self.result, ResultSays::Nothing)
    }
}

/// What becomes of a routing event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Admission {
    /// It is routed.
    Routed,
    /// It is refused, for Salesforce's documents do not allow it.
    Refused(&'static Reason),
    /// It is refused, for this version does not route it yet.
    NotYet(&'static Reason),
    /// No routing result and no call: no rep waits for it, and the partner's own routing may answer it.
    LeftAlone,
}

/// In whose place a rep comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Beside those who are in: the channel must support conferences, a seat must be free, and the rep not in yet.
    Beside,
    /// In the place of whoever asked.
    InPlaceOfRequester,
    /// As the only rep.
    First,
}

/// Whom to offer it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// The rep who is named, and nobody else.
    NamedRep,
    /// The rep finder names one of the queue.
    InQueue,
    /// The rep that the flow's answer names, then the queue that it names, else the fallback queue.
    ByFlow,
    /// The rep finder names one with the skills; additional ones are dropped where nobody has all.
    BySkills,
    /// The rep or the queue that the answer to `POST /route` names.
    ByChannel,
    /// The partner's own routing moves the end user.
    Outside,
    /// Nobody.
    Nobody,
}

/// For how long an offer rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rings {
    /// For the ring time; then it is taken back.
    RingTime,
    /// Until the rep has taken it.
    UntilAccepted,
    /// No offer is made.
    Never,
}

/// What happens when nobody can take it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// The request ends.
    No,
    /// It waits for the rep to have room, then for the channel's own setting.
    ForRoom,
    /// The session is routed again after growing waits, by the channel's own setting, for as long as it has no rep.
    WhileSessionWaits,
}

/// What the routing result says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultSays {
    /// `success: true` once a rep is asked or has accepted, else `false` with the reason.
    Routed,
    /// `externallyRouted: true` with it.
    RoutedOutside,
    /// `success: false` with the reason.
    Refused,
    /// No routing result: nobody asked.
    Nothing,
}

/// What agent work names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// The routing event.
    RoutingEvent,
    /// What the answer to `POST /route` names.
    RouteAnswer,
}

/// A rep who joins those who are in.
const CONFERENCE: Rule = Rule {
    admission: Admission::Routed,
    arrival: Arrival::Beside,
    route: false,
    find: Find::NamedRep,
    rings: Rings::RingTime,
    waits: Waits::No,
    declinable: true,
    cancellable: true,
    result: ResultSays::Routed,
    correlation: Correlation::RoutingEvent,
    sources: &[Source::Conference, Source::ConferenceHelp],
};

/// A rep who takes over. A transfer can be neither cancelled nor declined.
const TRANSFER: Rule = Rule {
    arrival: Arrival::InPlaceOfRequester,
    declinable: false,
    cancellable: false,
    sources: &[Source::TransferToRep, Source::TransferHelp],
    ..CONFERENCE
};

/// A first rep. No rep asked, so nobody cancels it and nobody is told. Where a policy leaves first contacts to the
/// partner, none is routed.
const INITIAL: Rule = Rule {
    arrival: Arrival::First,
    waits: Waits::WhileSessionWaits,
    cancellable: false,
    result: ResultSays::Nothing,
    correlation: Correlation::RouteAnswer,
    sources: &[Source::RoutingAndConsent, Source::Route],
    ..CONFERENCE
};

/// The row for a kind of request and a kind of target.
pub const fn rule(kind: RoutingType, target: TargetKind) -> Rule {
    match kind {
        RoutingType::Conference => conference(target),
        RoutingType::Transfer => transfer(target),
        RoutingType::Initial => initial(target),
    }
}

/// Whether the connector looks for somebody when an event asks for this, whatever the target. Contacts that
/// nothing else is wanted from are not listed where it does not.
pub fn is_routed(kind: RoutingType) -> bool {
    TargetKind::ALL.iter().any(|target| rule(kind, *target).admission == Admission::Routed)
}

const fn conference(target: TargetKind) -> Rule {
    match target {
        TargetKind::Rep => CONFERENCE,
        TargetKind::Queue => Rule { route: true, find: Find::InQueue, ..CONFERENCE },
        TargetKind::Flow => Rule { route: true, find: Find::ByFlow, ..CONFERENCE },
        TargetKind::Skills => Rule {
            find: Find::BySkills,
            sources: &[Source::Conference, Source::Route, Source::Ours],
            ..CONFERENCE
        },
        TargetKind::Bot => refused(CONFERENCE, &Reason::Bot),
        TargetKind::External => refused(CONFERENCE, &Reason::OutsideContact),
        TargetKind::Unnamed => Rule { sources: &[Source::Ours], ..refused(CONFERENCE, &Reason::Unreadable) },
    }
}

const fn transfer(target: TargetKind) -> Rule {
    match target {
        TargetKind::Rep => Rule { rings: Rings::UntilAccepted, waits: Waits::ForRoom, ..TRANSFER },
        TargetKind::Queue => Rule {
            route: true,
            find: Find::InQueue,
            sources: &[Source::TransferToQueue, Source::TransferHelp],
            ..TRANSFER
        },
        TargetKind::Flow => Rule {
            route: true,
            find: Find::ByFlow,
            sources: &[Source::TransferByFlow, Source::TransferHelp],
            ..TRANSFER
        },
        TargetKind::Skills => Rule {
            find: Find::BySkills,
            sources: &[Source::TransferByFlow, Source::Route, Source::Ours],
            ..TRANSFER
        },
        TargetKind::External => Rule {
            admission: Admission::NotYet(&Reason::NoExternalTransfer),
            find: Find::Outside,
            rings: Rings::Never,
            result: ResultSays::RoutedOutside,
            sources: &[Source::TransferOutside, Source::RoutingResult],
            ..TRANSFER
        },
        TargetKind::Bot => Rule { sources: &[Source::Ours], ..refused(TRANSFER, &Reason::TransferToBot) },
        TargetKind::Unnamed => Rule { sources: &[Source::Ours], ..refused(TRANSFER, &Reason::Unreadable) },
    }
}

const fn initial(target: TargetKind) -> Rule {
    match target {
        TargetKind::Rep => Rule { correlation: Correlation::RoutingEvent, ..INITIAL },
        TargetKind::Queue => Rule { route: true, find: Find::InQueue, ..INITIAL },
        TargetKind::Flow => Rule { route: true, find: Find::ByFlow, ..INITIAL },
        TargetKind::Skills => Rule {
            find: Find::BySkills,
            correlation: Correlation::RoutingEvent,
            sources: &[Source::Route, Source::Ours],
            ..INITIAL
        },
        TargetKind::Bot | TargetKind::External => Rule {
            admission: Admission::LeftAlone,
            find: Find::Nobody,
            rings: Rings::Never,
            waits: Waits::No,
            declinable: false,
            sources: &[Source::Ours],
            ..INITIAL
        },
        TargetKind::Unnamed => {
            Rule { route: true, find: Find::ByChannel, sources: &[Source::Route, Source::Ours], ..INITIAL }
        }
    }
}

/// The row of what cannot be had.
const fn refused(kind: Rule, reason: &'static Reason) -> Rule {
    Rule {
        admission: Admission::Refused(reason),
        find: Find::Nobody,
        rings: Rings::Never,
        declinable: false,
        cancellable: false,
        result: ResultSays::Refused,
        ..kind
    }
}
