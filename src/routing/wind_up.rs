//! What is left to do once a request has had its last word: offers are taken back, the PSR is cleared, the routing
//! result is given, and the request is closed.
//!
//! As in `next`, it looks at the state and the time alone.

use crate::model::words::CancelReason;

use super::command::Remark;
use super::decision::Decision;
use super::fact::{Intent, RequestFact};
use super::next::{answer_by, report_by};
use super::offer::{Creation, Offer, OfferState};
use super::policy::CLEAN_UP_WINDOW;
use super::progress::{ReportState, Route};
use super::reason::{Conclusion, OfferEndReason, Reason};
use super::undo::Undo;

impl Decision<'_> {
    /// Cleans up after the last word, and closes the request when nothing of it is left.
    pub(super) fn wind_up(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let Some(verdict) = request.verdict.as_deref() else { return };
        let winner = match verdict.reason {
            Reason::Joined(rep) => Some(rep),
            _ => None,
        };
        let offers: Vec<Offer> = request.offers.to_vec();
        for Offer { rep, state, .. } in offers {
            match state {
                OfferState::Ringing { .. } => self.take_back(number, rep, OfferEndReason::CalledOff),
                OfferState::Accepted { .. } if winner != Some(rep) => {
                    self.command(number, Intent::Remove(rep), self.now + CLEAN_UP_WINDOW);
                }
                _ => {}
            }
        }
        self.clear_route(number);
        self.report_last_word(number, winner.is_some());
        self.close(number);
    }

    fn clear_route(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        // What is owed a cancel may be so for hours; the PSR does not wait for it.
        let held = request.offers.iter().filter(|offer| offer.holds_seat());
        let held = held.filter(|offer| request.owed(Undo::Cancel(offer.rep)).is_none()).count();
        if held > 0 || !matches!(request.route, Route::Made(_) | Route::MayExist) {
            return;
        }
        if self.conversation.may_clear(request) {
            let reason = request.verdict.as_deref().map_or(CancelReason::Unknown, Conclusion::clear_reason);
            self.command(number, Intent::Clear(reason), self.now + CLEAN_UP_WINDOW);
        }
    }

    /// Sends the routing result that is still due: a yes at once, a no when the PSR is out of the way
    /// or nothing can be done about it for now.
    fn report_last_word(&mut self, number: u32, success: bool) {
        let Some(request) = self.conversation.request(number) else { return };
        if request.report != ReportState::Due {
            return;
        }
        let by = answer_by(request);
        let unknown = self.conversation.work_item.is_none();
        if self.now >= by || (unknown && self.now >= report_by(self.settings, request)) {
            let event = request.event.clone();
            self.about(number, RequestFact::ResultNotSent);
            if unknown {
                self.remark(Remark::NoResultWithoutWorkItem(event));
            }
            return;
        }
        if unknown {
            // No result can be sent without it; it may yet be told.
            return;
        }
        let unsure = |offer: &Offer| matches!(offer.creation, Creation::Unsure { .. });
        let being_undone =
            |offer: &&Offer| offer.is_open() && request.owed(Undo::Cancel(offer.rep)).is_none();
        let cleaned_up = !request.offers.iter().any(|offer| being_undone(&offer))
            && !request.offers.iter().any(unsure)
            && !matches!(request.route, Route::Clearing(..));
        if success || cleaned_up || self.now >= report_by(self.settings, request) {
            self.command(number, Intent::Report { success }, by);
        }
    }

    fn close(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let nothing_under_way = request.in_flight().iter().all(|(_, intent)| {
            // Whom the router would have named is of no interest any more.
            matches!(intent, Intent::Search { .. })
        });
        let offers_settled = request.offers.iter().all(Offer::is_settled);
        let route_settled = matches!(request.route, Route::NotNeeded | Route::Wanted | Route::Gone);
        let reported = matches!(request.report, ReportState::Given { .. } | ReportState::Withheld);
        if nothing_under_way && offers_settled && route_settled && reported {
            self.about(number, RequestFact::Closed);
        }
    }
}
