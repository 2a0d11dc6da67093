//! How many descriptors this process may have open, and how many of them connections may take.
//!
//! A connection too many is a store that cannot open its file and a call that cannot be made, so that what is
//! accepted is bounded by what the system really allows.

/// No more connections than this are open at once where nothing is set, however much the system allows.
const MOST: usize = 2048;

/// Descriptors that are kept back for the store, the streams of events, calls and webhooks.
const KEPT_BACK: u64 = 256;

/// As many as this are open at once even where the system allows next to nothing.
const LEAST: u64 = 16;

/// More is not asked for: a limit without an end makes some programs count to it.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

/// Raises the limit of open descriptors to what the system lets this process have. To be called once, at the start.
pub fn raise_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
        if current.is_some_and(|current| current < wanted) {
            let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
            if let Err(error) = raised {
                tracing::warn!(%error, "the limit of open file descriptors could not be raised");
            }
        }
    }
}

/// How many connections may be open at once: as many as are wanted, where the system allows that.
pub(super) fn seats(wanted: Option<usize>) -> usize {
    seats_of(limit(), wanted.unwrap_or(MOST))
}

#[cfg(unix)]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn limit() -> Option<u64> {
    None
}

/// How many of those that are wanted fit in a limit of descriptors; none is no limit. A small limit is shared in half.
fn seats_of(limit: Option<u64>, wanted: usize) -> usize {
    let free = limit.map_or(u64::MAX, |limit| limit.saturating_sub(KEPT_BACK.min(limit / 2)));
    usize::try_from(free.max(LEAST)).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_everything_else() {
        for (limit, wanted, seats) in [
            (Some(0), MOST, 16),
            (Some(64), MOST, 32),
            (Some(256), MOST, 128),
            (Some(1024), MOST, 768),
            (Some(2304), MOST, 2048),
            (Some(u64::MAX), MOST, 2048),
            (None, MOST, 2048),
            (Some(1024), 4, 4),
            (Some(1024), 10_000, 768),
            (Some(65_536), 10_000, 10_000),
        ] {
            assert_eq!(seats_of(limit, wanted), seats, "{wanted} in {limit:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        raise_descriptors();
        let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let hard = allowed.maximum.unwrap_or(ENOUGH).min(ENOUGH);
        assert!(allowed.current.is_none_or(|soft| soft >= hard), "{allowed:?}");
    }
}
