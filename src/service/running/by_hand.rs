//! What a partner or an operator does to a conversation by name: its end, a rep taken out, a rep's work closed.
//!
//! It is asked of Salesforce at once, and nothing is stored: what follows from it, the platform event tells. What the
//! caller does not say is filled in from what the conversation is known to be. Must never know what HTTP is.

use crate::model::call::{
    Answer, Call, ChangeSession, Refusal, Removable, RemoveParticipant, SessionChange, UpdateAgentWork,
};
use crate::model::event::Participant;
use crate::model::ids::{AgentWorkId, ChannelAddressId, ConversationId, RepId, Subject, WorkItemId};
use crate::model::words::{OperationBy, ParticipantRole};

use super::RunningChannel;
use crate::service::Error;

/// What is to become of a session, and what its caller knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOrder {
    /// The conversation.
    pub conversation: ConversationId,
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The end user's client id; else it is who is known to be in.
    pub end_user: Option<Subject>,
    /// The session; else it is the one that is known.
    pub session: Option<WorkItemId>,
    /// Whether it ends; else it becomes inactive, until the end user writes again.
    pub ends: bool,
    /// On whose behalf.
    pub by: OperationBy,
}

impl RunningChannel {
    /// Ends a session, or makes it inactive (`POST /messagingSession`). That there is none any more is no error.
    ///
    /// # Errors
    /// Where the end user, or the session that is to become inactive, is not known; Salesforce refuses it, or does not
    /// answer; or the service is stopping.
    pub async fn change_session(&self, order: SessionOrder) -> Result<(), Error> {
        let SessionOrder { conversation, channel, end_user, session, ends, by } = order;
        let id = conversation.clone();
        let known = self.look(move |all| {
            let known = all.get(&id)?;
            let end_user = known.participants().iter().find(|one| one.role == ParticipantRole::EndUser);
            Some((end_user.map(|one| one.subject.clone()), known.work_item()))
        });
        let (known_user, known_session) = known.await?.unwrap_or_default();
        let end_user = end_user.or(known_user).ok_or_else(|| Error::EndUserUnknown(conversation.clone()))?;
        let session = session.or(known_session);
        let change = match (ends, session) {
            (true, session) => SessionChange::End(session),
            (false, Some(session)) => SessionChange::Inactivate(session),
            (false, None) => return Err(Error::SessionUnknown(conversation)),
        };
        let what = format!("{} {conversation} {session:?}", if ends { "end" } else { "inactivate" });
        let call = Call::ChangeSession(ChangeSession { channel, conversation, end_user, change, by });
        self.make(&what, call).await
    }

    /// Takes a rep or a bot out of a conversation (`POST /participant`). The last rep ends it instead.
    ///
    /// # Errors
    /// Where the rep is the only one who is in, Salesforce refuses it or does not answer, or the service is stopping.
    pub async fn remove_participant(
        &self,
        conversation: ConversationId,
        who: Removable,
    ) -> Result<(), Error> {
        if let Removable::Rep(rep) = who
            && self.is_last(&conversation, rep).await?
        {
            return Err(Error::LastRep(rep));
        }
        let what = format!("remove {conversation} {who:?}");
        let call = Call::RemoveParticipant(RemoveParticipant { conversation, who });
        self.make(&what, call).await
    }

    async fn is_last(&self, conversation: &ConversationId, rep: RepId) -> Result<bool, Error> {
        let id = conversation.clone();
        let last = self.look(move |all| {
            let known = all.get(&id)?;
            let mut reps = known.participants().iter().filter_map(Participant::as_rep);
            Some(reps.next() == Some(rep) && reps.next().is_none())
        });
        Ok(last.await?.unwrap_or(false))
    }

    /// Closes a rep's work (`PATCH /agentWork`, `Close`), as if the rep had closed the session's tab.
    ///
    /// # Errors
    /// Where Salesforce refuses it, or does not answer.
    pub async fn close_agent_work(&self, work: AgentWorkId) -> Result<(), Error> {
        self.make(&format!("close {work}"), Call::UpdateAgentWork(UpdateAgentWork::close(work))).await
    }

    async fn make(&self, what: &str, call: Call) -> Result<(), Error> {
        match self.0.handle.direct().make(what, call).await {
            Answer::Done(_) => Ok(()),
            Answer::Refused(refusal) => Err(Error::SalesforceRefused(said(&refusal))),
            Answer::Lost(why) => Err(Error::SalesforceSilent(format!("Salesforce did not answer: {why}"))),
        }
    }
}

/// What Salesforce has against it.
fn said(refusal: &Refusal) -> String {
    let Refusal { status, code, message, .. } = refusal;
    match code {
        Some(code) => format!("Salesforce refused ({code}): {message}"),
        None => format!("Salesforce refused (status {status}): {message}"),
    }
}
