//! What a remark says to a person, and how it is counted.

use std::fmt;

use crate::model::call::Refusal;
use crate::model::ids::EventId;

use super::command::Remark;

impl Remark {
    /// One of a few words, for numbers.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::SeenBefore(_) => "seen_before",
            Self::NotRouted(..) => "not_routed",
            Self::TooLateToCancel(_) => "too_late_to_cancel",
            Self::NotCancellable(_) => "not_cancellable",
            Self::NotDeclinable(_) => "not_declinable",
            Self::NothingToCancel => "nothing_to_cancel",
            Self::CancelGuessed(_) => "cancel_guessed",
            Self::WaitsAlready(_) => "waits_already",
            Self::OldMove(_) => "old_move",
            Self::NoResultWithoutWorkItem(_) => "no_result_without_work_item",
            Self::LateAnswer(_) => "late_answer",
            Self::RouterFailed(..) => "rep_finder_failed",
            Self::RepRefused(..) => "rep_refused",
            Self::NotTheirOffer(..) => "not_their_offer",
            Self::OldWork(_) => "old_work",
            Self::ForeignWork(_) => "foreign_work",
            Self::Broken(_) => "broken",
        }
    }

    /// The routing event that it is about, where it is about one.
    pub const fn request(&self) -> Option<&EventId> {
        match self {
            Self::SeenBefore(request)
            | Self::NotRouted(request, _)
            | Self::TooLateToCancel(request)
            | Self::NotCancellable(request)
            | Self::NotDeclinable(request)
            | Self::CancelGuessed(request)
            | Self::NoResultWithoutWorkItem(request)
            | Self::RouterFailed(request, _) => Some(request),
            Self::LateAnswer(command) => Some(&command.request),
            Self::NothingToCancel
            | Self::WaitsAlready(_)
            | Self::OldMove(_)
            | Self::RepRefused(..)
            | Self::NotTheirOffer(..)
            | Self::OldWork(_)
            | Self::ForeignWork(_)
            | Self::Broken(_) => None,
        }
    }
}

/// A sentence without names: ids and codes alone.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeenBefore(_) => f.write_str("duplicate event ignored"),
            Self::NotRouted(_, kind) => write!(f, "request of type {kind} left alone: a rep is there, or it is not routed here"),
            Self::TooLateToCancel(_) => f.write_str("cancel ignored: the rep has already joined"),
            Self::NotCancellable(_) => f.write_str("cancel ignored: a transfer cannot be cancelled"),
            Self::NotDeclinable(_) => f.write_str("declined, though a transfer cannot be declined"),
            Self::NothingToCancel => f.write_str("cancel ignored: no open request matches it"),
            Self::CancelGuessed(_) => f.write_str(
                "the cancel does not say which of several open requests it is for; applied to this one",
            ),
            Self::WaitsAlready(_) => f.write_str("the waiting session is already being routed"),
            Self::OldMove(who) => {
                write!(f, "participant update ignored: older than what is known (role {})", who.role)
            }
            Self::NoResultWithoutWorkItem(_) => f.write_str(
                "no routing result sent: the workItemId was not known in time; Salesforce ends the request after \
                 60 seconds",
            ),
            Self::LateAnswer(_) => f.write_str("answer ignored: it arrived after the call was given up"),
            Self::RouterFailed(_, failure) => write!(f, "the rep finder failed: {failure}"),
            Self::RepRefused(rep, refusal) => {
                write!(f, "Salesforce refuses to offer to {rep}, {}", said(refusal))
            }
            Self::NotTheirOffer(work, rep) => {
                write!(f, "{rep} reported {work}, which was offered to another rep")
            }
            Self::OldWork(work) => write!(f, "{work} was accepted, but its request has ended"),
            Self::ForeignWork(work) => write!(f, "{work} was not created by this connector"),
            Self::Broken(illegal) => write!(f, "bug in the connector: {illegal}"),
        }
    }
}

/// The code, or the status where there is none. What Salesforce says in words may name people.
fn said(refusal: &Refusal) -> String {
    match refusal.code {
        Some(code) => format!("code {code}"),
        None => format!("HTTP {}", refusal.status),
    }
}
