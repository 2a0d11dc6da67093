//! What each page may load, and who may show it in a frame.

use axum::http::HeaderValue;

use crate::config::server::ServerSettings;

/// What each page may load, and who may show it in a frame.
pub(super) struct Policies {
    pub(super) connector: HeaderValue,
    pub(super) operator: HeaderValue,
}

impl Policies {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'";
        let mut frames = "'self'".to_owned();
        for origin in &settings.allowed_origins {
            frames.push(' ');
            frames.push_str(origin.as_str());
        }
        // An origin is plain ASCII, so that this is a header; without one, nobody may frame the page.
        let connector = HeaderValue::try_from(format!("{OWN}; frame-ancestors {frames}"))
            .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        let operator =
            HeaderValue::try_from(format!("{OWN}; frame-ancestors 'none'")).unwrap_or(connector.clone());
        Self { connector, operator }
    }
}
