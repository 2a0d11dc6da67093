//! Why a stream is not there, and what that asks for.

use std::time::Duration;

use tonic::{Code, Status};

use super::credentials::NoToken;
use crate::outbound::in_full;

/// The trailer in which Salesforce says more than gRPC's own code does (Salesforce: "Handle Errors").
const ERROR_CODE: &str = "error-code";

const TOKEN_REFUSED: &str = "sfdc.platform.eventbus.grpc.service.auth.error";

/// Both that it is damaged or too old (`….corrupted`) and that it is none (`….validation.failed`).
const REPLAY_ID_REFUSED: &str = "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.";

/// Why a stream is over, or never began.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFailure {
    #[error("{}", said(.0))]
    Refused(Box<Status>),
    #[error("Salesforce ended the stream")]
    Ended,
    #[error("nothing received for {} s", .0.as_secs_f64())]
    Silent(Duration),
    #[error("no answer to {0} in time")]
    Unanswered(&'static str),
    #[error("the user may not subscribe to {0}; give its permission set read access to the platform event")]
    NotPermitted(String),
    #[error(transparent)]
    NoToken(#[from] NoToken),
}

/// What a cut asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Another token.
    Token,
    /// Another place to begin.
    Place,
    /// Time.
    Wait,
}

impl From<Status> for StreamFailure {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl StreamFailure {
    pub(super) fn remedy(&self) -> Remedy {
        let Self::Refused(status) = self else { return Remedy::Wait };
        match (error_code(status), status.code()) {
            (Some(TOKEN_REFUSED), _) | (_, Code::Unauthenticated) => Remedy::Token,
            (Some(code), _) if code.starts_with(REPLAY_ID_REFUSED) => Remedy::Place,
            // Whatever is in between may have dropped the trailer.
            (None, Code::InvalidArgument) if speaks_of_replay_id(status.message()) => Remedy::Place,
            _ => Remedy::Wait,
        }
    }
}

impl StreamFailure {
    /// Whether Salesforce has answered, and this is what it says: asked later, it may say something else, but
    /// nothing stands in between.
    pub(super) fn is_final_word(&self) -> bool {
        let Self::Refused(status) = self else { return false };
        let passes = matches!(
            status.code(),
            Code::Unavailable
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
                | Code::Aborted
                | Code::Cancelled
        );
        !passes && self.remedy() != Remedy::Token
    }
}

fn error_code(status: &Status) -> Option<&str> {
    status.metadata().get(ERROR_CODE)?.to_str().ok()
}

fn speaks_of_replay_id(message: &str) -> bool {
    let message = message.to_ascii_lowercase().replace([' ', '_'], "");
    message.contains("replayid")
}

fn said(status: &Status) -> String {
    let code = error_code(status).map(|code| format!(" ({code})")).unwrap_or_default();
    let message = match (status.message(), std::error::Error::source(status)) {
        // It did not come from Salesforce, and its own message is that of the outermost of its causes.
        (_, Some(cause)) => in_full(cause),
        ("", None) => "no message".to_owned(),
        (message, None) => message.to_owned(),
    };
    format!("{:?}{code}: {message}", status.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::metadata::MetadataMap;

    fn cut(code: Code, message: &str, error_code: Option<&str>) -> StreamFailure {
        let mut trailers = MetadataMap::new();
        if let Some(code) = error_code {
            trailers.insert(ERROR_CODE, code.parse().unwrap());
        }
        Status::with_metadata(code, message, trailers).into()
    }

    #[test]
    fn the_trailer_says_what_a_cut_asks_for() {
        let replay = "sfdc.platform.eventbus.grpc.subscription.fetch.replayid";
        for (code, message, error_code, remedy) in [
            (Code::InvalidArgument, "no", Some(format!("{replay}.corrupted")), Remedy::Place),
            (Code::InvalidArgument, "no", Some(format!("{replay}.validation.failed")), Remedy::Place),
            (Code::InvalidArgument, "The Replay ID is too old", None, Remedy::Place),
            (Code::InvalidArgument, "replay_id", None, Remedy::Place),
            (Code::InvalidArgument, "The topic is wrong", None, Remedy::Wait),
            (Code::Unknown, "no", Some(TOKEN_REFUSED.to_owned()), Remedy::Token),
            (Code::Unauthenticated, "no", None, Remedy::Token),
            (Code::Unavailable, "replay id", None, Remedy::Wait),
        ] {
            assert_eq!(cut(code, message, error_code.as_deref()).remedy(), remedy, "{code:?} {message}");
        }
        assert_eq!(StreamFailure::Ended.remedy(), Remedy::Wait);
    }

    #[test]
    fn a_refusal_keeps_all_three_things_that_were_said() {
        assert_eq!(
            cut(Code::Unavailable, "going away", Some("sfdc.x")).to_string(),
            "Unavailable (sfdc.x): going away"
        );
        assert_eq!(cut(Code::Internal, "", None).to_string(), "Internal: no message");
    }
}
