//! What a partner may bring: who is found, who is told, how Salesforce is called.

use async_trait::async_trait;
use uuid::Uuid;

use crate::interaction::{Client, Priority};
use crate::model::call::{Answer, Call};
use crate::model::ids::RepId;
use crate::model::rep_query::RepQuery;
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::rep_finder::choose;
use crate::routing::Announcement;

/// The partner's router: who can take this?
#[async_trait]
pub trait RepFinder: Send + Sync {
    /// Reps who can take it, the best first; none where nobody can. Whatever keeps the router from
    /// answering is its own business to retry and to log: to a request it is the same as nobody.
    async fn find(&self, query: &RepQuery) -> Vec<RepId>;
}

/// A roster finds reps by itself.
#[async_trait]
impl RepFinder for Roster {
    async fn find(&self, query: &RepQuery) -> Vec<RepId> {
        choose(self, query)
    }
}

/// The partner's own channel: tells the end user who joins and who leaves.
#[async_trait]
pub trait EndUserNotifier: Send + Sync {
    /// A rep came or went. Told once for each, in the order in which it happened in a conversation.
    async fn tell(&self, announcement: Announcement);

    /// Returns when everything that was told has been taken or given up; for one that tells at once, now.
    async fn settled(&self) {}
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct TellNobody;

#[async_trait]
impl EndUserNotifier for TellNobody {
    async fn tell(&self, _announcement: Announcement) {}
}

/// The Interaction Service, with all tries of a call.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Makes a call until it has an answer, at the latest until `give_up_at`.
    ///
    /// `resumed` says that it may have been tried before a restart.
    async fn call(&self, request_id: Uuid, call: &Call, give_up_at: Timestamp, resumed: bool) -> Answer;
}

#[async_trait]
impl Calls for Client {
    async fn call(&self, request_id: Uuid, call: &Call, give_up_at: Timestamp, resumed: bool) -> Answer {
        let priority = Priority::of(call);
        if resumed {
            self.resume(request_id, call, give_up_at, priority).await
        } else {
            self.send(request_id, call, give_up_at, priority).await
        }
    }
}
