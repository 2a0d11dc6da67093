//! HTTP to places that are sent a secret: which URLs are fit for it, and a client that keeps it.

use reqwest::Url;

/// Why no secret may be sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is '{url}'; it must be {wanted}")]
pub(crate) struct NotSecretWorthy {
    /// What was given, or that it is not shown.
    pub(crate) url: String,
    /// What would be right.
    pub(crate) wanted: &'static str,
}

/// Reads a URL that secrets will be sent to: HTTPS, or plain HTTP to this machine.
pub(crate) fn secret_worthy_url(text: &str) -> Result<Url, NotSecretWorthy> {
    let wrong = |wanted| NotSecretWorthy { url: shown(text), wanted };
    let url = Url::parse(text.trim()).map_err(|_| wrong("a whole URL, such as https://host.example"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a URL without user name and password"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(wrong("an https URL; plain http is for localhost alone, for tokens are sent there")),
        _ => Err(wrong("an https URL")),
    }
}

/// Whether it leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// An HTTP client for such a URL: it follows no redirect, for a token would go along, and sends what
/// is meant for this machine past any proxy, which would read it.
pub(crate) fn http_for(url: &Url) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("byoc-connector/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none());
    if url.scheme() == "http" { builder.no_proxy() } else { builder }
}

/// A URL with a password in it is not repeated.
pub(crate) fn shown(text: &str) -> String {
    if text.contains('@') { "(not shown)".to_owned() } else { text.chars().take(100).collect() }
}
