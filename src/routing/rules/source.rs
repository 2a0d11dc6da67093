//! Where a row of the rules comes from.

/// A page of Salesforce's; or a choice of ours, where the pages leave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Developer guide.
    Conference,
    /// Salesforce Help.
    ConferenceHelp,
    /// Developer guide.
    TransferToRep,
    /// Developer guide.
    TransferToQueue,
    /// Developer guide.
    TransferByFlow,
    /// Developer guide.
    TransferOutside,
    /// Salesforce Help.
    TransferHelp,
    /// Developer guide.
    RoutingAndConsent,
    /// Reference of the Interaction Service API.
    Route,
    /// Reference of the Interaction Service API.
    RoutingResult,
    /// Salesforce's pages leave it open; `docs/decisions.md` says why it is so.
    Ours,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 11] = [
        Self::Conference,
        Self::ConferenceHelp,
        Self::TransferToRep,
        Self::TransferToQueue,
        Self::TransferByFlow,
        Self::TransferOutside,
        Self::TransferHelp,
        Self::RoutingAndConsent,
        Self::Route,
        Self::RoutingResult,
        Self::Ours,
    ];

    /// The page's title as Salesforce writes it, and its address.
    pub const fn page(self) -> (&'static str, &'static str) {
        match self {
            Self::Conference => (
                "Add Multiple Participants to a Messaging Conference",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/conference.html",
            ),
            Self::ConferenceHelp => (
                "Add Conferencing to a Messaging Session",
                "https://help.salesforce.com/s/articleView?id=service.livemessage_agent_conferencing_session.htm",
            ),
            Self::TransferToRep => (
                "Transfer Messaging Sessions to Reps",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/transfer-to-reps.html",
            ),
            Self::TransferToQueue => (
                "Transfer Messaging Sessions to Omni-Channel Queues",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/queue-based-transfers.html",
            ),
            Self::TransferByFlow => (
                "Transfer Messaging Sessions with Omni-Channel Flows",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/flow-based-transfers.html",
            ),
            Self::TransferOutside => (
                "Transfer Messaging Sessions to External Contacts",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/transfer-to-others.html",
            ),
            Self::TransferHelp => (
                "Transfer a Messaging Session",
                "https://help.salesforce.com/s/articleView?id=service.livemessage_agent_transfer_session.htm",
            ),
            Self::RoutingAndConsent => (
                "Configure Partner-Owned Routing and Consent",
                "https://developer.salesforce.com/docs/service/messaging-byoc-ccaas/guide/configure-partner-routing-consent.html",
            ),
            Self::Route => (
                "Route a Conversation",
                "https://developer.salesforce.com/docs/service/interaction-service-api/references/interaction-service-reference/api-route.html",
            ),
            Self::RoutingResult => (
                "Track the Routing Status of a Conversation",
                "https://developer.salesforce.com/docs/service/interaction-service-api/references/interaction-service-reference/api-routingResult.html",
            ),
            Self::Ours => ("Decisions", "decisions.md"),
        }
    }
}
