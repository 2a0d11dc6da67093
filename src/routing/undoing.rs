//! What is being undone for the first time: nothing is owed yet, and a person may want to see that it fails.

use uuid::Uuid;

use super::command::CommandId;
use super::conversation::Conversation;
use super::fact::Intent;
use super::offer::Offer;
use super::owed::OwedView;
use super::undo::Undo;
use crate::model::time::Timestamp;

impl Conversation {
    /// What is being undone for the first time, each with the `RequestId` of its call. How its tries go, the client
    /// knows: it has tried nothing in vain, since no time.
    pub fn undoing(&self) -> impl Iterator<Item = (Uuid, OwedView)> {
        self.requests.iter().flat_map(move |request| {
            request.in_flight().into_iter().filter_map(move |(call, intent)| {
                let undo = match intent {
                    Intent::TakeBack(rep, _) => Undo::Cancel(rep),
                    Intent::Clear(_) => Undo::Clear,
                    Intent::Remove(rep) => Undo::Remove(rep),
                    _ => return None,
                };
                if request.owed(undo).is_some() {
                    return None;
                }
                let command = CommandId { request: request.event.clone(), number: call.number };
                let rep = undo.rep();
                let view = OwedView {
                    id: request.owed_id(undo.word(), rep),
                    request: request.event.clone(),
                    conversation: self.id().clone(),
                    work_item: self.work_item(),
                    undo: undo.word(),
                    rep,
                    work: rep.and_then(|rep| request.offer(rep)).and_then(Offer::work),
                    since: Timestamp::default(),
                    tries: 0,
                    next_try: None,
                    last_answer: None,
                };
                Some((command.request_id(), view))
            })
        })
    }
}
