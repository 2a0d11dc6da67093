//! Keeps pages of other sites away from the control API and the console.
//!
//! Whoever is on this machine may drive the org, and so may a test from anywhere; a page that somebody happens to
//! have open may not: neither by a form, nor by a request without asking, nor by a name that was rebound to this
//! machine. Nobody shows a secret here, so that what a browser tells is all that there is to go by.

use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::breakable::ConnectionBreaker;
use super::control::Refused;
use crate::local::{is_at, is_json, is_loopback_host, sent_to, without_port};

/// Refuses what a page of another site sends: by its own name, or by a name that was rebound to this machine;
/// and a body that is not said to be JSON, for any page can post such a one.
pub(super) async fn own_pages_alone(
    ConnectInfo(breaker): ConnectInfo<ConnectionBreaker>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let headers = request.headers();
    let host = sent_to(headers, request.uri()).unwrap_or_default();
    if let Some(field) = foreign(headers, host, breaker.is_from_this_machine()) {
        return Err(Refused {
            status: StatusCode::FORBIDDEN,
            error: "a page of another site may not drive the org".to_owned(),
            field: Some(field.to_owned()),
            hint: "open http://localhost with the emulator's port, and name no Origin where it is no page that asks",
        });
    }
    let brings_something = !request.body().is_end_stream() || headers.contains_key(CONTENT_TYPE);
    if !request.method().is_safe() && brings_something && !is_json(headers) {
        return Err(Refused {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            error: "the body must be JSON, and the header Content-Type must say so".to_owned(),
            field: Some("Content-Type".to_owned()),
            hint: "Content-Type: application/json; curl's --json says it by itself",
        });
    }
    Ok(next.run(request).await)
}

/// The header that shows a page of another site, if one does.
fn foreign(headers: &HeaderMap, host: &str, is_here: bool) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let one_host = headers.get_all(HOST).iter().count() <= 1;
    // Another machine reaches this one by whatever name it has; a browser here does by this machine's own.
    if !one_host || (is_here && !is_loopback_host(without_port(host))) {
        return Some("Host");
    }
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some("Sec-Fetch-Site");
    }
    text(ORIGIN.as_str()).is_some_and(|origin| !is_at(origin, host)).then_some("Origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_known_by_what_its_browser_tells() {
        for (here, headers, wrong) in [
            (true, &[("host", "localhost:8085")][..], None),
            (true, &[("host", "127.0.0.1:8085"), ("origin", "http://127.0.0.1:8085")], None),
            (true, &[("host", "[::1]:8085"), ("sec-fetch-site", "same-origin")], None),
            (true, &[("host", "localhost:8085"), ("sec-fetch-site", "none")], None),
            (false, &[("host", "emulator:8085")], None),
            (false, &[("host", "emulator:8085"), ("origin", "http://emulator:8085")], None),
            (true, &[("host", "rebound.example.com:8085")], Some("Host")),
            (true, &[("host", "localhost.example.com")], Some("Host")),
            (true, &[("host", "localhost:8085"), ("origin", "https://example.com")], Some("Origin")),
            (true, &[("host", "localhost:8085"), ("origin", "null")], Some("Origin")),
            (false, &[("host", "emulator:8085"), ("origin", "https://example.com")], Some("Origin")),
            (true, &[("host", "localhost:8085"), ("sec-fetch-site", "cross-site")], Some("Sec-Fetch-Site")),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            let host = headers["host"].to_str().unwrap();
            assert_eq!(foreign(&headers, host, here), wrong, "{headers:?}");
        }
    }
}
