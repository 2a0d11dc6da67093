//! Who may do what to which object: every endpoint that the router has, with every kind of caller, is answered as
//! the table in `docs/security.md` says. An endpoint without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use byoc_connector::people::RepChange;
use byoc_connector::server::{PartnerKey, Server, Settings};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::offered::{CY, OTHER_CHANNEL, Offered};
use super::rig::{BO, CHANNEL, EVENTS_SECRET, OPERATOR_SECRET, ORG, OTHER_ORG, guarded};
use super::sessions::{claims, token};

const KEY: &str = "key-0123456789-0123456789-0123456789-0123";
const OTHER_ORGS_KEY: &str = "other-org-0123456789-0123456789-0123456789";
const OTHER_CHANNELS_KEY: &str = "other-channel-0123456789-0123456789-0123";

fn key(secret: &str, org: &str, channels: &[&str]) -> PartnerKey {
    PartnerKey {
        name: "a key".to_owned(),
        secret: secret.to_owned().into(),
        orgs: vec![org.parse().unwrap()],
        channels: channels.iter().map(|&channel| channel.to_owned()).collect(),
    }
}

/// With every credential that there is.
pub(super) fn with_keys() -> Settings {
    let partner_keys = vec![
        key(KEY, ORG, &[]),
        key(OTHER_ORGS_KEY, OTHER_ORG, &[]),
        key(OTHER_CHANNELS_KEY, ORG, &[OTHER_CHANNEL]),
    ];
    Settings { partner_keys, ..guarded() }
}

/// The kinds of callers, as the table's columns name them, each with what it shows.
fn callers() -> Vec<(&'static str, Option<String>)> {
    let page = |rep: &str, org: &str, channel: &str| {
        Some(token(&json!({ "sub": rep, "org": org, "channel": channel })))
    };
    let other_secret = EncodingKey::from_secret(b"another-0123456789-0123456789-0123456789");
    let forged =
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(&json!({ "sub": BO })), &other_secret);
    vec![
        ("own page", page(BO, ORG, CHANNEL)),
        ("another rep's page", page(CY, ORG, CHANNEL)),
        ("page of another channel", page(BO, ORG, OTHER_CHANNEL)),
        ("page of another org", page(BO, OTHER_ORG, CHANNEL)),
        ("key for the org", Some(KEY.to_owned())),
        ("key for another org", Some(OTHER_ORGS_KEY.to_owned())),
        ("key for another channel", Some(OTHER_CHANNELS_KEY.to_owned())),
        ("the one secret", Some(EVENTS_SECRET.to_owned())),
        ("operator", Some(OPERATOR_SECRET.to_owned())),
        ("nobody", None),
        ("expired token", Some(token(&json!({ "sub": BO, "exp": 1_700_000_000 })))),
        ("forged token", Some(forged.unwrap())),
    ]
}

/// A row of the table: what is asked about, and the status for each kind of caller.
struct Row {
    method: Method,
    path: String,
    object: String,
    answers: BTreeMap<String, u16>,
}

fn table() -> Vec<Row> {
    let text = include_str!("../../../docs/security.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| request |"));
    let columns = cells(lines.next().expect("the table is there"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|row| {
        let request = row[0].trim_matches('`').to_owned();
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let answers = columns.iter().zip(&row).skip(2);
        Row {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            object: row[1].clone(),
            answers: answers.map(|(column, cell)| (column.clone(), cell.parse().unwrap())).collect(),
        }
    })
    .collect()
}

/// The body that speaks of the object; null where none is sent.
fn body(row: &Row, scene: &Offered) -> Value {
    match (row.path.as_str(), row.object.as_str()) {
        ("/v1/contacts", "a conversation's work item") => json!({ "workItemId": scene.work_item }),
        ("/v1/agent-work", "an offer to a rep") => {
            json!({ "workItemId": scene.work_item, "workId": scene.work, "workEvent": "ASSIGNED" })
        }
        ("/v1/presence", "the rep who speaks") => json!({ "availability": "AVAILABLE" }),
        ("/v1/presence", "a rep by name") => json!({ "availability": "AVAILABLE", "userId": BO }),
        ("/v1/conversations/{id}/end" | "/v1/conversations/{id}/inactivate", _) => {
            json!({ "channelAddressIdentifier": "chat", "endUserClientId": "eve", "by": "EndUser", "sessionId": scene.work_item })
        }
        ("/v1/contacts", "no work item")
        | ("/v1/events" | "/v1/unreadable-conversations/{id}/give-up", _) => json!({}),
        ("/v1/conversations", _) => {
            json!({ "channelAddressIdentifier": "harbour", "endUser": "customer-7", "text": "Hello" })
        }
        ("/v1/reps/{id}", _) if row.method == Method::PUT => json!({ "availability": "AVAILABLE" }),
        (path, object) => {
            let bare = ["/end", "/reload", "/try", "/resend", "/remove", "/close"]
                .iter()
                .any(|order| path.ends_with(order));
            assert!(
                bare || matches!(row.method, Method::GET | Method::DELETE),
                "no body is known for {path}: {object}"
            );
            Value::Null
        }
    }
}

fn path(row: &Row, scene: &Offered) -> String {
    let id = if row.path.starts_with("/v1/reps") { BO } else { scene.request.as_str() };
    let id = if row.path.starts_with("/v1/agent-work") { scene.work.as_str() } else { id };
    let path = row.path.replace("{id}", id).replace("{participant}", CY);
    // What is below `/v1` is asked about this channel by name, whoever asks.
    if path.starts_with("/v1/") { format!("{path}?org={ORG}&channel={CHANNEL}") } else { path }
}

#[tokio::test]
async fn each_caller_is_answered_as_the_table_says() {
    let scene = Offered::set(with_keys()).await;
    let callers = callers();
    let mut wrong = Vec::new();
    for row in table() {
        let named: BTreeSet<&str> = row.answers.keys().map(String::as_str).collect();
        assert_eq!(named, callers.iter().map(|(name, _)| *name).collect(), "the table's columns");
        for (caller, shown) in &callers {
            // Whoever was allowed to may have taken the rep out.
            let back = RepChange {
                name: Some("Bo".to_owned()),
                ..RepChange::to(byoc_connector::model::words::Availability::Available)
            };
            scene.people().set(BO.parse().unwrap(), back).unwrap();
            let mut ask = scene.rig.ask(row.method.clone(), &path(&row, &scene));
            if let Some(shown) = shown {
                ask = ask.bearer(shown);
            }
            let body = body(&row, &scene);
            let answer = if body.is_null() { ask.send().await } else { ask.json(&body).send().await };
            let status = answer.status.as_u16();
            if status != row.answers[*caller] {
                wrong.push(format!(
                    "{} {}, {}: {caller} is answered {status}, not {}: {}",
                    row.method, row.path, row.object, row.answers[*caller], answer.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_is_a_row_for_each_endpoint_and_none_for_what_is_not_there() {
    let of_router: BTreeSet<String> =
        Server::endpoints().iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
    let of_table: BTreeSet<String> =
        table().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(of_table, of_router, "docs/security.md, and the router");
}

#[tokio::test]
async fn what_a_browser_remembers_lets_no_other_page_change_anything() {
    use base64::Engine;
    let scene = Offered::set(with_keys()).await;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("anybody:{OPERATOR_SECRET}"));
    let for_operators = Server::endpoints();
    let changes = for_operators.iter().filter(|endpoint| {
        endpoint.caller == byoc_connector::server::Caller::Operator && !endpoint.method.is_safe()
    });
    for endpoint in changes {
        let path = endpoint.path.replace("{id}", scene.request.as_str());
        for (header, says) in [
            ("origin", "https://example.com"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let ask = scene
                .rig
                .ask(endpoint.method.clone(), &path)
                .header("authorization", &format!("Basic {basic}"));
            let answer = ask.header(header, says).json(&json!({})).send().await;
            let refused = (answer.status.as_u16(), answer.field());
            assert_eq!(refused, (403, &json!("Origin")), "{path}, {header}: {says}");
        }
    }
}
