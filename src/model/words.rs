//! Salesforce's small vocabularies, spelled as Salesforce spells them.
//!
//! Salesforce adds values to its enums. A value that is not named here is no error: whoever reads it
//! keeps the text and passes the thing by, so each type reads from text with `from_name` and says
//! `None` to what it does not know.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value that is known here, in Salesforce's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value of that name, exactly as Salesforce spells it.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Salesforce's spelling.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use words;

words!(
    /// What a routing request is for.
    RoutingType {
        /// A new conversation looks for its first rep.
        Initial = "Initial",
        /// A rep hands the conversation to somebody else.
        Transfer = "Transfer",
        /// A rep asks somebody to join the conversation.
        Conference = "Conference",
    }
);

words!(
    /// Why routing ends without a rep. `DELETE /route` takes the first four.
    CancelReason {
        /// None of the others, errors among them.
        Unknown = "Unknown",
        /// Nobody could be found, or nobody answered.
        Unavailable = "Unavailable",
        /// The rep declined.
        Decline = "Decline",
        /// The requester changed their mind.
        Cancel = "Cancel",
        /// The end user left. Only Salesforce says this; it is never sent.
        EndUserEnded = "EndUserEnded",
    }
);

words!(
    /// The status of a messaging session.
    SessionStatus {
        /// Created, not routed yet.
        New = "New",
        /// Waits for a rep.
        Waiting = "Waiting",
        /// A rep is in it.
        Active = "Active",
        /// Over.
        Ended = "Ended",
        /// Waits for the end user's consent.
        Consent = "Consent",
        /// Quiet; an answer of the end user wakes it up.
        Inactive = "Inactive",
        /// Broken.
        Error = "Error",
        /// On hold.
        Paused = "Paused",
    }
);

words!(
    /// On whose behalf `POST /messagingSession` changes a session.
    OperationBy {
        /// The end user's.
        EndUser = "EndUser",
        /// The partner's own system's.
        System = "System",
    }
);

words!(
    /// Why `POST /messagingSession` was not carried out, where a 2xx says no (`errorReason`).
    SessionErrorReason {
        /// The conversation has no session that is not over.
        ActiveConversationNotFound = "ACTIVE_CONVERSATION_NOT_FOUND",
        /// Nothing more is said.
        EndSessionFailed = "END_SESSION_FAILED",
        /// Salesforce failed.
        InternalError = "INTERNAL_ERROR",
        /// The org lacks a permission.
        PermissionDenied = "PERMISSION_DENIED",
        /// There is no such channel.
        ChannelAddressNotFound = "CHANNEL_ADDRESS_NOT_FOUND",
        /// There is no such session.
        SessionNotFound = "SESSION_NOT_FOUND",
        /// There is no such end user.
        EndUserNotFound = "END_USER_NOT_FOUND",
        /// There is no such org.
        OrgNotFound = "ORG_NOT_FOUND",
        /// The conversation was in another state than Salesforce expected.
        ConversationPreconditionFailed = "CONVERSATION_PRECONDITION_FAILED",
        /// Salesforce stopped in the middle of the conversation's work.
        ConversationProcessingAborted = "CONVERSATION_PROCESSING_ABORTED",
        /// The channel is switched off.
        ChannelAddressIsInactive = "CHANNEL_ADDRESS_IS_INACTIVE",
        /// Something that the customer has built failed.
        CustomerError = "CUSTOMER_ERROR",
        /// The integration user may not see the session.
        NoAccess = "NO_ACCESS",
    }
);

words!(
    /// What happened to an agent work, as `RoutingWorkResult` tells it.
    WorkChange {
        /// The rep's console rings.
        Assigned = "Assigned",
        /// The rep took it.
        Accepted = "Accepted",
        /// Taken back before the rep answered.
        Cancelled = "Cancelled",
        /// The rep has finished with it.
        Closed = "Closed",
        /// The rep said no.
        Declined = "Declined",
        /// A transfer of it failed.
        TransferError = "TransferError",
        /// It was transferred.
        Transferred = "Transferred",
    }
);

impl WorkChange {
    /// Reads the spelling of `AGENT_WORK_EVENT` (`ACCEPTED`), and `CANCELED` as well as `CANCELLED`. The rep's
    /// browser has two words for finished work.
    pub fn from_work_event(name: &str) -> Option<Self> {
        match name {
            "ASSIGNED" => Some(Self::Assigned),
            "ACCEPTED" => Some(Self::Accepted),
            "CANCELED" | "CANCELLED" => Some(Self::Cancelled),
            "CLOSED" | "COMPLETED" => Some(Self::Closed),
            "DECLINED" => Some(Self::Declined),
            "TRANSFER_ERROR" | "TRANSFERERROR" => Some(Self::TransferError),
            "TRANSFERRED" => Some(Self::Transferred),
            other => Self::from_name(other),
        }
    }
}

words!(
    /// Whose agent work `PATCH /agentWork` changes.
    AgentWorkContext {
        /// A rep's.
        Agent = "Agent",
        /// A bot's.
        Chatbot = "Chatbot",
    }
);

words!(
    /// What `PATCH /agentWork` makes of an agent work.
    AgentWorkStatus {
        /// A bot takes it.
        Accept = "Accept",
        /// It is over.
        Close = "Close",
        /// A bot does not take it.
        Decline = "Decline",
        /// It is taken back before anybody took it.
        Cancel = "Cancel",
    }
);

words!(
    /// The part that a participant plays in a conversation.
    ParticipantRole {
        /// The customer.
        EndUser = "EndUser",
        /// A bot.
        Chatbot = "Chatbot",
        /// A rep.
        Agent = "Agent",
        /// Somebody who listens in.
        Supervisor = "Supervisor",
        /// Salesforce itself.
        System = "System",
        /// Salesforce's router.
        Router = "Router",
    }
);

impl ParticipantRole {
    /// Whether somebody of this role counts as a participant: people and bots do, Salesforce's own
    /// machinery does not.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::System | Self::Router)
    }
}

words!(
    /// Who routes: `ConversationChannelDefinition.RoutingOwner`.
    RoutingOwner {
        /// Salesforce finds the reps; the connector has nothing to do.
        Salesforce = "Salesforce",
        /// The partner finds the reps.
        Partner = "Partner",
    }
);

words!(
    /// Who asks end users for their consent: `ConversationChannelDefinition.ConsentOwner`.
    ConsentOwner {
        /// Salesforce does.
        Salesforce = "Salesforce",
        /// The partner does, and tells by `PATCH /consent`.
        Partner = "Partner",
    }
);

words!(
    /// What an end user has agreed to.
    ConsentStatus {
        /// They want no messages.
        OptedOut = "OptedOut",
        /// They have written, and nobody has asked them.
        ImplicitlyOptedIn = "ImplicitlyOptedIn",
        /// They have said yes.
        ExplicitlyOptedIn = "ExplicitlyOptedIn",
        /// They have said yes, and have confirmed it.
        DoublyOptedIn = "DoublyOptedIn",
    }
);

words!(
    /// Whether a rep can be reached.
    Availability {
        /// Online, with room.
        Available = "AVAILABLE",
        /// Online, without room.
        Busy = "BUSY",
        /// Not online.
        Offline = "OFFLINE",
    }
);
