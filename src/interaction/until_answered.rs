//! The whole of a call: as many tries as it takes, and the waits between them.

use super::attempt::{CallAttempt, Tried, Try};
use super::call_log::tell_given_up;
use super::sleep::Sleeper;
use super::tries::Next;
use crate::model::call::Answer;
use crate::model::time::Clock;

/// Makes the tries of a call with `send`, until it is answered or its time is over.
pub async fn until_answered<F: Future<Output = Tried>>(
    mut attempt: CallAttempt,
    clock: &dyn Clock,
    sleeper: &dyn Sleeper,
    send: impl Fn(Try) -> F,
) -> Answer {
    if let Some(answer) = attempt.untried() {
        return answer;
    }
    loop {
        let tried = send(attempt.next_try()).await;
        match attempt.tried(tried, clock.now()) {
            Next::Answer(answer) => {
                if let Some(said) = attempt.said() {
                    tell_given_up(attempt.call(), attempt.made(), said);
                }
                return answer;
            }
            Next::TryAgainAt(at) => sleeper.until(at).await,
            Next::RefreshTokenAndTryAgain => {}
        }
    }
}
