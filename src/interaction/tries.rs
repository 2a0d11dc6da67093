//! How often and when a call is tried, and what its caller is told in the end.
//!
//! Time and chance are arguments. The live client sleeps on what this says; a replay moves its
//! virtual clock there.
//!
//! Invariants
//! 1. No try begins after the caller has given up.
//! 2. If any try may have been carried out, the answer says so: `Lost`, or a refusal that is marked.
//! 3. An answer that tells nothing is asked for once more, and no more often.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use uuid::Uuid;

use super::try_outcome::{Rejection, TryOutcome};
use crate::model::call::{Answer, Refusal};
use crate::model::time::{Timestamp, jittered};

/// The first wait. Short: a rep watches, and most failures are one lost connection.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait between two tries. Ten of them fit into the 60 s that a request has.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The tries of one call.
#[derive(Debug)]
pub struct Tries {
    waits: backon::ExponentialBackoff,
    made: u32,
    may_have_happened: bool,
    token_refreshed: bool,
    /// Whether one was answered so that nobody can tell whether it was carried out.
    unclear: bool,
}

/// The jitter of a call's next wait, from 0 to 1.
///
/// Drawn from the `RequestId`, which is as good as random from call to call, so that the same call
/// waits the same in a replay as it did live.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
pub fn jitter(request_id: Uuid, tries: u32) -> f64 {
    let (high, low) = request_id.as_u64_pair();
    // splitmix64: neighbouring inputs give unrelated outputs.
    let mut bits = (high ^ low).wrapping_add(u64::from(tries).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the call is not over until there is an answer"]
pub enum Next {
    /// The call is over.
    Answer(Answer),
    /// Try again, not before then.
    TryAgainAt(Timestamp),
    /// Get a fresh token and try again at once.
    RefreshTokenAndTryAgain,
}

impl Default for Tries {
    fn default() -> Self {
        Self::new()
    }
}

impl Tries {
    /// Of a call that has not been tried yet.
    pub fn new() -> Self {
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .without_max_times()
            .build();
        Self { waits, made: 0, may_have_happened: false, token_refreshed: false, unclear: false }
    }

    /// Of a call that was given before a restart. Nobody knows whether it was tried, so it counts as
    /// one whose first answer was lost.
    pub fn resumed() -> Self {
        Self { may_have_happened: true, ..Self::new() }
    }

    /// How many tries have been made.
    pub const fn made(&self) -> u32 {
        self.made
    }

    /// Whether a try may have been carried out.
    pub(super) const fn may_have_happened(&self) -> bool {
        self.may_have_happened
    }

    /// Takes what came of a try and says what is next.
    ///
    /// `jitter` is a number from 0 to 1 that the caller draws: the wait lies between half and all of
    /// its backoff, so that calls which failed together do not come back together. What Salesforce
    /// asked for in `Retry-After` is the least that is waited.
    pub fn next(&mut self, verdict: TryOutcome, now: Timestamp, give_up_at: Timestamp, jitter: f64) -> Next {
        self.made = self.made.saturating_add(1);
        match verdict {
            TryOutcome::Done(reply) => Next::Answer(Answer::Done(reply)),
            TryOutcome::Unauthorized(_) if !self.token_refreshed && now < give_up_at => {
                self.token_refreshed = true;
                Next::RefreshTokenAndTryAgain
            }
            TryOutcome::Refused(what) | TryOutcome::Unauthorized(what) => self.refused(what),
            TryOutcome::Retry { after, may_have_happened, what } => {
                self.may_have_happened |= may_have_happened;
                let at = now + self.wait(after, jitter);
                if at < give_up_at { Next::TryAgainAt(at) } else { self.give_up(what) }
            }
            TryOutcome::Unclear(what) => {
                self.may_have_happened = true;
                let at = now + self.wait(None, jitter);
                let again = !std::mem::replace(&mut self.unclear, true);
                if again && at < give_up_at { Next::TryAgainAt(at) } else { self.give_up(what) }
            }
        }
    }

    fn wait(&mut self, after: Option<Duration>, jitter: f64) -> Duration {
        let backoff = self.waits.next().unwrap_or(LONGEST_WAIT);
        let wait = jittered(backoff, jitter);
        let half = backoff.checked_div(2).unwrap_or_default();
        after.map_or(wait, |after| after.saturating_add(wait.saturating_sub(half)).max(wait))
    }

    /// Salesforce said no to this try. Whether that ends it is for the caller to judge where an
    /// earlier try may have worked: 15109 then means that it did.
    fn refused(&self, what: Rejection) -> Next {
        let Rejection { status, code, message } = what;
        let after_lost_try = self.may_have_happened;
        Next::Answer(Answer::Refused(Refusal { status, code, message, after_lost_try }))
    }

    fn give_up(&self, what: Rejection) -> Next {
        if self.may_have_happened { Next::Answer(Answer::Lost(what.in_short())) } else { self.refused(what) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::call::Reply;

    const GIVE_UP: Timestamp = Timestamp::from_millis(52_000);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn rejection(status: u16, code: Option<u32>) -> Rejection {
        Rejection { status, code, message: "no".into() }
    }

    fn refusal(status: u16, code: Option<u32>, after_lost_try: bool) -> Next {
        Next::Answer(Answer::Refused(Refusal { status, code, message: "no".into(), after_lost_try }))
    }

    fn lost(said: &str) -> Next {
        Next::Answer(Answer::Lost(said.into()))
    }

    fn retry(after: Option<u64>, may_have_happened: bool, status: u16) -> TryOutcome {
        let after = after.map(Duration::from_secs);
        TryOutcome::Retry { after, may_have_happened, what: rejection(status, None) }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_jitter_fills_their_upper_half() {
        for (jitter, waits) in [
            (0.0, [100, 200, 400, 800, 1_600, 2_500, 2_500]),
            (1.0, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]),
        ] {
            let mut tries = Tries::new();
            for wait in waits {
                assert_eq!(
                    tries.next(retry(None, false, 503), at(0), GIVE_UP, jitter),
                    Next::TryAgainAt(at(wait))
                );
            }
            assert_eq!(tries.made(), 7);
        }
    }

    #[test]
    fn a_jitter_that_is_no_number_between_0_and_1_still_waits_within_bounds() {
        for jitter in [f64::NAN, f64::INFINITY, -3.0, 7.0] {
            let Next::TryAgainAt(when) = Tries::new().next(retry(None, false, 503), at(0), GIVE_UP, jitter)
            else {
                panic!("no further try with jitter {jitter}");
            };
            assert!((100..=200).contains(&when.as_millis()), "{jitter}: {when}");
        }
    }

    #[test]
    fn retry_after_is_the_least_that_is_waited() {
        let next = Tries::new().next(retry(Some(7), false, 429), at(1_000), GIVE_UP, 0.0);
        assert_eq!(next, Next::TryAgainAt(at(8_000)));
        let next = Tries::new().next(retry(Some(0), false, 429), at(1_000), GIVE_UP, 0.0);
        assert_eq!(next, Next::TryAgainAt(at(1_100)), "a wish of zero does not make us hammer");
    }

    #[test]
    fn no_try_begins_after_giving_up() {
        let next = Tries::new().next(retry(Some(60), false, 429), at(1_000), GIVE_UP, 0.0);
        assert_eq!(next, refusal(429, None, false), "the wish goes past the deadline");
        let next = Tries::new().next(retry(None, false, 503), GIVE_UP, GIVE_UP, 0.0);
        assert_eq!(next, refusal(503, None, false));
        let next = Tries::new().next(retry(Some(u64::MAX), false, 429), at(0), Timestamp::MAX, 1.0);
        assert_eq!(next, refusal(429, None, false), "never is not waited for");
    }

    #[test]
    fn giving_up_after_a_try_that_may_have_worked_is_lost() {
        let mut tries = Tries::new();
        assert!(matches!(tries.next(retry(None, true, 0), at(0), GIVE_UP, 0.5), Next::TryAgainAt(_)));
        assert_eq!(tries.next(retry(None, false, 429), GIVE_UP, GIVE_UP, 0.5), lost("429 Too Many Requests"));
    }

    #[test]
    fn an_answer_that_tells_nothing_is_asked_for_once_more() {
        let unclear = || TryOutcome::Unclear(Rejection { status: 202, code: None, message: "{}".into() });
        let mut tries = Tries::new();
        assert_eq!(tries.next(unclear(), at(0), GIVE_UP, 1.0), Next::TryAgainAt(at(200)));
        let said = "202 Accepted, without confirmation in the body";
        assert_eq!(tries.next(unclear(), at(200), GIVE_UP, 1.0), lost(said));

        let mut tries = Tries::new();
        assert_eq!(tries.next(unclear(), at(0), GIVE_UP, 1.0), Next::TryAgainAt(at(200)));
        assert_eq!(tries.next(retry(None, true, 503), at(200), GIVE_UP, 1.0), Next::TryAgainAt(at(600)));
        assert_eq!(tries.next(unclear(), at(600), GIVE_UP, 1.0), lost(said), "whatever came between");

        let mut tries = Tries::new();
        assert!(matches!(tries.next(unclear(), at(0), GIVE_UP, 1.0), Next::TryAgainAt(_)));
        let second = TryOutcome::Refused(rejection(400, Some(15109)));
        assert_eq!(tries.next(second, at(200), GIVE_UP, 1.0), refusal(400, Some(15109), true));
    }

    #[test]
    fn what_is_lost_says_in_short_what_came_last() {
        let told = |status, code, message: &str| {
            let what = Rejection { status, code, message: message.into() };
            let verdict = TryOutcome::Retry { after: None, may_have_happened: true, what };
            match Tries::new().next(verdict, GIVE_UP, GIVE_UP, 0.5) {
                Next::Answer(Answer::Lost(said)) => said.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told(503, None, ""), "503 Service Unavailable");
        assert_eq!(told(502, None, "<html>secret"), "502 Bad Gateway, with an HTML page");
        assert_eq!(told(200, None, "<html>Log in"), "200 OK, with an HTML page");
        assert_eq!(told(202, None, ""), "202 Accepted, without a body");
        assert_eq!(told(599, None, "{}"), "599");
        assert_eq!(told(500, Some(10055), "m"), "error 10055: m");
        assert_eq!(told(0, None, "no answer within 10 s"), "no answer within 10 s");
        assert_eq!(told(0, None, &"é".repeat(900)).chars().count(), 200);
    }

    #[test]
    fn a_refusal_after_a_lost_try_is_marked() {
        let mut tries = Tries::new();
        assert!(matches!(
            tries.next(TryOutcome::answer_lost("timeout"), at(0), GIVE_UP, 0.5),
            Next::TryAgainAt(_)
        ));
        let second = TryOutcome::Refused(rejection(400, Some(15109)));
        assert_eq!(tries.next(second, at(300), GIVE_UP, 0.5), refusal(400, Some(15109), true));
    }

    #[test]
    fn a_refusal_after_a_try_that_never_left_is_not_marked() {
        let mut tries = Tries::new();
        assert!(matches!(
            tries.next(TryOutcome::not_sent("refused"), at(0), GIVE_UP, 0.5),
            Next::TryAgainAt(_)
        ));
        let second = TryOutcome::Refused(rejection(400, Some(15109)));
        assert_eq!(tries.next(second, at(300), GIVE_UP, 0.5), refusal(400, Some(15109), false));
    }

    #[test]
    fn the_token_is_refreshed_once_a_call() {
        let mut tries = Tries::new();
        let unauthorized = || TryOutcome::Unauthorized(rejection(401, Some(10004)));
        assert_eq!(tries.next(unauthorized(), at(0), GIVE_UP, 0.5), Next::RefreshTokenAndTryAgain);
        assert_eq!(tries.next(unauthorized(), at(10), GIVE_UP, 0.5), refusal(401, Some(10004), false));
        assert_eq!(
            Tries::new().next(unauthorized(), GIVE_UP, GIVE_UP, 0.5),
            refusal(401, Some(10004), false)
        );
    }

    #[test]
    fn jitter_is_the_same_for_the_same_try_and_spread_over_calls() {
        let id = |n: u128| Uuid::from_u128(n);
        assert!((jitter(id(7), 3) - jitter(id(7), 3)).abs() < f64::EPSILON);
        for drawn in [
            (0..1_000).map(|n| jitter(id(n), 1)).collect::<Vec<_>>(),
            (0..1_000).map(|n| jitter(id(9), n)).collect(),
        ] {
            let mean = drawn.iter().sum::<f64>() / 1_000.0;
            assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)) && (0.45..0.55).contains(&mean), "{mean}");
        }
    }

    #[test]
    fn what_is_done_is_done() {
        let next = Tries::new().next(TryOutcome::Done(Reply::Ok), at(0), GIVE_UP, 0.5);
        assert_eq!(next, Next::Answer(Answer::Done(Reply::Ok)));
    }
}
