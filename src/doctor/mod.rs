//! Asks an org, step by step, why it refuses: may we in, does it know the channel, do its events come with the
//! fields that we read.
//!
//! Invariants
//! 1. Nothing is changed in the org: of its operations, one is called that has nothing to do, and its REST API is
//!    only read.
//! 2. No token and no key is in what is found.
//!
//! Elsewhere: what is wrong with the configuration itself is told by `config` before anybody is asked.

mod finding;
mod here;
mod login;
mod org;
#[cfg(feature = "server")]
mod partner;
mod words;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use finding::{Finding, Step};
pub use here::here;
#[cfg(feature = "server")]
pub use partner::partner;
use uuid::Uuid;

use crate::config::{DECLINES_HINT, DECLINES_NOT_HEARD, Org};
use crate::events::pubsub::{NotDescribed, PubSub, TopicDescription};
use crate::interaction::{Attempt, Client, Exchanged, Failure, Witness, said};
use crate::model::call::UpdateAgentWork;
use crate::model::channel_definition::ChannelDefinition;
use crate::model::error_codes::ErrorCode;
use crate::model::ids::AgentWorkId;
use crate::model::time::Clock;
use crate::model::words::RoutingOwner;
use crate::outbound::Body;
use crate::service::OrgPlan;

/// An agent work that no org has: it is asked to be cancelled, and the answer shows that Salesforce understood.
const NO_WORK: &str = "0Bz000000000000";

/// How long the Interaction Service may take; what cannot be reached is tried again for as long.
const PATIENCE: Duration = Duration::from_secs(8);

/// Looks at one org. `org` and `plan` are the same one's.
pub async fn examine(org: &Org, plan: &OrgPlan, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = vec![login::clock(org, &**clock).await];
    let token = login::token(org, plan).await;
    let let_in = token.ok;
    findings.push(token);
    if let_in {
        findings.extend(org::look(org, plan).await);
    }
    for definition in &org.channels {
        let place = format!("{}, {}", org.place, definition.developer_name.as_deref().unwrap_or_default());
        findings.push(channel(&place, definition));
        // Without a token there is no answer but that.
        if let_in {
            findings.push(calls(&place, org, plan, definition, clock).await);
            findings.push(events(&place, plan.pubsub.as_ref(), definition).await);
        }
    }
    findings
}

/// What the definition says of itself.
fn channel(place: &str, definition: &ChannelDefinition) -> Finding {
    if definition.routing_owner != RoutingOwner::Partner {
        let found =
            "RoutingOwner is Salesforce: Salesforce routes these requests, and the connector ignores them";
        return Finding::problem(
            place,
            Step::Channel,
            found,
            "set RoutingOwner to Partner, here and in the org",
        );
    }
    if !definition.is_conference_supported {
        let found = "IsConferenceSupported is false: reps cannot start a conference";
        let advice = "set IsConferenceSupported to true, here and in the org";
        return Finding::problem(place, Step::Channel, found, advice);
    }
    if !definition.is_routing_work_result_supported {
        return Finding::look(place, Step::Channel, DECLINES_NOT_HEARD, DECLINES_HINT);
    }
    Finding::fine(place, Step::Channel, "the partner routes, and conferences are supported")
}

/// The last answer.
#[derive(Debug, Clone, Copy)]
struct Answered {
    status: u16,
    code: Option<ErrorCode>,
    body: Body,
}

impl Answered {
    /// Whether something else than Salesforce's service must have said that.
    fn is_foreign(self) -> bool {
        self.code.is_none() && (self.status == 404 || matches!(self.body, Body::Html | Body::Other))
    }
}

/// Keeps it.
#[derive(Debug, Default)]
struct LastAnswer(Mutex<Option<Answered>>);

impl LastAnswer {
    fn get(&self) -> Option<Answered> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for LastAnswer {
    fn exchanged(&self, exchange: &Exchanged<'_>) {
        #[derive(serde::Deserialize)]
        struct Coded {
            code: u32,
        }
        let code = serde_json::from_slice::<Coded>(exchange.body).ok().map(|body| ErrorCode(body.code));
        let body = Body::of(exchange.body);
        let answer = exchange.status.map(|status| Answered { status, code, body });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}

/// Whether a call is understood: that there is nothing to cancel is known only to who took token, org and channel.
async fn calls(
    place: &str,
    org: &Org,
    plan: &OrgPlan,
    definition: &ChannelDefinition,
    clock: &Arc<dyn Clock>,
) -> Finding {
    let at = &org.interaction_url;
    let problem = |found: String, advice: &str| Finding::problem(place, Step::Calls, found, advice);
    let answer = Arc::new(LastAnswer::default());
    let name = definition.developer_name.as_deref().unwrap_or_default();
    let client = Client::builder(at, org.id, name, Arc::new(plan.tokens.clone()))
        .clock(Arc::clone(clock))
        .witness(Arc::<LastAnswer>::clone(&answer))
        .build();
    let (client, work) = match (client, AgentWorkId::parse(NO_WORK)) {
        (Ok(client), Ok(work)) => (client, work),
        (Err(error), _) => return problem(error.to_string(), words::ADDRESS),
        (_, Err(error)) => return problem(error.to_string(), words::ADDRESS),
    };
    let attempt = Attempt { request_id: Uuid::new_v4(), give_up_at: clock.now() + PATIENCE };
    let done = client.make(attempt, UpdateAgentWork::cancel(work)).await;
    let not_salesforce = |foreign: Answered| {
        let kind = match foreign.body {
            Body::Html => "an HTML page",
            _ => "no code",
        };
        let status = foreign.status;
        let found = format!("{at} is not the Interaction Service: HTTP {status}, {kind}");
        problem(found, words::ADDRESS)
    };
    match (done, answer.get()) {
        (Ok(()) | Err(Failure::Lost(_)), Some(foreign)) if foreign.is_foreign() => not_salesforce(foreign),
        (Err(Failure::Refused(_)), Some(foreign)) if foreign.is_foreign() && foreign.status == 404 => {
            not_salesforce(foreign)
        }
        (Ok(()), _) => {
            let found = format!("{at} accepts the token, the org and the channel definition {name}");
            Finding::fine(place, Step::Calls, found)
        }
        (Err(Failure::Refused(refusal)), _) => {
            let code = refusal.code.map(ErrorCode);
            let meaning = code.map_or_else(String::new, |code| format!("{code}: {} ", code.meaning()));
            let found = format!("{at}: {meaning}({})", said(&refusal));
            problem(found, code.map_or(words::ADDRESS, ErrorCode::advice))
        }
        (Err(failure @ Failure::Lost(_)), _) => problem(format!("{at}: {failure}"), words::ADDRESS),
    }
}

/// Whether there is a stream to read, and whether its events have what we read of them.
async fn events(place: &str, pubsub: Option<&PubSub>, definition: &ChannelDefinition) -> Finding {
    let problem = |found: String, advice: &str| Finding::problem(place, Step::Events, found, advice);
    let (Some(pubsub), Some(topic)) = (pubsub, definition.topic()) else {
        return problem("no platform event is configured".to_owned(), words::EVENT);
    };
    let TopicDescription { can_subscribe, fields } = match pubsub.describe(&topic).await {
        Ok(described) => described,
        Err(error) => {
            let advice = match error {
                NotDescribed::Unknown(_) => words::EVENT,
                NotDescribed::TokenRefused(_) => words::TENANT,
                _ => words::PUBSUB,
            };
            return problem(format!("{topic}: {error}"), advice);
        }
    };
    if !can_subscribe {
        return problem(format!("the user may not subscribe to {topic}"), words::SUBSCRIBE);
    }
    let wanted = [definition.event_type_field(), definition.event_payload_field()];
    let missing: Vec<&str> =
        wanted.into_iter().flatten().filter(|name| !fields.iter().any(|field| field == name)).collect();
    if !missing.is_empty() {
        let own: Vec<&str> =
            fields.iter().map(String::as_str).filter(|field| field.ends_with("__c")).collect();
        let found = format!("{topic} has no {}; its fields are {}", missing.join(" and no "), own.join(", "));
        return problem(found, words::FIELDS);
    }
    Finding::fine(
        place,
        Step::Events,
        format!("the user may subscribe to {topic}, and its fields are present"),
    )
}
