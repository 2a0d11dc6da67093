//! What the token endpoint answered: a token, a refusal, a wish to come again, or something that no token
//! endpoint says.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::Error;
use super::refusals::{self, TokenAttempt};
use crate::outbound::Body;

/// What came back.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) content_type: Option<&'a str>,
    /// Where a redirect leads.
    pub(super) location: Option<Url>,
    /// Empty, where it is larger than any answer with a token.
    pub(super) body: &'a [u8],
}

/// A token, and how long it is good for.
#[derive(Deserialize)]
pub(super) struct GrantedToken {
    pub(super) access_token: String,
    #[serde(default)]
    expires_in: Option<Value>,
}

impl GrantedToken {
    /// How long it is said to last, however that is written; what is no number of seconds counts as not said.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        let seconds = match self.expires_in.as_ref()? {
            Value::String(text) => text.trim().parse().ok()?,
            other => other.as_f64()?,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Reads an answer. The body of a success is never repeated in an error: it may hold a token.
pub(super) fn read(answer: &Answer<'_>, asked: TokenAttempt<'_>) -> Result<GrantedToken, Error> {
    let status = answer.status;
    let granted = serde_json::from_slice::<GrantedToken>(answer.body).ok();
    if (200..300).contains(&status) {
        let granted = granted.filter(|granted| !granted.access_token.is_empty());
        return granted.ok_or_else(|| not_an_endpoint(answer, asked));
    }
    let Refusal { error, error_description } = serde_json::from_slice(answer.body).unwrap_or_default();
    // Salesforce says `unknown_error` (retry your request) with a 400 when it is merely busy.
    let busy = matches!(error.as_str(), "unknown_error" | "server_error" | "temporarily_unavailable");
    if busy || status >= 500 || status == 429 || status == 408 {
        let said = if error.is_empty() { kind(answer).to_owned() } else { cut(&error) };
        return Err(Error::Unavailable(format!("HTTP {status}, {said}")));
    }
    if error.is_empty() {
        return Err(not_an_endpoint(answer, asked));
    }
    let (error, description) = (cut(&error), cut(&error_description));
    let advice = refusals::advice(&error, &description, asked);
    Err(Error::Refused { status, error, description, advice })
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// What something else than a token endpoint answered with.
fn not_an_endpoint(answer: &Answer<'_>, asked: TokenAttempt<'_>) -> Error {
    let status = answer.status;
    let location = answer.location.as_ref().filter(|_| (300..400).contains(&status));
    let what = match location {
        // Its query may hold anything.
        Some(to) => format!(
            "it redirects (HTTP {status}) to {}{}, and redirects are not followed",
            to.origin().ascii_serialization(),
            cut(to.path())
        ),
        None => format!("HTTP {status}, {}", kind(answer)),
    };
    Error::NotAnEndpoint { status, what, advice: refusals::not_an_endpoint(asked, location) }
}

/// What kind of body it is.
fn kind(answer: &Answer<'_>) -> &'static str {
    let is_html = answer.content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    match Body::of(answer.body) {
        Body::Html => "with an HTML page",
        Body::Other if is_html => "with an HTML page",
        Body::Empty => "without a body, or with one that is too large",
        Body::Json => "with JSON that has neither access_token nor error",
        Body::Other => "with something that is not JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(status: u16, body: &str, location: Option<&str>) -> Result<GrantedToken, Error> {
        let token_url = Url::parse("https://login.salesforce.com/services/oauth2/token").unwrap();
        let asked =
            TokenAttempt { audience: "https://login.salesforce.com", token_url: &token_url, my_domain: None };
        let location = location.map(|to| token_url.join(to).unwrap());
        read(&Answer { status, content_type: None, location, body: body.as_bytes() }, asked)
    }

    #[test]
    fn a_response_is_a_token_a_refusal_or_a_reason_to_come_again() {
        let granted = read_of(200, r#"{"access_token":"t","expires_in":60,"scope":"x"}"#, None).ok().unwrap();
        let lasts = Some(Duration::from_mins(1));
        assert_eq!((granted.access_token.as_str(), granted.lifetime()), ("t", lasts));
        let approval =
            r#"{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}"#;
        let busy = r#"{"error":"unknown_error","error_description":"retry your request"}"#;
        for (status, body, words) in [
            (
                400,
                approval,
                "refused (HTTP 400): invalid_grant: user hasn't approved this consumer; External",
            ),
            (400, r#"{"error":"invalid_grant"}"#, "refused (HTTP 400): invalid_grant; see"),
            (400, busy, "temporarily unavailable: HTTP 400, unknown_error"),
            (503, "<html>", "temporarily unavailable: HTTP 503, with an HTML page"),
            (429, "", "temporarily unavailable: HTTP 429, without a body"),
            (403, " <!DOCTYPE html>", "endpoint: HTTP 403, with an HTML page; set token_url"),
            (403, "", "endpoint: HTTP 403, without a body"),
            (404, r#"{"error":5}"#, "endpoint: HTTP 404, with JSON that has neither"),
            (404, "not found", "endpoint: HTTP 404, with something that is not JSON"),
            (200, "<html>hush</html>", "endpoint: HTTP 200, with an HTML page"),
            (200, r#"{"access_token":""}"#, "neither access_token nor error"),
            (200, r#"{"token":"hush"}"#, "neither access_token nor error"),
            (200, "hush", "not JSON"),
        ] {
            let error = read_of(status, body, None).err().unwrap();
            let told = error.to_string();
            assert!(error.retry() && told.contains(words), "{status} {body}: {told}");
            assert!(!told.contains("hush") && !told.contains(": :") && !told.contains(": ;"), "{told}");
        }
    }

    #[test]
    fn a_redirect_is_told_with_where_it_leads() {
        let to = "https://acme.my.salesforce.com/services/oauth2/token?hush=1";
        let told = read_of(302, "", Some(to)).err().unwrap().to_string();
        assert!(
            told.contains("redirects (HTTP 302) to https://acme.my.salesforce.com/services/oauth2/token,")
        );
        assert!(
            told.contains("set token_url to https://acme.my.salesforce.com/services/oauth2/token"),
            "{told}"
        );
        assert!(!told.contains("hush"), "{told}");
        let told = read_of(301, "", Some("/elsewhere")).err().unwrap().to_string();
        assert!(told.contains("to https://login.salesforce.com/elsewhere"), "{told}");
    }
}
