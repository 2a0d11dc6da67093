//! Keeps pages of other sites away from the control API and the console.
//!
//! Whoever is on this machine may drive the org, and so may a test from anywhere; a page that somebody happens to
//! have open may not. Nobody shows a secret here, so that what a browser tells is all that there is to go by.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::breakable::Breaker;
use super::control::Refused;

/// Refuses what a page of another site sends: by its own name, or by a name that was rebound to this machine.
pub(super) async fn own_pages_alone(request: Request, next: Next) -> Response {
    let from_here = request.extensions().get::<axum::extract::ConnectInfo<Breaker>>();
    let is_here = from_here.is_some_and(|axum::extract::ConnectInfo(breaker)| breaker.is_from_this_machine());
    match foreign(request.headers(), is_here) {
        None => next.run(request).await,
        Some(field) => Refused {
            status: StatusCode::FORBIDDEN,
            error: "a page of another site may not drive the org".to_owned(),
            field: Some(field.to_owned()),
            hint: "open http://localhost with the emulator's port, and name no Origin where it is no page that asks",
        }
        .into_response(),
    }
}

/// The header that shows a page of another site, if one does.
fn foreign(headers: &HeaderMap, is_here: bool) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST.as_str()).unwrap_or_default();
    // Another machine reaches this one by whatever name it has; a browser here does by this machine's own.
    if is_here && !is_own_name(host) {
        return Some("Host");
    }
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some("Sec-Fetch-Site");
    }
    let is_own = |origin: &str| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    };
    text(ORIGIN.as_str()).is_some_and(|origin| !is_own(origin)).then_some("Origin")
}

/// Whether a host, with or without a port, is this machine whatever a name server says.
fn is_own_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
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
            assert_eq!(foreign(&headers, here), wrong, "{headers:?}");
        }
    }
}
