//! The call that changes an agent work.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::ids::AgentWorkId;
use crate::model::words::{AgentWorkContext, AgentWorkStatus};

/// `PATCH /agentWork`: take an unanswered offer back, or close accepted work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateAgentWork {
    /// The offer.
    pub work: AgentWorkId,
    /// What becomes of it.
    pub change: AgentWorkUpdate,
}

/// What a partner for reps may do to an agent work. The schema's other words are not in it, so no call can say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentWorkUpdate {
    /// An offer that is assigned and not answered is taken back.
    Cancel,
    /// A rep's accepted work is over.
    Close,
}

impl UpdateAgentWork {
    /// Takes an offer back.
    pub const fn cancel(work: AgentWorkId) -> Self {
        Self { work, change: AgentWorkUpdate::Cancel }
    }

    /// Closes accepted work.
    pub const fn close(work: AgentWorkId) -> Self {
        Self { work, change: AgentWorkUpdate::Close }
    }

    /// The call of these words of Salesforce's.
    ///
    /// # Errors
    /// Where they are a bot's: this connector offers work to reps, who answer at their own consoles.
    pub fn of(
        work: AgentWorkId,
        context: AgentWorkContext,
        status: AgentWorkStatus,
    ) -> Result<Self, ForBotsAlone> {
        match (context, status) {
            (AgentWorkContext::Chatbot, _) => Err(ForBotsAlone::Context),
            (AgentWorkContext::Agent, AgentWorkStatus::Cancel) => Ok(Self::cancel(work)),
            (AgentWorkContext::Agent, AgentWorkStatus::Close) => Ok(Self::close(work)),
            (AgentWorkContext::Agent, AgentWorkStatus::Accept | AgentWorkStatus::Decline) => {
                Err(ForBotsAlone::Status(status))
            }
        }
    }
}

/// Why a change of an agent work is not called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForBotsAlone {
    /// The work is a bot's.
    Context,
    /// A bot answers its offer with this; a rep does so at their own console.
    Status(AgentWorkStatus),
}

impl fmt::Display for ForBotsAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context => {
                f.write_str("contextType Chatbot is for bots; the connector offers work to reps")
            }
            Self::Status(status) => {
                write!(f, "status {status} is for bots; a rep answers an offer at their own console")
            }
        }
    }
}

impl std::error::Error for ForBotsAlone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_bots_may_say_is_refused_with_a_reason() {
        let work = AgentWorkId::parse("0Bz000000000001").unwrap();
        let mut allowed = Vec::new();
        for &context in AgentWorkContext::ALL {
            for &status in AgentWorkStatus::ALL {
                match UpdateAgentWork::of(work, context, status) {
                    Ok(call) => allowed.push((context, status, call.change)),
                    Err(why) => assert!(why.to_string().contains("for bots"), "{context} {status}: {why}"),
                }
            }
        }
        let agent = AgentWorkContext::Agent;
        assert_eq!(
            allowed,
            [
                (agent, AgentWorkStatus::Close, AgentWorkUpdate::Close),
                (agent, AgentWorkStatus::Cancel, AgentWorkUpdate::Cancel),
            ]
        );
    }
}
