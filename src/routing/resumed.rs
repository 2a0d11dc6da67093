//! After a restart: what a clock that was set back leaves far in the future.
//!
//! While a process lives its clock only goes forward. Between two of them the machine's clock may have been
//! set, and a stored deadline that then lies an hour ahead would leave a rep ringing for that hour. So when a
//! conversation is taken up again, no deadline may lie further ahead than the rules would set it now.
//!
//! A deadline that lies too near, for the clock was set forward, is left: what is too early costs an offer and
//! leaves nothing behind.

use crate::model::time::Timestamp;

use super::conversation::Conversation;
use super::decision::Decision;
use super::fact::{Fact, RequestFact};
use super::offer::{Creation, OfferState};
use super::policy::{ORPHAN_WINDOW, Settings};
use super::progress::{InFlight, ReportState, Route, Search};
use super::request::Request;
use super::time_bounds::TimeBounds;

impl Conversation {
    /// Whether a stored time lies further ahead than the rules allow, so that [`Input::Resumed`] changes
    /// something.
    ///
    /// [`Input::Resumed`]: super::Input::Resumed
    pub fn is_from_the_future(&self, settings: &Settings, now: Timestamp) -> bool {
        let latest = TimeBounds::at(now, settings).with_tolerance();
        self.is_beyond(&latest) || self.requests.iter().any(|request| request.is_beyond(&latest))
    }

    /// Whether a time of its own, and of none of its requests, lies too far ahead.
    fn is_beyond(&self, latest: &TimeBounds) -> bool {
        self.session_wait.as_deref().is_some_and(|wait| wait.is_beyond(latest))
            || self.moves.iter().any(|last| last.is_beyond(latest))
    }

    /// Cuts every time of its own to what is allowed.
    pub(super) fn cut_times(&mut self, latest: &TimeBounds) {
        if let Some(wait) = self.session_wait.as_deref_mut() {
            wait.cut(latest);
        }
        self.moves.iter_mut().for_each(|last| last.cut(latest));
    }
}

impl Decision<'_> {
    pub(super) fn on_resumed(&mut self) {
        let latest = TimeBounds::at(self.now, self.settings);
        let beyond = latest.with_tolerance();
        let from_the_future = self.conversation.requests.iter().filter(|request| request.is_beyond(&beyond));
        for number in from_the_future.map(|request| request.number).collect::<Vec<_>>() {
            self.about(number, RequestFact::DeadlinesShortened(latest));
        }
        if self.conversation.is_beyond(&beyond) {
            self.fact(Fact::DeadlinesShortened(latest));
        }
    }
}

impl Request {
    fn is_beyond(&self, latest: &TimeBounds) -> bool {
        let mut cut = self.clone();
        cut.cut_times(latest);
        cut != *self
    }

    /// Cuts every time to what is allowed.
    pub(super) fn cut_times(&mut self, latest: &TimeBounds) {
        let wait = |until: &mut Timestamp| *until = (*until).min(latest.wait);
        let call = |call: &mut InFlight| call.give_up_at = call.give_up_at.min(latest.command);
        self.created = self.created.min(latest.created);
        match &mut self.route {
            Route::Asked(under_way) | Route::Clearing(under_way, _) => call(under_way),
            _ => {}
        }
        match &mut self.search {
            Search::Asked { call: under_way, .. } => call(under_way),
            Search::Waiting { until, .. } => wait(until),
            Search::Idle { .. } | Search::Exhausted => {}
        }
        if let ReportState::Sent { call: under_way, .. } = &mut self.report {
            call(under_way);
        }
        self.owed.iter_mut().for_each(|owed| owed.cut(latest.command));
        if let Some(room) = self.room.as_deref_mut() {
            room.cut(latest.wait);
        }
        let transfer = self.rings_until_accepted();
        for offer in &mut self.offers {
            match &mut offer.creation {
                Creation::Asked(under_way) => call(under_way),
                Creation::Unsure { until } => wait(until),
                Creation::Done => {}
            }
            match &mut offer.state {
                OfferState::Ringing { until, .. } | OfferState::IdUnknown { until, .. } if transfer => {
                    *until = (*until).min(latest.transfer);
                }
                OfferState::Ringing { until, .. }
                | OfferState::IdUnknown { until, .. }
                | OfferState::CancelRefused { until, .. } => wait(until),
                OfferState::Abandoned { until, .. } => *until = (*until).min(latest.wait + ORPHAN_WINDOW),
                OfferState::TakingBack { call: under_way, .. }
                | OfferState::Removing { call: under_way, .. } => {
                    call(under_way);
                }
                OfferState::Making { .. }
                | OfferState::Accepted { .. }
                | OfferState::CancelOwed { .. }
                | OfferState::RemovalOwed { .. }
                | OfferState::Over { .. } => {}
            }
        }
    }
}
