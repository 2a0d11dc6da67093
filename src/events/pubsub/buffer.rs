//! What has come and waits for the consumer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::events::source::StreamItem;

/// A queue between a stream and its one consumer.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    state: Mutex<State>,
    filled: Notify,
    taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<StreamItem>,
    closed: bool,
}

impl Buffer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A keep-alive takes the place of one that still waits.
    pub(super) fn push(&self, delivery: StreamItem) {
        let is_keep_alive = |it: &StreamItem| matches!(it, StreamItem::KeepAlive { .. });
        let mut state = self.lock();
        if is_keep_alive(&delivery) && state.queue.back().is_some_and(is_keep_alive) {
            state.queue.pop_back();
        }
        state.queue.push_back(delivery);
        drop(state);
        self.filled.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    /// Drops what will come again. What says that something will not, stays.
    pub(super) fn drop_what_comes_again(&self) {
        self.lock().queue.retain(|delivery| matches!(delivery, StreamItem::Gap { .. }));
    }

    /// Nothing more will be pushed.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// The next one; `None` once the buffer is closed and empty. Loses nothing where it is dropped.
    pub(super) async fn take(&self) -> Option<StreamItem> {
        loop {
            {
                let mut state = self.lock();
                if let Some(delivery) = state.queue.pop_front() {
                    drop(state);
                    self.taken.notify_one();
                    return Some(delivery);
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Ready when something was taken since this was asked last.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Ready when fewer than `full` wait.
    pub(super) async fn has_room(&self, full: usize) {
        while self.len() >= full {
            self.taken().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::events::source::{ReceivedEvent, ReplayId};
    use crate::model::time::Timestamp;

    fn keep_alive(n: u8) -> StreamItem {
        StreamItem::KeepAlive { replay_id: ReplayId::new([n]) }
    }

    fn gap() -> StreamItem {
        StreamItem::Gap { reason: "test".to_owned() }
    }

    #[tokio::test]
    async fn keep_alives_do_not_pile_up() {
        let buffer = Buffer::default();
        for n in 0..9 {
            buffer.push(keep_alive(n));
        }
        assert_eq!(buffer.len(), 1);
        assert_eq!(buffer.take().await, Some(keep_alive(8)));
    }

    #[tokio::test]
    async fn word_of_a_gap_is_never_dropped() {
        let buffer = Buffer::default();
        buffer.push(keep_alive(1));
        buffer.push(gap());
        buffer.push(keep_alive(2));
        buffer.drop_what_comes_again();
        buffer.close();
        assert_eq!(buffer.take().await, Some(gap()));
        assert_eq!(buffer.take().await, None);
    }

    #[tokio::test]
    async fn a_stream_that_waits_for_room_goes_on_when_one_is_taken() {
        let buffer = Buffer::default();
        buffer.push(gap());
        buffer.push(gap());
        let ((), taken) = tokio::join!(buffer.has_room(2), buffer.take());
        assert_eq!((taken, buffer.len()), (Some(gap()), 1));
    }

    #[tokio::test]
    async fn there_is_no_room_until_fewer_wait() {
        let buffer = Buffer::default();
        assert_eq!(buffer.has_room(2).now_or_never(), Some(()));
        (0..3).for_each(|_| buffer.push(gap()));
        assert_eq!(buffer.has_room(2).now_or_never(), None);
        buffer.take().await;
        assert_eq!(buffer.has_room(2).now_or_never(), None, "one was taken, and two wait");
        buffer.take().await;
        assert_eq!(buffer.has_room(2).now_or_never(), Some(()));
    }

    #[tokio::test]
    async fn whatever_has_a_place_in_the_stream_comes_again_and_is_dropped() {
        let buffer = Buffer::default();
        let (topic, replay_id): (std::sync::Arc<str>, _) = ("/event/Test__e".into(), ReplayId::new([1]));
        buffer.push(StreamItem::Event(ReceivedEvent {
            topic: topic.clone(),
            replay_id: replay_id.clone(),
            json: String::new(),
            received: Timestamp::from_millis(0),
        }));
        buffer.push(StreamItem::Unreadable { topic, replay_id, reason: "test".to_owned() });
        buffer.push(keep_alive(2));
        buffer.drop_what_comes_again();
        assert_eq!(buffer.len(), 0);
    }
}
