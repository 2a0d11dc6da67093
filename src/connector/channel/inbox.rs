//! A channel's messages in their order, with a look ahead at those that wait.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::{Delivery, Message};

/// How many messages are looked ahead at, for the store to be asked about all of them at once.
const AHEAD: usize = 128;

/// Messages, in their order.
pub(super) struct Inbox {
    /// Those that were looked at ahead.
    ahead: VecDeque<Message>,
    behind: mpsc::Receiver<Message>,
}

impl Inbox {
    pub(super) fn new(behind: mpsc::Receiver<Message>) -> Self {
        Self { ahead: VecDeque::new(), behind }
    }

    /// The next message; none when nobody is left who could send one. Loses nothing when it is dropped.
    pub(super) async fn next(&mut self) -> Option<Message> {
        match self.ahead.pop_front() {
            Some(message) => Some(message),
            None => self.behind.recv().await,
        }
    }

    /// What has been delivered and waits, as far as is looked ahead.
    pub(super) fn deliveries(&mut self) -> impl Iterator<Item = &Delivery> {
        while self.ahead.len() < AHEAD
            && let Ok(message) = self.behind.try_recv()
        {
            self.ahead.push_back(message);
        }
        self.ahead.iter().filter_map(|message| match message {
            Message::Delivered { delivery, .. } => Some(&**delivery),
            _ => None,
        })
    }
}
