//! What the writer commits together: everything that waits, and, where nobody waits for any of it, what comes within
//! some milliseconds.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::order::{Order, QueuedTurn, Told};

/// How many turns one commit takes at most. Past some hundreds, a turn's share of the sync is nothing any
/// more, and the first of them waits for the last.
const LARGEST_GROUP: usize = 512;

/// How long what nobody waits for is held back for something that is committed anyhow. What is lost by a crash meanwhile
/// was not acknowledged: it comes again.
pub(super) const GATHERING: Duration = Duration::from_millis(10);

/// What is committed together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) turns: Vec<QueuedTurn>,
    pub(super) told: Vec<Told>,
    urgent: bool,
}

impl Group {
    /// A group that begins with this order, and what came next that cannot be in one.
    pub(super) fn gather(first: Order, queue: &Receiver<Order>, wait: Duration) -> (Self, Option<Order>) {
        let (mut group, began) = (Self::default(), Instant::now());
        let mut next = group.add(first);
        while next.is_none() && group.has_room() {
            let left = if group.urgent { Duration::ZERO } else { wait.saturating_sub(began.elapsed()) };
            let order = if left.is_zero() { queue.try_recv().ok() } else { queue.recv_timeout(left).ok() };
            let Some(order) = order else { break };
            next = group.add(order);
        }
        (group, next)
    }

    /// Takes what can be committed with the others, and gives back what cannot.
    fn add(&mut self, order: Order) -> Option<Order> {
        match order {
            Order::Append(turn) => {
                self.urgent |= turn.urgent;
                self.turns.push(*turn);
            }
            Order::Told(told) => self.told.push(told),
            other => return Some(other),
        }
        None
    }

    fn has_room(&self) -> bool {
        self.turns.len().saturating_add(self.told.len()) < LARGEST_GROUP
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::model::ids::OrgId;
    use crate::model::time::Timestamp;
    use crate::store::record::{ChannelKey, Epoch};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn turn(urgent: bool) -> Order {
        let channel =
            ChannelKey { org: OrgId::parse("00D000000000001").unwrap(), channel: "acme_Chat".into() };
        let (answer, _) = tokio::sync::oneshot::channel();
        let (at, epoch) = (Timestamp::from_millis(0), Epoch(1));
        let turn =
            QueuedTurn { channel, epoch, at, cause: None, position: None, change: None, urgent, answer };
        Order::Append(Box::new(turn))
    }

    #[test]
    fn what_nobody_waits_for_is_committed_with_what_somebody_waits_for() {
        let (orders, queue) = mpsc::channel();
        let gathering = thread::spawn(move || Group::gather(turn(false), &queue, HOUR));
        for urgent in [false, true] {
            orders.send(turn(urgent)).unwrap();
        }
        let (group, next) = gathering.join().unwrap();
        assert_eq!(group.turns.iter().map(|turn| turn.urgent).collect::<Vec<_>>(), [false, false, true]);
        assert!(next.is_none());
    }

    #[test]
    fn what_somebody_waits_for_is_not_held_back() {
        let (_orders, queue) = mpsc::channel();
        let (group, _) = Group::gather(turn(true), &queue, HOUR);
        assert_eq!(group.turns.len(), 1);
    }

    #[test]
    fn what_nobody_waits_for_is_committed_when_nothing_comes() {
        let (_orders, queue) = mpsc::channel();
        let (group, _) = Group::gather(turn(false), &queue, Duration::from_millis(1));
        assert_eq!(group.turns.len(), 1);
    }

    #[test]
    fn who_closes_the_store_does_not_wait() {
        let (orders, queue) = mpsc::channel();
        let (answer, _) = tokio::sync::oneshot::channel();
        orders.send(Order::Close(answer)).unwrap();
        let (group, next) = Group::gather(turn(false), &queue, HOUR);
        assert_eq!(group.turns.len(), 1);
        assert!(matches!(next, Some(Order::Close(_))), "it is told when the turn is written");
    }
}
