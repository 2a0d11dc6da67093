//! How long something rests that the partner does not take now, before it is told again.

use std::time::Duration;

use crate::model::time::jittered;

/// The rest after the first round of tries; each that follows is twice as long, up to the second figure.
const RESTS: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// The longest wish to be left alone that is honoured: what is told later than that is told too late.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// The rest after the `round`th round of tries that failed, from 1: between half and all of it, as `chance` (from 0 to
/// 1) says, so that those who failed together do not come back together; and no shorter than the partner's wish.
pub(super) fn rest(round: u32, chance: f64, wish: Duration) -> Duration {
    let (first, longest) = RESTS;
    let times = 2_u32.saturating_pow(round.saturating_sub(1));
    let whole = first.saturating_mul(times).min(longest);
    jittered(whole, chance).max(wish.min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(round: u32, chance: f64, wish: u64) -> u64 {
        rest(round, chance, Duration::from_secs(wish)).as_secs()
    }

    #[test]
    fn rests_double_up_to_the_longest_and_chance_fills_their_upper_half() {
        let all = |chance| [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|round| seconds(round, chance, 0));
        assert_eq!(all(1.0), [30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(all(0.0), [15, 30, 60, 120, 240, 450, 450, 450]);
    }

    #[test]
    fn a_wish_is_honoured_up_to_an_hour() {
        assert_eq!([5, 600, 3_600, 7_200].map(|wish| seconds(1, 1.0, wish)), [30, 600, 3_600, 3_600]);
    }
}
