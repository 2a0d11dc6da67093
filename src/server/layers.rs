//! What stands around every route: limits, the time-out, headers, the log line.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;

use super::Server;
use super::body::BODY_LIMIT;
use super::refused::{self, Refused};
use super::routes::{self, Endpoint};

/// How long an answer may take. Streams are answered at once, and go on.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a path and query may be, in bytes.
const LONGEST_URI: usize = 8 * 1024;

/// Headers that decide who asks and for what, so that there must not be two of them.
const ONCE: [HeaderName; 5] = [HOST, ORIGIN, AUTHORIZATION, CONTENT_TYPE, CONTENT_LENGTH];

impl Server {
    /// Everything, with an answer for whatever else is asked.
    pub fn router(&self) -> Router {
        around(self, routes::router(self.settings()).fallback(refused::nothing_here))
    }

    /// Every endpoint, and for whom it is: what the router is built from.
    pub fn endpoints() -> Vec<Endpoint> {
        routes::endpoints()
    }

    /// Health and numbers alone, for whoever has come when all other seats were taken.
    pub(super) fn vital_router(&self) -> Router {
        around(self, routes::vital().fallback(refused::no_seat))
    }

    /// The routes alone, to be merged with others.
    pub fn routes(&self) -> Router {
        around(self, routes::router(self.settings()))
    }
}

/// Puts the layers around the routes, the first to see a request last.
fn around(server: &Server, routes: Router<Server>) -> Router {
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(server.clone(), bounded))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn_with_state(server.clone(), readable_by_pages))
        .layer(from_fn(headers))
        .layer(from_fn(log))
        .with_state(server.clone())
}

/// Lets a page of an allowed origin read what is refused before the routes are reached: without it, the page is told
/// of a network error, and not what is wrong.
async fn readable_by_pages(State(server): State<Server>, request: Request, next: Next) -> Response {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (Some(only), None) if routes::is_for_pages(request.uri().path()) => Some(only.clone()),
        _ => None,
    };
    let mut response = next.run(request).await;
    let allowed = &server.settings().allowed_origins;
    if let Some(origin) = origin
        && allowed.iter().any(|allowed| allowed.as_str().as_bytes() == origin.as_bytes())
    {
        let headers = response.headers_mut();
        headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(origin);
        headers.entry(VARY).or_insert(HeaderValue::from_static("origin"));
    }
    response
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = format!("timed out after {} seconds", REQUEST_TIMEOUT.as_secs());
            Refused::unavailable(error, "send the same again: repeating is safe", 1).into_response()
        }
    }
}

async fn bounded(State(server): State<Server>, request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |uri| uri.as_str().len());
    if length > LONGEST_URI {
        let error = format!("the path and query have more than {LONGEST_URI} bytes");
        return Refused::new(StatusCode::URI_TOO_LONG, error, "no request needs more").into_response();
    }
    if let Some(twice) = ONCE.iter().find(|name| request.headers().get_all(*name).iter().count() > 1) {
        let error = format!("the header {twice} is repeated");
        let hint = "send it once: a proxy may read another one than the server does";
        return Refused::bad_request(error, hint).field(twice.as_str()).into_response();
    }
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        let hint = "HTTP/1.1 requires it (RFC 9112, section 3.2)";
        return Refused::bad_request("the header Host is missing", hint).field("Host").into_response();
    }
    let is_vital = routes::is_vital(request.uri().path());
    let seats = if is_vital { &server.0.vital_in_flight } else { &server.0.in_flight };
    let Ok(_permit) = seats.try_acquire() else {
        let error = if is_vital { "too many health requests at once" } else { "too many requests at once" };
        return Refused::unavailable(error, "send the same again in a second", 1).into_response();
    };
    next.run(request).await
}

fn on_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("panic while answering a request");
    let hint = "this is a bug: please report it, with the log";
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", hint).into_response()
}

/// The headers that keep an answer to its purpose; a page has set a policy of its own already.
async fn headers(request: Request, next: Next) -> Response {
    const DEFAULTS: [(HeaderName, HeaderValue); 4] = [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    ];
    let mut response = next.run(request).await;
    for (name, value) in DEFAULTS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// One line a request: the route and not the path, in which ids stand.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        took = ?begun.elapsed(),
        "answered a request"
    );
    response
}
