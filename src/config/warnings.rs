//! What is legal in a configuration, and cannot work, or not as somebody will expect.
//!
//! Each of these has cost somebody a day: nothing is refused, and nothing happens. Told by `serve --check`, at every
//! start, and by `doctor`. Nobody is asked; what an org says is `doctor`'s business.

use std::collections::BTreeSet;
use std::fmt;

use reqwest::Url;
use serde::Serialize;

use super::{Org, Serving};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::QueueId;
use crate::model::words::RoutingOwner;
use crate::outbound::is_loopback;
use crate::routing::{Policy, Ring};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The key, `org.audience`, `orgs[1].reps[3].queues`.
    pub key: String,
    /// What is so, what follows from it, and what would be right.
    pub problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// What follows where `EventCapabilitiesIsRoutingWorkResultSupported` is off.
pub(crate) const DECLINES_NOT_HEARD: &str = "declines come only from the connector page, not from the platform event; \
    without an open page an offer rings until it times out";

/// What to do about it.
pub(crate) const DECLINES_HINT: &str = "set EventCapabilitiesIsRoutingWorkResultSupported to true, here and in the org \
    (older definitions call it IsRoutingWorkResultEnabled)";

/// How many participants make a conference: more than an end user and a rep.
const FEWEST_OF_A_CONFERENCE: u32 = 3;

/// How many warnings of one kind are told one by one.
const MOST_OF_A_KIND: usize = 5;

impl Serving {
    /// What is legal here and cannot work.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Warnings(Vec::new());
        for org in &self.orgs {
            warnings.of_addresses(org);
            for definition in &org.channels {
                warnings.of_channel(self, org, definition);
            }
            warnings.of_roster(org);
        }
        warnings.of_routing(&self.config.routing);
        warnings.of_finders(self);
        warnings.of_server(self);
        warnings.0
    }
}

struct Warnings(Vec<Warning>);

impl Warnings {
    fn tell(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Warning { key: key.into(), problem: problem.into() });
    }

    fn of_addresses(&mut self, org: &Org) {
        let place = &org.place;
        let key = |name: &str| format!("{place}.{name}");
        if let Some(audience) = &org.audience {
            match Url::parse(audience) {
                Err(_) => self.tell(
                    key("audience"),
                    format!("it is '{audience}', which has no scheme; Salesforce expects a URL, such as https://{audience}"),
                ),
                Ok(url) if url.path() != "/" => self.tell(
                    key("audience"),
                    format!("it is {audience}; an audience has no path; paths belong in token_url"),
                ),
                Ok(_) => {}
            }
        }
        let token_path = org.token_url.as_deref().and_then(|url| Url::parse(url).ok());
        if let Some(url) = token_path.filter(|url| !url.path().ends_with("/token")) {
            let problem = format!("its path is {}; the token endpoint is /services/oauth2/token", url.path());
            self.tell(key("token_url"), problem);
        }
        let (Some(instance), Some(calls)) = (host(&org.instance_url), host(&org.interaction_url)) else {
            return;
        };
        let wanted = "it must be https://{my-domain}.my.salesforce.com";
        if instance.ends_with(".lightning.force.com") || is_login_host(&instance) {
            self.tell(
                key("instance_url"),
                format!("it is {instance}, which is not an org's own address; {wanted}"),
            );
        }
        if let Some(domain) = instance.strip_suffix(".my.salesforce.com") {
            let right = format!("{domain}.my.salesforce-scrt.com");
            if calls != right {
                let problem = format!("it is {calls}; from instance_url it should be {right}");
                self.tell(key("interaction_url"), problem);
            }
            let is_sandbox = domain.ends_with(".sandbox");
            let audience = org.audience.as_deref().unwrap_or("https://login.salesforce.com");
            if is_sandbox && audience == "https://login.salesforce.com" {
                let problem = format!(
                    "it is {audience}, and the org is a sandbox; set it to {} (External Client App) or \
                     https://test.salesforce.com (connected app)",
                    org.instance_url
                );
                self.tell(key("audience"), problem);
            }
        }
    }

    fn of_channel(&mut self, serving: &Serving, org: &Org, definition: &ChannelDefinition) {
        let name = definition.developer_name.as_deref().unwrap_or_default();
        let key = |field: &str| format!("{}, {name}, {field}", org.place);
        if definition.routing_owner != RoutingOwner::Partner {
            let problem = "it is Salesforce: Salesforce routes these requests, and the connector ignores them; set it to \
                           Partner, here and in the org";
            self.tell(key("RoutingOwner"), problem);
            return;
        }
        if !definition.is_conference_supported {
            let problem = "it is false: no rep can start a conference; set it to true, here and in the org";
            self.tell(key("IsConferenceSupported"), problem);
        }
        if !definition.is_routing_work_result_supported {
            let problem = format!("it is false: {DECLINES_NOT_HEARD}; {DECLINES_HINT}");
            self.tell(key("EventCapabilitiesIsRoutingWorkResultSupported"), problem);
        }
        let limit = definition.participant_limit(serving.config.platform_participant_limit);
        if let Some(limit) = limit.filter(|limit| *limit < FEWEST_OF_A_CONFERENCE) {
            let problem = format!(
                "the limit of participants is {limit}, the end user included: there is no room for a second rep; set \
                 {FEWEST_OF_A_CONFERENCE} or more"
            );
            self.tell(key("MaxParticipantsForCnfrOverride"), problem);
        }
        let event = definition.custom_platform_event.as_deref().unwrap_or_default();
        let prefix = event.trim_end_matches("__e").split_once("__").map(|(prefix, _)| format!("{prefix}__"));
        let fields = [
            ("CustomEventTypeField", definition.event_type_field()),
            ("CustomEventPayloadField", definition.event_payload_field()),
        ];
        for (field, value) in fields {
            let (Some(value), Some(prefix)) = (value, &prefix) else { continue };
            if !value.starts_with(prefix.as_str()) {
                let problem = format!(
                    "it is {value}, without the namespace of {event}; the field is probably {prefix}{value}"
                );
                self.tell(key(field), problem);
            }
        }
    }

    fn of_roster(&mut self, org: &Org) {
        let roster = &org.roster;
        let queues: BTreeSet<QueueId> = roster.queues.iter().map(|queue| queue.id).collect();
        let at = if org.place == "org" { String::new() } else { format!("{}.", org.place) };
        let reps =
            roster.reps.iter().enumerate().flat_map(|(n, rep)| {
                rep.queues.iter().map(move |queue| (format!("reps[{n}].queues"), *queue))
            });
        let flows = roster.flows.iter().enumerate();
        let flows = flows.filter_map(|(n, flow)| Some((format!("flows[{n}].queue"), flow.queue?)));
        let unknown: Vec<_> = reps.chain(flows).filter(|(_, queue)| !queues.contains(queue)).collect();
        for (key, queue) in unknown.iter().take(MOST_OF_A_KIND) {
            let problem =
                format!("queue {queue} is not in [[queues]]: reps cannot pick it; add it, or correct the id");
            self.tell(format!("{at}{key}"), problem);
        }
        if unknown.len() > MOST_OF_A_KIND {
            let more = unknown.len().saturating_sub(MOST_OF_A_KIND);
            self.tell(
                format!("{at}queues"),
                format!("{more} more reps or flows name queues that are not in [[queues]]"),
            );
        }
    }

    fn of_routing(&mut self, policy: &Policy) {
        if policy.ring == Ring::All && policy.ring_all_at_most == 1 {
            let problem = "it is 1 although ring is all: reps ring one at a time; set it to 2 or more";
            self.tell("routing.ring_all_at_most", problem);
        }
    }

    fn of_finders(&mut self, serving: &Serving) {
        let webhooks = &serving.webhooks;
        let can_be_told = serving.server.has_partner_credential() || serving.server.is_loopback();
        if can_be_told {
            return;
        }
        for org in serving.orgs.iter().filter(|org| org.roster.reps.is_empty()) {
            if webhooks.rep_finder_url.is_none() {
                let problem = "there are no reps, no webhooks.rep_finder_url, and no events_secret_file or [[partner_keys]] with \
                               which your backend could add reps: no rep is ever found";
                self.tell(format!("{}, reps", org.place), problem);
            }
        }
    }

    fn of_server(&mut self, serving: &Serving) {
        let server = &serving.server;
        if !server.is_loopback() && server.allowed_origins.is_empty() {
            let problem = "it is empty, and other machines can reach the server: no site may show the connector page in a \
                           frame, so Salesforce cannot load it; add Salesforce's origins, such as \
                           https://acme.lightning.force.com";
            self.tell("server.allowed_origins", problem);
        }
        for org in serving.orgs.iter().filter(|_| !server.allowed_origins.is_empty()) {
            let domain = host(&org.instance_url)
                .and_then(|host| host.strip_suffix(".my.salesforce.com").map(str::to_owned));
            let Some(page) = domain.map(|domain| format!("https://{domain}.lightning.force.com")) else {
                continue;
            };
            if !server.allowed_origins.iter().any(|origin| origin.as_str() == page) {
                let problem = format!(
                    "{page} is not in the list; by {}.instance_url reps work there, and their browsers refuse the \
                     connector page",
                    org.place
                );
                self.tell("server.allowed_origins", problem);
            }
        }
        if server.login_url.is_some() && server.session.is_none() {
            let problem =
                "it is set without session_secret_file or session_jwks_url: its tokens are not checked";
            self.tell("server.login_url", problem);
        }
    }
}

fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if is_loopback(&url) { None } else { url.host_str().map(str::to_owned) }
}

fn is_login_host(host: &str) -> bool {
    host == "login.salesforce.com" || host == "test.salesforce.com"
}
