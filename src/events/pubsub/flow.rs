//! How many events to ask for, and when (PROTOCOL: "Pub/Sub API rules", on `num_requested`).

/// The most that may be asked for, and that we let be under way.
const MOST_REQUESTED: usize = 100;

/// While events are under way, fewer than this are not worth a request.
const WORTH_ASKING: usize = 25;

/// Counts what was asked for and has not come.
#[derive(Debug)]
pub(super) struct Flow {
    /// The most that may be under way or waiting.
    room: usize,
    pending: usize,
}

impl Flow {
    pub(super) const fn new(room: usize) -> Self {
        Self { room, pending: 0 }
    }

    /// How many to ask for now, while so many wait for the consumer. They count as asked for.
    pub(super) fn ask(&mut self, waiting: usize) -> Option<i32> {
        let taken = waiting.saturating_add(self.pending);
        let most = MOST_REQUESTED.saturating_sub(self.pending);
        let count = self.room.saturating_sub(taken).min(most);
        let least = if self.pending == 0 { 1 } else { WORTH_ASKING };
        if count < least {
            return None;
        }
        self.pending = self.pending.saturating_add(count);
        i32::try_from(count).ok()
    }

    /// So many have come.
    pub(super) const fn received(&mut self, count: usize) {
        self.pending = self.pending.saturating_sub(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hundred_are_asked_for_and_more_when_it_is_worth_it() {
        let mut flow = Flow::new(200);
        assert_eq!(flow.ask(0), Some(100));
        assert_eq!(flow.ask(0), None);
        flow.received(10);
        assert_eq!(flow.ask(10), None, "ten are not worth it while ninety are to come");
        flow.received(20);
        assert_eq!(flow.ask(30), Some(30));
    }

    #[test]
    fn a_consumer_who_takes_nothing_is_sent_nothing_more() {
        let mut flow = Flow::new(3);
        assert_eq!(flow.ask(0), Some(3));
        flow.received(3);
        assert_eq!(flow.ask(3), None);
        assert_eq!(flow.ask(2), Some(1), "with nothing under way, one is worth it");
    }

    proptest! {
        #[test]
        fn what_is_under_way_or_waits_never_exceeds_the_room(
            room in 1_usize..300,
            steps in proptest::collection::vec((0_usize..120, 0_usize..120), 1..200),
        ) {
            let mut flow = Flow::new(room);
            let (mut pending, mut waiting) = (0, 0);
            for (come, taken) in steps {
                if let Some(count) = flow.ask(waiting) {
                    prop_assert!((1..=100).contains(&count));
                    pending += usize::try_from(count).unwrap();
                }
                prop_assert!(pending <= 100 && pending + waiting <= room);
                prop_assert!(pending > 0 || waiting >= room, "nothing under way though there is room");
                let come = come.min(pending);
                flow.received(come);
                pending -= come;
                waiting += come;
                waiting -= taken.min(waiting);
            }
        }
    }
}
