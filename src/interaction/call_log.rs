//! What the log says of calls that fail. Salesforce's own messages are left out, for they may name people.

use super::operations::Operation;
use super::try_outcome::Rejection;
use crate::model::call::Call;
use crate::model::error_codes::ErrorCode;

/// Logs the last rejection of a call that is given up.
pub(crate) fn tell_given_up(call: &Call, tries: u32, said: &Rejection) {
    let operation = Operation::of(call).name;
    let (status, code, problem) = in_words(said);
    let code = code.map(tracing::field::display);
    tracing::warn!(operation, tries, status, code, problem, "call given up: timed out");
}

/// Logs, at the first failure, that something is not undone yet: a rep's console may ring meanwhile.
pub(crate) fn tell_in_vain(call: &Call, said: &Rejection) {
    let operation = Operation::of(call).name;
    let (status, code, problem) = in_words(said);
    let code = code.map(tracing::field::display);
    tracing::info!(
        operation,
        status,
        code,
        problem,
        "clean-up at Salesforce failed at the first try; it is retried (see GET /v1/owed)"
    );
}

/// Status, code, and what is wrong.
fn in_words(said: &Rejection) -> (u16, Option<ErrorCode>, &str) {
    let Rejection { status, code, message } = said;
    let code = code.map(ErrorCode);
    let problem = match code {
        Some(code) => code.meaning(),
        None if *status == 0 => message,
        None => "the answer has no Salesforce error code",
    };
    (*status, code, problem)
}
