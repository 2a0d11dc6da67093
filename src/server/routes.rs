//! Every route, a row each, with who may call it. The router is built from the rows, and so is the test that goes
//! through all of them with every kind of caller (docs/security.md has its table): there is no route without a row.

use std::sync::LazyLock;

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::{Server, api, cors, health, pages, refused, stream};
use crate::config::server::ServerSettings;

/// For whom an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A rep's page, with a session token.
    Page,
    /// The partner's backend, with a key or with the one secret.
    Partner,
    /// An operator.
    Operator,
    /// Everybody: what has nothing to hide, and health for a load balancer.
    Everybody,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path, ids in braces: `/v1/reps/{id}`.
    pub path: &'static str,
    /// For whom it is.
    pub caller: Caller,
}

type Row = (Endpoint, MethodRouter<Server>);

fn row(method: Method, path: &'static str, caller: Caller, handler: MethodRouter<Server>) -> Row {
    (Endpoint { method, path, caller }, handler)
}

fn rows() -> Vec<Row> {
    use Caller::{Everybody, Operator, Page, Partner};
    vec![
        row(Method::GET, "/v1/session", Page, get(api::session)),
        row(Method::POST, "/v1/contacts", Page, post(api::contacts)),
        row(Method::POST, "/v1/agent-work", Page, post(api::agent_work)),
        row(Method::POST, "/v1/presence", Page, post(api::presence)),
        row(Method::POST, "/v1/events", Partner, post(api::events)),
        row(Method::POST, "/v1/conversations", Partner, post(api::begin)),
        row(Method::GET, "/v1/conversations/{id}", Partner, get(api::conversation)),
        row(Method::GET, "/v1/reps", Partner, get(api::reps)),
        row(Method::PUT, "/v1/reps/{id}", Partner, put(api::change_rep)),
        row(Method::DELETE, "/v1/reps/{id}", Partner, delete(api::remove_rep)),
        row(Method::POST, "/v1/conversations/{id}/end", Partner, post(api::end_conversation)),
        row(Method::POST, "/v1/conversations/{id}/inactivate", Partner, post(api::inactivate_conversation)),
        row(
            Method::POST,
            "/v1/conversations/{id}/participants/{participant}/remove",
            Partner,
            post(api::remove_participant),
        ),
        row(Method::POST, "/v1/agent-work/{id}/close", Partner, post(api::close_agent_work)),
        row(Method::GET, "/v1/routing-requests", Operator, get(api::requests)),
        row(Method::GET, "/v1/routing-requests/{id}", Operator, get(api::request)),
        row(Method::GET, "/v1/unreadable-conversations", Operator, get(api::unreadable)),
        row(Method::POST, "/v1/unreadable-conversations/{id}/give-up", Operator, post(api::give_up)),
        row(Method::POST, "/v1/routing-requests/{id}/end", Operator, post(api::end_request)),
        row(Method::GET, "/v1/owed", Operator, get(api::owed)),
        row(Method::DELETE, "/v1/owed/{id}", Operator, delete(api::strike_out)),
        row(Method::POST, "/v1/owed/{id}/try", Operator, post(api::try_owed)),
        row(Method::GET, "/v1/dead-letters", Operator, get(api::dead_letters)),
        row(Method::DELETE, "/v1/dead-letters/{id}", Operator, delete(api::drop_dead_letter)),
        row(Method::POST, "/v1/dead-letters/{id}/resend", Operator, post(api::resend)),
        row(Method::POST, "/v1/configuration/reload", Operator, post(api::reload)),
        row(Method::GET, "/v1/stream", Operator, get(stream::stream)),
        row(Method::GET, "/metrics", Operator, get(health::metrics)),
        row(Method::GET, "/", Operator, get(pages::operator)),
        row(Method::GET, "/operator.js", Operator, get(pages::operator_js)),
        row(Method::GET, "/operator.css", Operator, get(pages::operator_css)),
        row(Method::GET, "/healthz", Everybody, get(health::healthz)),
        row(Method::GET, "/readyz", Everybody, get(health::readyz)),
        row(Method::GET, "/connector", Everybody, get(pages::connector)),
        row(Method::GET, "/connector/connector.js", Everybody, get(pages::connector_js)),
        row(Method::GET, "/connector/connector.css", Everybody, get(pages::connector_css)),
    ]
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    rows().into_iter().map(|(endpoint, _)| endpoint).collect()
}

/// Whether a rep's page calls it, from the origin on which it is.
pub(super) fn is_for_pages(path: &str) -> bool {
    static PATHS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let for_pages = endpoints().into_iter().filter(|endpoint| endpoint.caller == Caller::Page);
        for_pages.map(|endpoint| endpoint.path).collect()
    });
    PATHS.contains(&path)
}

/// Health and numbers: what is asked when something is wrong, so that nothing else may stand in its way.
const VITAL: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Whether it is health or numbers.
pub(super) fn is_vital(path: &str) -> bool {
    VITAL.contains(&path)
}

/// The routes of health and numbers alone.
pub(super) fn vital() -> Router<Server> {
    let rows = rows().into_iter().filter(|(endpoint, _)| is_vital(endpoint.path));
    let router = rows.fold(Router::new(), |router, (endpoint, handler)| router.route(endpoint.path, handler));
    router.method_not_allowed_fallback(refused::other_method)
}

/// The routes. Pages of the allowed origins may call what is for a rep's page, and nothing else.
pub(super) fn router(settings: &ServerSettings) -> Router<Server> {
    let (mut page, mut others) = (Router::new(), Router::new());
    for (endpoint, handler) in rows() {
        let router = if endpoint.caller == Caller::Page { &mut page } else { &mut others };
        *router = std::mem::take(router).route(endpoint.path, handler);
    }
    let page = page.method_not_allowed_fallback(refused::other_method).layer(cors::cors(settings));
    others.method_not_allowed_fallback(refused::other_method).merge(page)
}
