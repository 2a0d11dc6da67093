//! What this machine is called, and what a request says of where it comes from and what it brings.
//!
//! An HTTP server that nobody logs in to is for its own machine alone; a page of another origin in a browser
//! on that machine is not meant. It must never know what is served. The connector's server and the emulator's
//! control API ask the same questions here.

use std::net::IpAddr;

#[cfg(feature = "emulator")]
use axum::http::Uri;
#[cfg(any(feature = "server", feature = "emulator"))]
use axum::http::{HeaderMap, header};

/// Whether a host, without its port, is this machine whatever a name server says.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// A host without its port: `[::1]:80` and `localhost:80`.
#[cfg(any(feature = "server", feature = "emulator"))]
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// Whether an origin is the one that a `Host` names.
#[cfg(any(feature = "server", feature = "emulator"))]
pub(crate) fn is_at(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// Whether the body is said to be JSON, which a page of another origin cannot post unasked. JSON is UTF-8 (RFC 8259): a
/// body that is said to be in anything else is not read as that.
#[cfg(any(feature = "server", feature = "emulator"))]
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |charset: &str| ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name));
    let mut charsets = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    is_json && charsets.all(|(_, charset)| is_utf8(charset.trim().trim_matches('"')))
}

/// The host and port that a request was sent to, as its sender names them: HTTP/2 says it in the URI.
#[cfg(feature = "emulator")]
pub(crate) fn sent_to<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "server", feature = "emulator"))]
    #[test]
    fn json_is_utf_8() {
        for (kind, is) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"; v=1", true),
            ("application/json; charset=utf-16", false),
            ("application/json; v=1; CharSet=latin1", false),
            ("application/json; charset=", false),
            ("text/json", false),
            ("text/plain; charset=utf-8", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_json(&headers), is, "{kind}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_name_and_its_addresses() {
        for here in ["localhost", "LocalHost", "console.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "::1"]
        {
            assert!(is_loopback_host(here), "{here}");
        }
        for there in ["", "localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1", "[::]", "0.0.0.0"] {
            assert!(!is_loopback_host(there), "{there}");
        }
    }
}
