//! What an operator looks at of a running channel, and orders about it.
//!
//! Invariants
//! 1. Whoever looks does not wait for a store that is known to fail.

use std::pin::pin;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::timeout;
use uuid::Uuid;

use super::RunningChannel;
use crate::connector::Asked;
use crate::connector::Failing;
use crate::model::ids::{ConversationId, EventId};
use crate::model::time::Timestamp;
use crate::routing::{
    Conversation, Conversations, Ending, LeftOpen, OperatorOrder, OwedView, Owes, RequestView,
};
use crate::service::ended::ENDED_KEPT;
use crate::service::{EndedView, Error};

/// How long somebody who looks at a channel waits before the store is asked whether it fails.
const LOOK_WITHIN: Duration = Duration::from_millis(250);

impl RunningChannel {
    /// Looks at the conversations for somebody who does not want to wait: a channel whose store fails stands still
    /// until it has read there again, and what it holds meanwhile may never have been stored.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Conversations) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let mut looking = pin!(self.0.handle.look(look));
        loop {
            if let Ok(seen) = timeout(LOOK_WITHIN, &mut looking).await {
                return Ok(seen?);
            }
            if let Some(problem) = self.0.store.health().failing {
                return Err(problem.into());
            }
        }
    }

    /// The open requests, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Where the store fails, or the service is stopping.
    pub async fn open_requests(&self, limit: usize) -> Result<Vec<RequestView>, Error> {
        let open = self.look(move |all| {
            // The channel stands still meanwhile, and a copy of each would take it many times as long.
            let since = |one| Conversation::open_since(one).map(move |since| (since, one));
            let mut open: Vec<_> = all.busy().flat_map(since).collect();
            if limit < open.len() {
                open.select_nth_unstable_by_key(limit, |(since, _)| *since);
                open.truncate(limit);
            }
            open.sort_unstable_by_key(|(since, _)| *since);
            let view = |((_, request), one): ((Timestamp, &EventId), &Conversation)| {
                one.views().find(|view| view.request == *request)
            };
            open.into_iter().filter_map(view).collect::<Vec<RequestView>>()
        });
        open.await
    }

    /// What its conversations have open at Salesforce.
    ///
    /// # Errors
    /// Where the store fails, or the service is stopping.
    pub async fn left_open(&self) -> Result<LeftOpen, Error> {
        self.look(Conversations::left_open).await
    }

    /// The open request of that routing event.
    ///
    /// # Errors
    /// Where the store fails, or the service is stopping.
    pub async fn open_request(&self, request: &EventId) -> Result<Option<RequestView>, Error> {
        let request = request.clone();
        let found = self.look(move |all| {
            let has_it =
                |conversation: &&Conversation| conversation.open_requests().any(|open| *open == request);
            all.busy().find(has_it)?.views().find(|view| view.request == request)
        });
        found.await
    }

    /// The requests that have ended lately, newest first, at most `limit`.
    pub fn ended_requests(&self, limit: usize) -> Vec<EndedView> {
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().rev().take(limit).cloned().collect()
    }

    /// The request of that routing event, where it has ended lately.
    pub fn ended_request(&self, request: &EventId) -> Option<EndedView> {
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().rev().find(|ended| ended.request == *request).cloned()
    }

    /// How much its conversations owe: clean-ups that could not be made. Never waits.
    pub fn owes(&self) -> Option<Owes> {
        self.0.handle.owes()
    }

    /// What its conversations owe, what is owed for the longest first, at most `limit`; then what is being undone
    /// for the first time, and fails so far.
    ///
    /// # Errors
    /// Where the store fails, or the service is stopping.
    pub async fn owed(&self, limit: usize) -> Result<Vec<OwedView>, Error> {
        let failing = self.0.handle.in_vain().all();
        if self.owes().is_none() && failing.is_empty() {
            return Ok(Vec::new());
        }
        let owed = self.look(move |all| {
            let so_far = |(call, view): (Uuid, OwedView)| {
                let Failing { since, next_try, answer } = failing.get(&call)?.clone();
                Some(OwedView { since, next_try: Some(next_try), last_answer: Some(answer), ..view })
            };
            let busy = all.busy().filter(|_| !failing.is_empty());
            all.owed().chain(busy.flat_map(Conversation::undoing).filter_map(so_far)).take(limit).collect()
        });
        owed.await
    }

    /// Carries out an operator's order about what is owed under this id. `false` where nothing is.
    ///
    /// # Errors
    /// Where it could not be made durable, or the service is stopping.
    pub async fn order_owed(&self, id: Uuid, order: OperatorOrder) -> Result<bool, Error> {
        let of = self.look(move |all| all.owed().find(|owed| owed.id == id).map(|owed| owed.conversation));
        let Some(conversation) = of.await? else { return Ok(false) };
        self.0.handle.order(conversation, order).await?;
        Ok(true)
    }

    /// Ends an open request. `false` where there is none of that routing event.
    ///
    /// # Errors
    /// Where it could not be made durable, or the service is stopping.
    pub async fn end_request(&self, request: &EventId) -> Result<bool, Error> {
        let Some(view) = self.open_request(request).await? else { return Ok(false) };
        self.0.handle.order(view.conversation, OperatorOrder::End(request.clone())).await?;
        Ok(true)
    }

    /// Keeps what has ended, to be looked at.
    pub(in crate::service) fn keep(
        &self,
        conversation: ConversationId,
        ending: &Ending,
        asked: Option<Asked>,
    ) {
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() == ENDED_KEPT {
            ended.pop_front();
        }
        ended.push_back(EndedView::new(conversation, ending, asked));
    }
}
