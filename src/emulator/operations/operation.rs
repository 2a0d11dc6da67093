//! The list of the operations that the emulator answers.

use serde::{Deserialize, Serialize};

/// Whether an operation takes the `AuthorizationContextType` header. To one that does not it is a header like any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum TypeHeader {
    None,
    Optional,
    Required,
}

/// Makes the list: each with its method, its resource below `/api/v1/`, and its header.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $method:literal $resource:literal $type_header:ident,)*) => {
        /// The operations that the emulator answers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn entry(self) -> (&'static str, &'static str, TypeHeader) {
                match self { $(Self::$name => ($method, $resource, TypeHeader::$type_header),)* }
            }
        }
    };
}

operations! {
    /// `POST /route`.
    CreateRoute: "POST" "route" Optional,
    /// `DELETE /route`.
    DeleteRoute: "DELETE" "route" None,
    /// `POST /agentWork`.
    CreateAgentWork: "POST" "agentWork" None,
    /// `PATCH /agentWork`.
    UpdateAgentWork: "PATCH" "agentWork" Required,
    /// `POST /routingResult`.
    RoutingResult: "POST" "routingResult" None,
    /// `POST /participant`.
    Participant: "POST" "participant" None,
    /// `POST /conversation`.
    Conversation: "POST" "conversation" None,
    /// `POST /interactions`.
    Interactions: "POST" "interactions" None,
    /// `PATCH /consent`.
    Consent: "PATCH" "consent" None,
    /// `POST /messagingSession`.
    MessagingSession: "POST" "messagingSession" None,
}

impl Operation {
    /// Its method.
    pub const fn method(self) -> &'static str {
        self.entry().0
    }

    /// The last part of its path: `route`.
    pub const fn resource(self) -> &'static str {
        self.entry().1
    }

    /// The content type that its body has.
    pub(in crate::emulator) const fn content_type(self) -> &'static str {
        match self {
            Self::Interactions => "multipart/form-data",
            _ => "application/json",
        }
    }

    pub(in crate::emulator) const fn type_header(self) -> TypeHeader {
        self.entry().2
    }
}
