//! What of an org's set-up can be read with the token: whether its user may take offers back, and whether queues,
//! reps and the channel definition are there as we have them.
//!
//! Read by Salesforce's REST API, which wants the scope `api`; a token without it is no mistake, for the connector
//! itself does without. Then it is said what to look at by hand. Of the org a handful of questions is asked, and
//! they hold ids that were checked, never text from outside.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::{Finding, Step};
use crate::config::Org;
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::{QueueId, RepId};
use crate::org::{Api, Error, OrgReader, Soql};
use crate::outbound::{http_for, is_loopback, without_slashes};
use crate::service::OrgPlan;

/// How long the emulator may take to say that it is one.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many ids one question names.
const MOST_IDS: usize = 100;

/// What stands in for a look by ourselves.
const BY_HAND: &str = "check by hand that the integration user is an administrator, or has Edit on AgentWork and a role \
    above those of the reps: else every cancel fails, and reps go on ringing; in Setup also Omni-Channel (Skills-Based and \
    Direct-to-Agent Routing), Messaging Session among the queues' objects, Run Flows for the user, and the reps' Messaging \
    User licence. With the scope api in the app, doctor sees most of that for itself";

/// Looks at one org, whose token is there.
pub(super) async fn look(org: &Org, plan: &OrgPlan) -> Vec<Finding> {
    let Some(rest) = &plan.reader else {
        let problem = not_read("instance_url is not a valid URL");
        return vec![Finding::look(&org.place, Step::Rights, problem, BY_HAND)];
    };
    if is_emulator(&org.instance_url).await {
        let found = "this is byoc emulator: it has no users, queues or permissions to check; run doctor against an org";
        return vec![Finding::fine(&org.place, Step::Rights, found)];
    }
    let rights = rights(rest, org).await;
    let can_read = rights.ok && rights.advice.as_deref() != Some(BY_HAND);
    let mut findings = vec![rights];
    // Where the first question is not answered, the others are not either.
    if can_read {
        findings.extend(queues(rest, org).await);
        findings.extend(reps(rest, org).await);
        for definition in &org.channels {
            findings.push(same_definition(rest, org, definition).await);
        }
    }
    findings
}

fn not_read(problem: &str) -> String {
    format!("whether the user may update AgentWork could not be read: {problem}")
}

/// Whether the user may update AgentWork: without it no offer can be taken back.
async fn rights(reader: &OrgReader, org: &Org) -> Finding {
    const EDIT: &str = "make the integration user an administrator, or give it Edit on AgentWork and a role above those \
        of the reps; without it every cancel fails, and reps go on ringing";
    let place = &org.place;
    let described = match reader.rest().get("/sobjects/AgentWork/describe").await {
        Ok(described) => described,
        Err(Error::Hidden) => {
            let found = format!("the user {} cannot see AgentWork", org.username);
            return Finding::problem(place, Step::Rights, found, EDIT);
        }
        Err(problem) => {
            return Finding::look(place, Step::Rights, not_read(&problem.to_string()), BY_HAND);
        }
    };
    match described.get("updateable").and_then(Value::as_bool) {
        Some(true) => {}
        Some(false) => {
            let found = format!("the user {} may not update AgentWork", org.username);
            return Finding::problem(place, Step::Rights, found, EDIT);
        }
        None => return Finding::look(place, Step::Rights, not_read("Salesforce does not say"), BY_HAND),
    }
    let question = Soql::new("SELECT PermissionsModifyAllData FROM UserPermissionAccess").at_most(1);
    let all = reader.rest().rows::<Value>(Api::Data, &question).await;
    let may_all = all.ok().and_then(|rows| rows.first()?.get("PermissionsModifyAllData")?.as_bool());
    if may_all == Some(true) {
        return Finding::fine(place, Step::Rights, format!("the user {} may update AgentWork", org.username));
    }
    let found =
        format!("the user {} may update AgentWork of reps below it in the role hierarchy", org.username);
    let advice = "check in Setup, Roles, that the user's role is above those of all reps: offers to other reps cannot be \
        cancelled";
    Finding::look(place, Step::Rights, found, advice)
}

/// Whether the queues are there, and take messaging sessions.
async fn queues(reader: &OrgReader, org: &Org) -> Option<Finding> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        queue_id: QueueId,
    }
    let ids: BTreeSet<QueueId> = org.roster.queues.iter().map(|queue| queue.id).take(MOST_IDS).collect();
    if ids.is_empty() {
        return None;
    }
    let question = Soql::new("SELECT QueueId FROM QueueSobject")
        .and("SobjectType = 'MessagingSession'")
        .among("QueueId", ids.iter().copied());
    let rows = reader.rest().rows::<Row>(Api::Data, &question).await;
    let found = rows.map(|rows| rows.into_iter().map(|row| row.queue_id).collect::<BTreeSet<_>>());
    let missing = found.map(|found| ids.difference(&found).map(QueueId::to_18).collect());
    let advice = "check the ids, and that the queues have Messaging Session among their supported objects";
    Some(compared(org, Step::Queues, ("queue", ids.len()), missing, advice))
}

/// Whether the reps are there, and active.
async fn reps(reader: &OrgReader, org: &Org) -> Option<Finding> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        id: RepId,
    }
    let ids: BTreeSet<RepId> = org.roster.reps.iter().map(|rep| rep.id).take(MOST_IDS).collect();
    if ids.is_empty() {
        return None;
    }
    let question = Soql::new("SELECT Id FROM User").and("IsActive = true").among("Id", ids.iter().copied());
    let rows = reader.rest().rows::<Row>(Api::Data, &question).await;
    let found = rows.map(|rows| rows.into_iter().map(|row| row.id).collect::<BTreeSet<_>>());
    let missing = found.map(|found| ids.difference(&found).map(RepId::to_18).collect());
    let advice = "check the ids, and that the users are active and have the Messaging User licence";
    Some(compared(org, Step::Reps, ("rep", ids.len()), missing, advice))
}

fn compared(
    org: &Org,
    step: Step,
    (what, count): (&str, usize),
    missing: Result<Vec<String>, Error>,
    advice: &str,
) -> Finding {
    match missing {
        Ok(missing) if missing.is_empty() => {
            let plural = if count == 1 { "" } else { "s" };
            Finding::fine(&org.place, step, format!("the org has all {count} configured {what}{plural}"))
        }
        Ok(missing) => {
            let shown: Vec<&str> = missing.iter().map(String::as_str).take(10).collect();
            let found = format!("{} {what}(s) not found, such as {}", missing.len(), shown.join(", "));
            Finding::problem(&org.place, step, found, advice)
        }
        Err(problem) => {
            Finding::look(&org.place, step, format!("the {what}s could not be read: {problem}"), advice)
        }
    }
}

/// Whether the org's channel definition says what ours does. It can be read with Customize Application alone.
async fn same_definition(reader: &OrgReader, org: &Org, ours: &ChannelDefinition) -> Finding {
    let name = ours.developer_name.as_deref().unwrap_or_default();
    let place = format!("{}, {name}", org.place);
    let look = |problem: &str| {
        let found = format!("cannot compare with the org's channel definition: {problem}");
        let advice = "compare by hand, or give the user Customize Application while doctor runs";
        Finding::look(&place, Step::Channel, found, advice)
    };
    let theirs = match reader.definition(name).await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return look("not found in the org"),
        Err(Error::Hidden) => return look("the user cannot see it"),
        Err(problem) => return look(&problem.to_string()),
    };
    let differences = differences(ours, &theirs);
    if differences.is_empty() {
        return Finding::fine(&place, Step::Channel, "it matches the org's channel definition");
    }
    let advice = "the org's value applies: correct the configuration, or the org";
    Finding::problem(&place, Step::Channel, differences.join("; "), advice)
}

/// In what they differ, in words.
fn differences(ours: &ChannelDefinition, theirs: &ChannelDefinition) -> Vec<String> {
    let field = |field: Option<&str>| field.unwrap_or("not set").to_owned();
    let event = |definition: &ChannelDefinition| field(definition.custom_platform_event.as_deref());
    let rows = [
        ("RoutingOwner", ours.routing_owner.as_str().to_owned(), theirs.routing_owner.as_str().to_owned()),
        (
            "IsConferenceSupported",
            ours.is_conference_supported.to_string(),
            theirs.is_conference_supported.to_string(),
        ),
        (
            "EventCapabilitiesIsRoutingWorkResultSupported",
            ours.is_routing_work_result_supported.to_string(),
            theirs.is_routing_work_result_supported.to_string(),
        ),
        ("CustomPlatformEvent", event(ours), event(theirs)),
        ("CustomEventTypeField", field(ours.event_type_field()), field(theirs.event_type_field())),
        ("CustomEventPayloadField", field(ours.event_payload_field()), field(theirs.event_payload_field())),
    ];
    let differs = rows.into_iter().filter(|(_, ours, theirs)| ours != theirs);
    differs.map(|(name, ours, theirs)| format!("{name} is {theirs} in the org and {ours} here")).collect()
}

/// Whether `byoc emulator` is there. Nobody but this machine is asked, and without the token.
async fn is_emulator(instance_url: &str) -> bool {
    let base = without_slashes(instance_url);
    let Some(url) = Url::parse(base).ok().filter(is_loopback) else { return false };
    let Ok(http) = http_for(&url).timeout(PATIENCE).build() else { return false };
    let Ok(told) = http.get(format!("{base}/emulator/v1")).send().await else { return false };
    let said = told.bytes().await.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok());
    said.is_some_and(|said| said.get("name").and_then(Value::as_str) == Some("byoc emulator"))
}
