//! Wall time in milliseconds, and the one place that reads the system clock.
//!
//! `Instant` cannot be stored and a state machine must survive its process, so the core counts in
//! milliseconds since the epoch and is told what time it is.
//!
//! Invariants
//! 1. While the process lives its time never goes back and never jumps, whatever the machine's clock is set to,
//!    and goes on while the machine is suspended.
//!
//! Elsewhere: waiting for a moment in `interaction`, whose timers stand still while the machine is suspended.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest moment there is; used as "never".
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339, e.g. `2026-06-01T12:00:00.250Z`; anything finer than a millisecond is cut off.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Between half and all of `backoff`, as `chance` (from 0 to 1; anything else is the nearer end, no number is the
/// middle) says: those who failed together do not come back together.
#[must_use]
pub fn jittered(backoff: Duration, chance: f64) -> Duration {
    let half = backoff.checked_div(2).unwrap_or_default();
    let chance = if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 0.5 };
    #[expect(clippy::disallowed_methods, reason = "a part of it always fits")]
    half.saturating_add(half.mul_f64(chance))
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Writes a moment as RFC 3339, for people and for JSON that leaves the process.
///
/// # Errors
/// The serializer's own.
pub fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// As [`as_text`]; `null` where there is none.
///
/// # Errors
/// The serializer's own.
pub fn as_text_or_null<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

/// Tells the time. Tests, replays and simulations bring their own.
pub trait Clock: Send + Sync {
    /// What time it is; never earlier than it was.
    fn now(&self) -> Timestamp;

    /// By how many milliseconds the machine's clock is ahead of this one, for it has been set meanwhile;
    /// negative where it is behind.
    fn machine_ahead(&self) -> i64 {
        0
    }
}

/// What a machine says of time. Tests bring one whose clock can be set.
pub trait Machine: Send + Sync {
    /// The wall clock, which anybody may set.
    fn wall(&self) -> Timestamp;

    /// How long the machine has been running, suspended or not. Nobody can set that.
    fn uptime(&self) -> Duration;
}

/// Wall time that nobody can set: that of the beginning, and what has gone by since. Deadlines are moments of
/// it, so that no offer rings for an hour longer because somebody set the machine's clock.
#[derive(Debug)]
pub struct SteadyClock<M> {
    machine: M,
    wall: Timestamp,
    uptime: Duration,
}

impl<M: Machine> SteadyClock<M> {
    /// Begins with what the machine's clock shows now.
    pub fn begin(machine: M) -> Self {
        let (wall, uptime) = (machine.wall(), machine.uptime());
        Self { machine, wall, uptime }
    }
}

impl<M: Machine> Clock for SteadyClock<M> {
    fn now(&self) -> Timestamp {
        self.wall + self.machine.uptime().saturating_sub(self.uptime)
    }

    fn machine_ahead(&self) -> i64 {
        self.machine.wall().0.saturating_sub(self.now().0)
    }
}

/// The time of this machine, as a [`SteadyClock`] that began with the process. All of them are one clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

static STEADY: LazyLock<SteadyClock<ThisMachine>> = LazyLock::new(|| SteadyClock::begin(ThisMachine));

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        STEADY.now()
    }

    fn machine_ahead(&self) -> i64 {
        STEADY.machine_ahead()
    }
}

/// The machine that the process runs on.
#[derive(Debug)]
struct ThisMachine;

impl Machine for ThisMachine {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system clock is read")]
    fn wall(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    #[cfg(unix)]
    fn uptime(&self) -> Duration {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(CLOCK);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
    }

    /// Elsewhere the wall clock has to do, and whoever sets it moves the deadlines.
    #[cfg(not(unix))]
    fn uptime(&self) -> Duration {
        self.wall().since(Timestamp(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_there_and_back() {
        let at = Timestamp::parse_rfc3339("2026-06-01T14:00:00.2509+02:00").unwrap();
        assert_eq!(at.to_string(), "2026-06-01T12:00:00.250Z");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let beginning = Timestamp::from_millis(i64::MIN);
        for long in [Duration::from_secs(1), Duration::from_secs(u64::MAX), Duration::MAX] {
            assert_eq!(Timestamp::MAX + long, Timestamp::MAX);
            assert_eq!(beginning - long, beginning);
        }
        assert_eq!(beginning.since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::MAX.since(beginning).as_millis(), u128::from(i64::MAX.unsigned_abs()));
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(9)), Duration::ZERO);
    }

    /// A machine that a test moves.
    #[derive(Default)]
    struct Moved {
        wall: std::sync::atomic::AtomicI64,
        uptime: std::sync::atomic::AtomicU64,
    }

    impl Machine for &Moved {
        fn wall(&self) -> Timestamp {
            Timestamp(self.wall.load(std::sync::atomic::Ordering::SeqCst))
        }

        fn uptime(&self) -> Duration {
            Duration::from_millis(self.uptime.load(std::sync::atomic::Ordering::SeqCst))
        }
    }

    impl Moved {
        fn set(&self, wall: i64, uptime: u64) {
            self.wall.store(wall, std::sync::atomic::Ordering::SeqCst);
            self.uptime.store(uptime, std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[test]
    fn steady_time_follows_the_uptime_and_says_how_far_the_machine_was_set() {
        let machine = Moved::default();
        machine.set(1_000_000, 500);
        let clock = SteadyClock::begin(&machine);
        let says = || (clock.now().as_millis(), clock.machine_ahead());
        assert_eq!(says(), (1_000_000, 0));
        machine.set(1_000_250, 750);
        assert_eq!(says(), (1_000_250, 0));
        machine.set(4_600_250, 750);
        assert_eq!(says(), (1_000_250, 3_600_000), "set forward by an hour");
        machine.set(1_000_250 - 3_600_000, 750);
        assert_eq!(says(), (1_000_250, -3_600_000), "set back by an hour");
        machine.set(1_000_250, 0);
        assert_eq!(says().0, 1_000_000, "an uptime that went back is none");
    }

    #[test]
    fn this_machines_time_is_wall_time_and_goes_on() {
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(first <= second);
        assert!(SystemClock.machine_ahead().unsigned_abs() < 5_000, "{}", SystemClock.machine_ahead());
        assert!(first > Timestamp::parse_rfc3339("2025-01-01T00:00:00Z").unwrap());
    }
}
