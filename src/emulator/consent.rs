//! Whether the end user has agreed to be written to, and what is not done before.

use super::refusal::Refusal;
use super::salesforce::Salesforce;
use super::settings::OptIn;
use super::state::Conversation;
use crate::model::ids::{ConversationId, Subject};
use crate::model::time::Timestamp;
use crate::model::words::{ConsentStatus, SessionStatus};

impl Salesforce {
    /// What an end user has agreed to. Who has written and was asked for nothing has opted in by that.
    pub fn consent(&self, end_user: &Subject) -> ConsentStatus {
        self.consents.get(end_user).copied().unwrap_or(ConsentStatus::ImplicitlyOptedIn)
    }

    /// Notes what an end user has agreed to. One who opts out ends their sessions with it; one
    /// who opts in may be routed.
    pub(super) fn set_consent(&mut self, now: Timestamp, end_user: Subject, status: ConsentStatus) {
        let mine = |it: &&Conversation| it.end_user == end_user && !it.is_over();
        let mine: Vec<(ConversationId, SessionStatus)> =
            self.conversations.values().filter(mine).map(|it| (it.id.clone(), it.status)).collect();
        self.consents.insert(end_user, status);
        for (conversation, session) in mine {
            if status == ConsentStatus::OptedOut {
                self.end_user_ends(now, &conversation);
            } else if session == SessionStatus::Consent && self.is_enough(status) {
                self.set_session_status(now, &conversation, SessionStatus::New, None);
                self.ask_for_first_rep(now, &conversation);
            }
        }
    }

    /// Whether somebody who has agreed to this much may be written to on this channel.
    pub(super) fn is_enough(&self, status: ConsentStatus) -> bool {
        match self.settings.channel.opt_in {
            OptIn::Implicit => status != ConsentStatus::OptedOut,
            OptIn::Explicit => {
                matches!(status, ConsentStatus::ExplicitlyOptedIn | ConsentStatus::DoublyOptedIn)
            }
            OptIn::Double => status == ConsentStatus::DoublyOptedIn,
        }
    }

    /// Refuses to route a conversation whose end user has not agreed to as much as the channel asks for.
    pub(super) fn opted_in(&self, conversation: &Conversation) -> Result<(), Refusal> {
        let status = self.consent(&conversation.end_user);
        if self.is_enough(status) {
            Ok(())
        } else {
            Err(Refusal::new(15103, format!("the end user's consent is {status}: not enough here")))
        }
    }
}
