//! The two pages: the connector page that Salesforce loads into a rep's browser, and the operator's. Both are
//! part of the binary.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Server;
use super::access::Operator;

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The page of this release is the one to show, however old the browser's is.
const ASK_EACH_TIME: &str = "no-cache";

fn file(kind: &'static str, policy: &HeaderValue, content: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static(ASK_EACH_TIME)),
        (CONTENT_SECURITY_POLICY, policy.clone()),
    ];
    (headers, content).into_response()
}

pub(super) async fn connector(State(server): State<Server>) -> Response {
    file(HTML, &server.0.pages.connector, include_str!("../../console/dist/connector.html"))
}

pub(super) async fn connector_js(State(server): State<Server>) -> Response {
    file(JS, &server.0.pages.connector, include_str!("../../console/dist/connector.js"))
}

pub(super) async fn connector_css(State(server): State<Server>) -> Response {
    file(CSS, &server.0.pages.connector, include_str!("../../console/dist/connector.css"))
}

pub(super) async fn operator(_: Operator, State(server): State<Server>) -> Response {
    file(HTML, &server.0.pages.operator, include_str!("operator/operator.html"))
}

pub(super) async fn operator_js(_: Operator, State(server): State<Server>) -> Response {
    file(JS, &server.0.pages.operator, include_str!("operator/operator.js"))
}

pub(super) async fn operator_css(_: Operator, State(server): State<Server>) -> Response {
    file(CSS, &server.0.pages.operator, include_str!("operator/operator.css"))
}
