//! Which pages may call a rep's API from another origin.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::server::ServerSettings;

/// How long a browser remembers what it may send from another origin.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// Lets the pages of the allowed origins call a rep's API. No cookie is ever read, so none is allowed.
pub(super) fn cors(settings: &ServerSettings) -> CorsLayer {
    let origins =
        settings.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .max_age(PREFLIGHT_AGE)
}
