//! The stand-in Salesforce console: a page where a person plays a rep, with the connector page in a frame.
//!
//! The page drives the org by the control API alone, and speaks to the connector page as Salesforce does:
//! over the message port of the npm package `scv-connector-base`. This module hands out its files, and the
//! names of people and places, which the model does not keep for queues.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};

use super::Emulator;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Where each file is served, what it is, and what is in it.
const FILES: [(&str, &str, &str); 9] = [
    ("/console", HTML, include_str!("console/console.html")),
    ("/console/console.css", CSS, include_str!("console/console.css")),
    ("/console/console.js", SCRIPT, include_str!("console/console.js")),
    ("/console/draw.js", SCRIPT, include_str!("console/draw.js")),
    ("/console/org.js", SCRIPT, include_str!("console/org.js")),
    ("/console/outcomes.js", SCRIPT, include_str!("console/outcomes.js")),
    ("/console/picker.js", SCRIPT, include_str!("console/picker.js")),
    ("/console/port.js", SCRIPT, include_str!("console/port.js")),
    ("/console/timeline.js", SCRIPT, include_str!("console/timeline.js")),
];

/// The connector page may be on any host; everything else comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; frame-src http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Emulator> {
    let mut router = Router::new().route("/console/names", get(names));
    for (path, content_type, text) in FILES {
        router = router.route(path, get(move || async move { file(content_type, text) }));
    }
    router
}

fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, text)
}

/// What reps, queues and flows are called, by id, as the emulator was started with them.
async fn names(State(emulator): State<Emulator>) -> Json<BTreeMap<String, String>> {
    let roster = &emulator.0.options.roster;
    let reps = roster.reps.iter().map(|it| (it.id.to_string(), it.name.clone()));
    let queues = roster.queues.iter().map(|it| (it.id.to_string(), it.name.clone()));
    let flows = roster.flows.iter().map(|it| (it.id.to_string(), it.name.clone()));
    let contacts = roster.contacts.iter().map(|it| (it.id.clone(), it.name.clone()));
    Json(reps.chain(queues).chain(flows).chain(contacts).collect())
}
