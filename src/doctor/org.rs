//! What of an org's set-up can be read with the token: whether its user may take offers back, and whether queues,
//! reps and the channel definition are there as we have them.
//!
//! Read by Salesforce's REST API, which wants the scope `api`; a token without it is no mistake, for the connector
//! itself does without. Then it is said what to look at by hand. Of the org a handful of questions is asked, and
//! they hold ids that were checked, never text from outside.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use super::{Finding, Step};
use crate::config::Org;
use crate::interaction::{AccessToken, TokenSource as _};
use crate::model::channel_definition::ChannelDefinition;
use crate::outbound::{http_for, in_full, is_loopback, secret_worthy_url, without_slashes};
use crate::service::OrgPlan;

/// The version of the REST API: the first that has the update of AgentWork by the Interaction Service.
const API: &str = "/services/data/v64.0";

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large an answer may be. A description of AgentWork has some 100 KiB.
const LARGEST: usize = 4 << 20;

/// How many ids one question names.
const MOST_IDS: usize = 100;

/// What stands in for a look by ourselves.
const BY_HAND: &str = "check by hand that the integration user is an administrator, or has Edit on AgentWork and a role \
    above those of the reps: else every cancel fails, and reps go on ringing; in Setup also Omni-Channel (Skills-Based and \
    Direct-to-Agent Routing), Messaging Session among the queues' objects, Run Flows for the user, and the reps' Messaging \
    User licence. With the scope api in the app, doctor sees most of that for itself";

/// Why something could not be read.
enum NotRead {
    /// Salesforce does not have it, or does not show it to this user.
    Hidden,
    /// The token is not good for this, or something else is wrong.
    Other(String),
}

/// The org's REST API.
struct RestApi {
    base: String,
    http: reqwest::Client,
    token: AccessToken,
}

/// Looks at one org, whose token is there.
pub(super) async fn look(org: &Org, plan: &OrgPlan) -> Vec<Finding> {
    let rest = match RestApi::new(org, plan).await {
        Ok(rest) => rest,
        Err(problem) => return vec![Finding::look(&org.place, Step::Rights, not_read(&problem), BY_HAND)],
    };
    if rest.is_emulator().await {
        let found = "this is byoc emulator: it has no users, queues or permissions to check; run doctor against an org";
        return vec![Finding::fine(&org.place, Step::Rights, found)];
    }
    let rights = rights(&rest, org).await;
    let can_read = rights.ok && rights.advice.as_deref() != Some(BY_HAND);
    let mut findings = vec![rights];
    // Where the first question is not answered, the others are not either.
    if can_read {
        findings.extend(queues(&rest, org).await);
        findings.extend(reps(&rest, org).await);
        for definition in &org.channels {
            findings.push(same_definition(&rest, org, definition).await);
        }
    }
    findings
}

fn not_read(problem: &str) -> String {
    format!("whether the user may update AgentWork could not be read: {problem}")
}

/// Whether the user may update AgentWork: without it no offer can be taken back.
async fn rights(rest: &RestApi, org: &Org) -> Finding {
    const EDIT: &str = "make the integration user an administrator, or give it Edit on AgentWork and a role above those \
        of the reps; without it every cancel fails, and reps go on ringing";
    let place = &org.place;
    let described = match rest.get("/sobjects/AgentWork/describe").await {
        Ok(described) => described,
        Err(NotRead::Hidden) => {
            let found = format!("the user {} cannot see AgentWork", org.username);
            return Finding::problem(place, Step::Rights, found, EDIT);
        }
        Err(NotRead::Other(problem)) => {
            return Finding::look(place, Step::Rights, not_read(&problem), BY_HAND);
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
    let all = rest.query("SELECT PermissionsModifyAllData FROM UserPermissionAccess LIMIT 1").await;
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
async fn queues(rest: &RestApi, org: &Org) -> Option<Finding> {
    let ids: BTreeSet<String> = org.roster.queues.iter().map(|queue| queue.id.to_18()).collect();
    let question = "SELECT QueueId FROM QueueSobject WHERE SobjectType = 'MessagingSession' AND QueueId IN ";
    let found = rest.among(question, "QueueId", &ids).await?;
    let advice = "check the ids, and that the queues have Messaging Session among their supported objects";
    Some(compared(org, Step::Queues, ("queue", ids.len().min(MOST_IDS)), found, advice))
}

/// Whether the reps are there, and active.
async fn reps(rest: &RestApi, org: &Org) -> Option<Finding> {
    let ids: BTreeSet<String> = org.roster.reps.iter().map(|rep| rep.id.to_18()).collect();
    let found = rest.among("SELECT Id FROM User WHERE IsActive = true AND Id IN ", "Id", &ids).await?;
    let advice = "check the ids, and that the users are active and have the Messaging User licence";
    Some(compared(org, Step::Reps, ("rep", ids.len().min(MOST_IDS)), found, advice))
}

fn compared(
    org: &Org,
    step: Step,
    (what, count): (&str, usize),
    missing: Result<Vec<String>, String>,
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
async fn same_definition(rest: &RestApi, org: &Org, ours: &ChannelDefinition) -> Finding {
    let name = ours.developer_name.as_deref().unwrap_or_default();
    let place = format!("{}, {name}", org.place);
    let look = |problem: &str| {
        let found = format!("cannot compare with the org's channel definition: {problem}");
        let advice = "compare by hand, or give the user Customize Application while doctor runs";
        Finding::look(&place, Step::Channel, found, advice)
    };
    let theirs = match rest.definition(name).await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return look("not found in the org"),
        Err(NotRead::Hidden) => return look("the user cannot see it"),
        Err(NotRead::Other(problem)) => return look(&problem),
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

/// An answer, unless it is too large.
async fn fetch(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), NotRead> {
    let other = |error: reqwest::Error| NotRead::Other(in_full(&error.without_url()));
    let mut response = request.send().await.map_err(other)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(other)? {
        if body.len().saturating_add(chunk.len()) > LARGEST {
            return Err(NotRead::Other("the answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

impl RestApi {
    async fn new(org: &Org, plan: &OrgPlan) -> Result<Self, String> {
        let token = plan.tokens.token().await.map_err(|error| error.problem())?;
        let base = without_slashes(&org.instance_url).to_owned();
        let url = secret_worthy_url(&base).map_err(|error| error.to_string())?;
        let http = http_for(&url).timeout(PATIENCE).build().map_err(|error| in_full(&error))?;
        Ok(Self { base, http, token })
    }

    /// Whether `byoc emulator` is there. Nobody but this machine is asked, and without the token.
    async fn is_emulator(&self) -> bool {
        if !Url::parse(&self.base).is_ok_and(|url| is_loopback(&url)) {
            return false;
        }
        let told = fetch(self.http.get(format!("{}/emulator/v1", self.base))).await;
        let said = told.ok().and_then(|(_, body)| serde_json::from_slice::<Value>(&body).ok());
        said.is_some_and(|said| said.get("name").and_then(Value::as_str) == Some("byoc emulator"))
    }

    async fn get(&self, path: &str) -> Result<Value, NotRead> {
        self.ask(&format!("{}{API}{path}", self.base)).await
    }

    async fn ask(&self, url: &str) -> Result<Value, NotRead> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Said {
            error_code: String,
        }
        let (status, body) = fetch(self.http.get(url).bearer_auth(self.token.expose())).await?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|_| NotRead::Other(format!("{} is not an org", self.base)));
        }
        let said: Vec<Said> = serde_json::from_slice(&body).unwrap_or_default();
        match said.first().map(|said| said.error_code.as_str()) {
            Some("NOT_FOUND" | "INVALID_TYPE") => Err(NotRead::Hidden),
            Some(
                "INVALID_SESSION_ID"
                | "INSUFFICIENT_ACCESS"
                | "API_DISABLED_FOR_ORG"
                | "FUNCTIONALITY_NOT_ENABLED",
            ) => Err(NotRead::Other(format!(
                "HTTP {}: the REST API rejects the token: it needs the scope api in the app, and API Enabled \
                     for the user",
                status.as_u16()
            ))),
            Some(code) => {
                let code: String = code.chars().filter(char::is_ascii_graphic).take(60).collect();
                Err(NotRead::Other(format!("HTTP {}: {code}", status.as_u16())))
            }
            None => Err(NotRead::Other(format!("HTTP {}", status.as_u16()))),
        }
    }

    async fn records(&self, path: &str, question: &str) -> Result<Vec<Value>, NotRead> {
        let mut url = Url::parse(&format!("{}{API}{path}", self.base))
            .map_err(|_| NotRead::Other("instance_url is not a valid URL".to_owned()))?;
        url.query_pairs_mut().append_pair("q", question);
        match self.ask(url.as_str()).await?.get_mut("records").map(Value::take) {
            Some(Value::Array(records)) => Ok(records),
            _ => Err(NotRead::Other("the answer has no records".to_owned())),
        }
    }

    async fn query(&self, question: &str) -> Result<Vec<Value>, NotRead> {
        self.records("/query", question).await
    }

    /// The channel definition of that developer name, with the partner's prefix or without.
    async fn definition(&self, name: &str) -> Result<Option<ChannelDefinition>, NotRead> {
        let question = "SELECT Id, DeveloperName FROM ConversationChannelDefinition LIMIT 200";
        let rows = self.records("/tooling/query", question).await?;
        let text = |row: &Value, field: &str| row.get(field)?.as_str().map(str::to_owned);
        let is_it = |row: &&Value| {
            let bare = text(row, "DeveloperName").unwrap_or_default();
            !bare.is_empty() && (name == bare || name.ends_with(&format!("_{bare}")))
        };
        let id = rows.iter().find(is_it).and_then(|row| text(row, "Id"));
        // It becomes part of a path.
        let Some(id) = id.filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric())) else { return Ok(None) };
        let row = self.get(&format!("/tooling/sobjects/ConversationChannelDefinition/{id}")).await?;
        ChannelDefinition::from_tooling_json(&row.to_string())
            .map(Some)
            .map_err(|error| NotRead::Other(error.to_string()))
    }

    /// Those of the ids that are not in what a question finds. None where there are no ids.
    async fn among(
        &self,
        question: &str,
        field: &str,
        ids: &BTreeSet<String>,
    ) -> Option<Result<Vec<String>, String>> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).take(MOST_IDS).collect();
        if ids.is_empty() {
            return None;
        }
        let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        let rows = match self.query(&format!("{question}({})", list.join(","))).await {
            Ok(rows) => rows,
            Err(NotRead::Hidden) => return Some(Err("the user cannot see them".to_owned())),
            Err(NotRead::Other(problem)) => return Some(Err(problem)),
        };
        let there: BTreeSet<&str> = rows.iter().filter_map(|row| row.get(field)?.as_str()).collect();
        Some(Ok(ids.into_iter().filter(|id| !there.contains(id)).map(str::to_owned).collect()))
    }
}
