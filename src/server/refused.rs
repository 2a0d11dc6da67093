//! An answer that is an error: `{error, field, hint}`, what was wrong, where (`null` where no field is to
//! blame), and what would be right.

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why something was not done.
#[derive(Debug, Clone)]
pub(super) struct Refused(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    error: String,
    field: Option<String>,
    hint: String,
    /// Where to log in; told with each 401 that a rep's page gets, `null` where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_url: Option<LoginUrl>,
}

#[derive(Debug, Clone, Serialize)]
struct LoginUrl(Option<String>);

/// How many characters of a text are told: it may repeat what was sent.
const TOLD: usize = 500;

/// As much of a text as is told.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TOLD) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        let body = Body { error: cut(error.into()), field: None, hint: hint.into(), login_url: None };
        Self(Box::new(Inner { status, headers: HeaderMap::new(), body }))
    }

    pub(super) fn bad_request(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    pub(super) fn forbidden(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error, hint)
    }

    /// Something that will be there again; `seconds` is when to ask for it.
    pub(super) fn unavailable(error: impl Into<String>, hint: impl Into<String>, seconds: u16) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error, hint)
            .header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The caller must show who they are.
    pub(super) fn who_are_you(
        challenge: &'static str,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error, hint)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    pub(super) fn field(mut self, field: impl Into<String>) -> Self {
        self.0.body.field = Some(cut(field.into()));
        self
    }

    pub(super) fn log_in_at(mut self, url: Option<&str>) -> Self {
        self.0.body.login_url = Some(LoginUrl(url.map(str::to_owned)));
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Inner { status, headers, body } = *self.0;
        (status, headers, Json(body)).into_response()
    }
}

/// The answer at a path that there is not.
pub(super) async fn nothing_here() -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        "unknown path",
        "openapi/connector.yaml lists every path; the page for Salesforce is /connector, the operator page is /",
    )
}

/// The answer at any path but health and numbers where all seats are taken.
pub(super) async fn no_seat() -> Refused {
    Refused::unavailable("too many open connections", "send the same again in a second", 1)
}

/// The answer at a path that takes another method; which one, the header `Allow` says.
pub(super) async fn other_method() -> Refused {
    Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method not allowed here",
        format!("the header {ALLOW} lists the allowed ones"),
    )
}
