//! What is known not to be right, counted: worlds whose link is worse than any that the other tests take.
//!
//! The counts stand in `docs/decisions.md`, under "Known limits". `scripts/soak limits` prints them.
#![expect(clippy::print_stderr, reason = "the counts are what this is for")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::link::Link;
use super::seeds::run_seed_with_link;

/// What makes a link another.
type Change = fn(&mut Link);

/// The links, by what is said of them.
const LINKS: [(&str, Change); 3] = [
    ("the usual link", |_| {}),
    ("three of five tries fail", |link| link.trouble = 0.6),
    ("events are up to 30 seconds late", |link| link.event_delay = 30_000),
];

/// A mistake without the ids in it.
fn kind(mistake: &str) -> String {
    let named = |word: &&str| !word.chars().any(|letter| letter.is_ascii_digit());
    mistake.split([' ', '"', '(', ')', '{', '}', ',']).filter(named).collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "counts what is known, for as many seeds as one likes"]
fn known_limits_are_counted() {
    for (said, change) in LINKS {
        let seeds = super::seeds();
        let next = AtomicU64::new(seeds.start);
        let kinds = Mutex::new(BTreeMap::<String, (u64, u64)>::new());
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    let mut seed = next.fetch_add(1, Ordering::Relaxed);
                    while seed < seeds.end {
                        for mistake in run_seed_with_link(seed, change).mistakes {
                            let mut kinds = kinds.lock().unwrap();
                            let (count, first) = kinds.entry(kind(&mistake)).or_insert((0, seed));
                            (*count, *first) = (*count + 1, seed.min(*first));
                        }
                        seed = next.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        eprintln!("{said}, {} seeds:", seeds.end - seeds.start);
        for (kind, (count, first)) in kinds.into_inner().unwrap() {
            eprintln!("{count:8}  {kind} (seed {first} is the first)");
        }
    }
}
