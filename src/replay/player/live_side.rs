//! Events of a recording as the live side must see them.

use super::{Answers, Player};
use crate::model::event::{Event, EventKind};
use crate::replay::side::Side;

impl<S: Side> Player<S> {
    /// Lets the live side see what people did, and puts its own ids into the event. `false` where the
    /// event is about an offer that it does not have.
    pub(super) fn meet_live_side(&mut self, event: &mut Event) -> bool {
        let Some(conversation) = self.conversation_of(event) else { return true };
        let Answers::Live(side) = &mut self.answers else { return true };
        match &mut event.what {
            EventKind::WorkChanged(change) => {
                let Some(live) = self.works.live(&conversation, change, side.offers(&conversation)) else {
                    return false;
                };
                change.work = live;
            }
            // A PSR or an offer of the recording is none of the live side's.
            EventKind::RoutingCancelled(cancelled) => (cancelled.psr, cancelled.work) = (None, None),
            _ => {}
        }
        let met = match &event.what {
            EventKind::RoutingRequested(requested) => {
                let known = self.engine.conversations().get(&conversation);
                side.on_request(self.now, &conversation, known, requested)
            }
            _ => side.on_event(self.now, self.engine.conversations().get(&conversation), event),
        };
        self.fail(met).is_some()
    }
}
