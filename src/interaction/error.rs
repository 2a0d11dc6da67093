//! What can be wrong before the first call, and the failures of a typed call.

use reqwest::Url;

use crate::model::call::{Answer, Refusal, Reply};
use crate::model::error_codes::ErrorCode;
use crate::outbound;
use crate::outbound::Body;
pub(super) use crate::outbound::http_for;

/// Settings that no client can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL that is none, or not one to send secrets to.
    #[error("{field} is '{url}'; it must be {wanted}")]
    Url {
        /// The setting.
        field: &'static str,
        /// What it is.
        url: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A text that cannot stand in an HTTP header.
    #[error("{field} has characters that an HTTP header cannot carry; it must be {wanted}")]
    Header {
        /// The setting.
        field: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// The private key cannot be used.
    #[error("the private key is {0}")]
    Key(String),
    /// The HTTP client cannot be set up, e.g. there are no root certificates.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(String),
}

/// A typed call that was not carried out, or perhaps was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Salesforce said no.
    #[error("{}", refused(.0))]
    Refused(Refusal),
    /// No answer in time; the call may have been carried out.
    #[error("no answer in time ({0}); the call may have been carried out")]
    Lost(Box<str>),
}

fn refused(refusal: &Refusal) -> String {
    match refusal.code.map(ErrorCode) {
        Some(code) => format!("{code}: {} {} ({})", code.meaning(), code.advice(), said(refusal)),
        None if refusal.status == 0 => refusal.message.to_string(),
        None => said(refusal),
    }
}

/// What was answered: Salesforce's message, or what came in the place of one.
pub(crate) fn said(refusal: &Refusal) -> String {
    let Refusal { status, message, .. } = refusal;
    match Body::of(message.as_bytes()) {
        _ if (300..400).contains(status) => {
            format!("HTTP {status}, a redirect, and redirects are not followed")
        }
        Body::Empty => format!("HTTP {status}, without a message"),
        Body::Html => format!("HTTP {status}, with an HTML page"),
        Body::Json | Body::Other => format!("HTTP {status}: {message}"),
    }
}

/// The reply within an answer.
pub(super) fn reply(answer: Answer) -> Result<Reply, Failure> {
    match answer {
        Answer::Done(reply) => Ok(reply),
        Answer::Refused(refusal) => Err(Failure::Refused(refusal)),
        Answer::Lost(what) => Err(Failure::Lost(what)),
    }
}

/// Reads the URL of a setting that secrets will be sent to: HTTPS, or plain HTTP to this machine.
pub(super) fn secret_worthy_url(field: &'static str, text: &str) -> Result<Url, Error> {
    outbound::secret_worthy_url(text).map_err(|outbound::NotSecretWorthy { url, wanted }| Error::Url {
        field,
        url,
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_https_or_to_this_machine() {
        for good in [
            "https://acme.my.salesforce-scrt.com",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://127.8.0.1",
            "http://[::1]:8080/",
        ] {
            assert!(secret_worthy_url("base_url", good).is_ok(), "{good}");
        }
        for bad in [
            "http://acme.my.salesforce-scrt.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "ftp://localhost",
            "acme.my.salesforce-scrt.com",
            "",
        ] {
            let error = secret_worthy_url("base_url", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("base_url is '{bad}'; it must be ")), "{error}");
        }
        let error = secret_worthy_url("base_url", "https://user:hush@example.com").unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn a_failure_says_what_the_code_means_and_what_to_do() {
        let refusal = |code, status| Refusal { status, code, message: "m".into(), after_lost_try: false };
        let text = Failure::Refused(refusal(Some(10016), 400)).to_string();
        assert!(text.starts_with("10016: A required header") && text.contains("Check the OrgId"), "{text}");
        assert_eq!(Failure::Refused(refusal(None, 404)).to_string(), "HTTP 404: m");
        for (status, message, told) in [
            (403, "", "HTTP 403, without a message"),
            (403, "<!DOCTYPE html><html>", "HTTP 403, with an HTML page"),
            (302, "", "HTTP 302, a redirect, and redirects are not followed"),
        ] {
            let refusal = Refusal { message: message.into(), ..refusal(None, status) };
            assert_eq!(Failure::Refused(refusal).to_string(), told);
        }
        assert_eq!(Failure::Refused(refusal(None, 0)).to_string(), "m");
    }
}
