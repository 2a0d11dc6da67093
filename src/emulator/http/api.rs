//! The Interaction Service API: hands calls to the model, and does to their answers what a fault says.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Emulator;
use super::breakable::ConnectionBreaker;
use crate::emulator::{AnswerFate, ApiRequest, ApiResponse};

/// The most that a request's body may have, in bytes.
pub const BODY_LIMIT: usize = 1 << 20;

pub(super) async fn call(
    State(emulator): State<Emulator>,
    ConnectInfo(breaker): ConnectInfo<ConnectionBreaker>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        let text = format!("the body is broken off, or has more than {BODY_LIMIT} bytes");
        let body = json!({ "code": 413, "message": text });
        return to_http(ApiResponse { status: 413, headers: Vec::new(), body });
    };
    let request = ApiRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        headers: head.headers.iter().map(readable).collect(),
        body: Vec::from(body),
    };
    let delivery = emulator.with_state(|state, now| {
        let draw = state.draws.next_unit();
        state.salesforce.deliver(now, &request, draw)
    });
    match delivery {
        AnswerFate::Answer { after_ms, response } => {
            wait(after_ms).await;
            to_http(response)
        }
        AnswerFate::NoAnswer { after_ms, .. } => {
            wait(after_ms).await;
            breaker.break_off();
            // Never written: the connection is broken.
            Response::new(Body::empty())
        }
    }
}

async fn wait(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

/// A header value that is no text is not one that the API takes, so nothing is lost by mending it.
fn readable((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn to_http(response: ApiResponse) -> Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match response.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    let mut http = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            http.headers_mut().insert(name, value);
        }
    }
    http
}
