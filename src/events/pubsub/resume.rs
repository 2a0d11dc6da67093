//! Where a stream begins: pure.

use crate::events::source::ReplayId;

/// Where a subscription begins when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Behind the last event that was processed.
    After(ReplayId),
    /// With the oldest event that Salesforce still keeps.
    Earliest,
    /// With what is published from now on.
    Latest,
}

/// Where the next stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind what was processed. What waits for the consumer comes again, and must be dropped.
    Processed(ReplayId),
    /// Nothing has been processed yet: behind what waits for the consumer.
    Received(ReplayId),
    Earliest,
    Latest,
}

/// Keeps the place.
#[derive(Debug)]
pub(super) struct Resume {
    otherwise: Place,
    /// What Salesforce would not go on from.
    refused: Option<ReplayId>,
    received: Option<ReplayId>,
    was_connected: bool,
}

impl Resume {
    /// The replay id of [`Start::After`] is the position's, and not kept here.
    pub(super) const fn new(start: &Start) -> Self {
        let otherwise = match start {
            Start::After(_) | Start::Earliest => Place::Earliest,
            Start::Latest => Place::Latest,
        };
        Self { otherwise, refused: None, received: None, was_connected: false }
    }

    /// Where to begin, and whether events may be missing there.
    pub(super) fn place(&self, processed: Option<ReplayId>) -> (Place, bool) {
        let place = processed
            .filter(|id| self.refused.as_ref() != Some(id))
            .map(Place::Processed)
            .or_else(|| self.received.clone().map(Place::Received))
            .unwrap_or_else(|| self.otherwise.clone());
        let may_miss = place == Place::Latest && self.was_connected;
        (place, may_miss)
    }

    /// A stream stands.
    pub(super) const fn connected(&mut self) {
        self.was_connected = true;
    }

    /// Something came and waits for the consumer.
    pub(super) fn received(&mut self, id: ReplayId) {
        self.received = Some(id);
    }

    /// Salesforce does not go on from there: everything that it still has is wanted.
    pub(super) fn refused(&mut self, place: Place) {
        match place {
            Place::Processed(id) => {
                self.refused = Some(id);
                self.received = None;
            }
            Place::Received(_) => self.received = None,
            Place::Earliest | Place::Latest => {}
        }
        self.otherwise = Place::Earliest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ReplayId {
        ReplayId::new([n])
    }

    #[test]
    fn a_stream_goes_on_behind_what_was_processed() {
        let mut resume = Resume::new(&Start::Latest);
        assert_eq!(resume.place(None), (Place::Latest, false));
        resume.received(id(2));
        assert_eq!(resume.place(None), (Place::Received(id(2)), false), "nothing processed, nothing dropped");
        assert_eq!(resume.place(Some(id(1))), (Place::Processed(id(1)), false));
    }

    #[test]
    fn a_refused_place_is_never_asked_for_again() {
        let mut resume = Resume::new(&Start::After(id(1)));
        resume.received(id(3));
        resume.refused(Place::Processed(id(1)));
        assert_eq!(resume.place(Some(id(1))), (Place::Earliest, false));
        resume.received(id(7));
        assert_eq!(resume.place(Some(id(1))), (Place::Received(id(7)), false));
        assert_eq!(resume.place(Some(id(6))), (Place::Processed(id(6)), false));
    }

    #[test]
    fn what_was_received_and_is_refused_is_asked_for_from_the_start() {
        let mut resume = Resume::new(&Start::Latest);
        resume.received(id(3));
        resume.refused(Place::Received(id(3)));
        assert_eq!(resume.place(None), (Place::Earliest, false));
    }

    #[test]
    fn a_cut_before_any_replay_id_is_known_may_lose_events() {
        let mut resume = Resume::new(&Start::Latest);
        resume.connected();
        assert_eq!(resume.place(None), (Place::Latest, true));
        let mut resume = Resume::new(&Start::Earliest);
        resume.connected();
        assert_eq!(resume.place(None), (Place::Earliest, false));
    }
}
