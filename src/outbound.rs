//! HTTP to places that are sent a secret: which URLs are fit for it, a client that keeps it, and why there was
//! no answer, in words.

use std::error::Error;

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
        "http" => Err(wrong(
            "an https URL; plain http is only allowed for localhost, because tokens are sent there",
        )),
        _ => Err(wrong("an https URL")),
    }
}

/// A URL as it is meant, whatever slashes stand at its end.
pub(crate) fn without_slashes(url: &str) -> &str {
    url.trim().trim_end_matches('/')
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
        .redirect(reqwest::redirect::Policy::none())
        // Whoever is asked for as little as we ask gains nothing by it; a webhook's framework may all the same.
        .no_gzip();
    if url.scheme() == "http" {
        // No certificate is ever held against another there: where the machine has none, that is no matter.
        builder.no_proxy().tls_certs_only([])
    } else {
        builder
    }
}

/// An HTTP status as a label of a number: those that mean something here, the others by their hundreds; `0` where
/// there was no answer.
pub(crate) fn status_label(status: u16) -> &'static str {
    const ALONE: [(u16, &str); 12] = [
        (0, "0"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (408, "408"),
        (413, "413"),
        (429, "429"),
        (500, "500"),
        (502, "502"),
        (503, "503"),
        (504, "504"),
    ];
    if let Some((_, label)) = ALONE.iter().find(|(known, _)| *known == status) {
        return label;
    }
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

/// What kind of thing an answer holds, as far as it tells who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// What a program answers.
    Json,
    /// What is for people: a login page, a maintenance page, a proxy's.
    Html,
    /// Anything else.
    Other,
}

impl Body {
    pub(crate) fn of(body: &[u8]) -> Self {
        let body = body.trim_ascii();
        match body.first() {
            None => Self::Empty,
            Some(b'<') => Self::Html,
            Some(_) if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => Self::Json,
            Some(_) => Self::Other,
        }
    }
}

/// A URL with a password in it is not repeated.
pub(crate) fn shown(text: &str) -> String {
    if text.contains('@') { "(not shown)".to_owned() } else { text.chars().take(100).collect() }
}

/// An error and what caused it, in one line, each thing said once; of a certificate that is not taken also
/// what to do.
pub(crate) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    match about_certificates(&text) {
        Some(advice) => format!("{text}; {advice}"),
        None => text,
    }
}

/// What to do where rustls did not take a server's certificate, or has none to hold it against. It tells why in
/// text alone, behind whatever library called it.
fn about_certificates(text: &str) -> Option<&'static str> {
    if text.contains("No CA certificates were loaded") || text.contains("no native certs found") {
        return Some(
            "this machine has no root certificates: install them, or set SSL_CERT_FILE to a PEM file of trusted \
             certificates",
        );
    }
    let (_, why) = text.split_once("invalid peer certificate: ")?;
    Some(if why.contains("UnknownIssuer") {
        "the server's certificate has an unknown issuer; add the issuer to the system's certificates, or set \
         SSL_CERT_FILE to a PEM file of all trusted certificates"
    } else if why.contains("not valid for name") {
        "the server's certificate is for another host; check the address, and what answers there"
    } else if why.contains("expired") || why.contains("not valid yet") {
        "the server's certificate is out of date; renew it, or set this machine's clock"
    } else {
        "the server's certificate cannot be trusted; check what answers at that address"
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Outer(&'static str, #[source] io::Error);

    #[test]
    fn an_error_is_told_with_its_cause_and_each_thing_once() {
        let told = |outer, inner: &str| in_full(&Outer(outer, io::Error::other(inner.to_owned())));
        assert_eq!(told("not sent", "no route"), "not sent: no route");
        assert_eq!(told("not sent: no route", "no route"), "not sent: no route");
    }

    #[test]
    fn a_certificate_that_is_not_taken_is_told_with_what_to_do() {
        for (why, advice) in [
            ("UnknownIssuer", "SSL_CERT_FILE"),
            ("certificate not valid for name \"a\"; certificate is only valid for b", "for another host"),
            ("certificate expired: verification time 2 (UNIX)", "clock"),
            ("certificate not valid yet: verification time 1 (UNIX)", "clock"),
            ("BadSignature", "cannot be trusted"),
        ] {
            let cause = io::Error::other(format!("invalid peer certificate: {why}"));
            let told = in_full(&Outer("error sending request", cause));
            assert!(told.starts_with("error sending request: invalid peer certificate: "), "{told}");
            assert!(told.contains(advice), "{told}");
        }
    }
}
