//! Whether the end user has agreed to be written to, and what is not done before.

use super::refusal::Refusal;
use super::salesforce::Salesforce;
use super::settings::OptIn;
use super::state::Conversation;
use crate::model::ids::{ConversationId, Subject};
use crate::model::time::Timestamp;
use crate::model::words::ConsentStatus;

impl Salesforce {
    /// What an end user has agreed to. Who has written and was asked for nothing has opted in by that.
    pub fn consent(&self, end_user: &Subject) -> ConsentStatus {
        self.consents.get(end_user).copied().unwrap_or(ConsentStatus::ImplicitlyOptedIn)
    }

    /// Notes what an end user has agreed to. One who opts out ends their sessions with it.
    pub(super) fn set_consent(&mut self, now: Timestamp, end_user: Subject, status: ConsentStatus) {
        if status == ConsentStatus::OptedOut {
            let mine = |it: &&Conversation| it.end_user == end_user && !it.is_over();
            let over: Vec<ConversationId> =
                self.conversations.values().filter(mine).map(|it| it.id.clone()).collect();
            for conversation in over {
                self.end_user_ends(now, &conversation);
            }
        }
        self.consents.insert(end_user, status);
    }

    /// Refuses to route a conversation whose end user has not agreed to as much as the channel asks for.
    pub(super) fn opted_in(&self, conversation: &Conversation) -> Result<(), Refusal> {
        let status = self.consent(&conversation.end_user);
        let enough = match self.settings.channel.opt_in {
            OptIn::Implicit => status != ConsentStatus::OptedOut,
            OptIn::Explicit => {
                matches!(status, ConsentStatus::ExplicitlyOptedIn | ConsentStatus::DoublyOptedIn)
            }
            OptIn::Double => status == ConsentStatus::DoublyOptedIn,
        };
        if enough {
            Ok(())
        } else {
            Err(Refusal::new(15103, format!("the end user's consent is {status}: not enough here")))
        }
    }
}
