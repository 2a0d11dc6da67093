//! Numbers and ids that only the seed decides.

use std::fmt::Debug;
use std::str::FromStr;

/// A stream of numbers that its seed decides (SplitMix64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// The stream of that seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number, from 0 and below 1; what [`Salesforce::deliver`](super::Salesforce::deliver) takes.
    pub fn next_unit(&mut self) -> f64 {
        let high = u32::try_from(self.next_u64() >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Makes ids as an org would: records numbered upwards in base 62 behind their prefix and the org's
/// instance, UUIDs for everything else.
#[derive(Debug, Clone)]
pub(super) struct IdGenerator {
    draws: SeededRandom,
    instance: [char; 2],
    next_record: u64,
    next_replay: u64,
}

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits behind prefix and instance.
const DIGITS: usize = 10;

fn digit(value: u64) -> char {
    let index = usize::try_from(value % 62).unwrap_or(0);
    BASE_62.get(index).map_or('0', |&byte| char::from(byte))
}

impl IdGenerator {
    pub(super) const fn instance_letter(draw: u64) -> u64 {
        (draw % 52).saturating_add(10)
    }

    pub(super) fn new(seed: u64) -> Self {
        let mut draws = SeededRandom::new(seed);
        let first = digit(Self::instance_letter(draws.next_u64()));
        let second = digit(Self::instance_letter(draws.next_u64()));
        let above = draws.next_u64().checked_rem(62_u64.pow(5)).unwrap_or_default();
        let next_record = 62_u64.pow(4).saturating_add(above);
        let next_replay = draws.next_u64() % (1 << 40);
        Self { draws, instance: [first, second], next_record, next_replay }
    }

    /// A record id of the kind that starts with `prefix`.
    pub(super) fn record<T>(&mut self, prefix: &str) -> T
    where
        T: FromStr,
        T::Err: Debug,
    {
        let mut rest = self.next_record;
        self.next_record = self.next_record.saturating_add(1);
        let mut digits = ['0'; DIGITS];
        for place in digits.iter_mut().rev() {
            *place = digit(rest);
            rest /= 62;
        }
        parsed(&prefix.chars().chain(self.instance).chain(digits).collect::<String>())
    }

    /// A UUID, as text.
    pub(super) fn uuid(&mut self) -> String {
        let bytes = (u128::from(self.draws.next_u64()) << 64) | u128::from(self.draws.next_u64());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
    }

    /// A UUID, as an id of ours that is free text.
    pub(super) fn text_id<T>(&mut self) -> T
    where
        T: FromStr,
        T::Err: Debug,
    {
        let uuid = self.uuid();
        parsed(&uuid)
    }

    /// A replay id: rises, has gaps, means nothing. Its last two bytes are zero, as clients have come to
    /// rely on that take it for a number of eight bytes.
    pub(super) fn replay_id(&mut self) -> Vec<u8> {
        self.next_replay = self.next_replay.saturating_add(self.draws.next_u64() % 7).saturating_add(1);
        [self.next_replay.to_be_bytes().as_slice(), &[0, 0]].concat()
    }
}

#[expect(clippy::expect_used, reason = "what the mint makes has the shape that the id type asks for")]
fn parsed<T>(text: &str) -> T
where
    T: FromStr,
    T::Err: Debug,
{
    text.parse().expect("a minted id has the shape of its kind")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AgentWorkId, ConversationId};

    #[test]
    fn a_seed_decides_every_id() {
        let (mut one, mut two) = (IdGenerator::new(7), IdGenerator::new(7));
        for _ in 0..100 {
            let id: AgentWorkId = one.record(AgentWorkId::PREFIX);
            assert_eq!(id, two.record(AgentWorkId::PREFIX));
            assert_eq!(one.text_id::<ConversationId>(), two.text_id());
            assert_eq!(one.replay_id(), two.replay_id());
        }
        assert_ne!(IdGenerator::new(8).uuid(), IdGenerator::new(7).uuid());
    }

    #[test]
    fn replay_ids_rise_with_gaps() {
        let mut mint = IdGenerator::new(1);
        let ids: Vec<_> = (0..50).map(|_| mint.replay_id()).collect();
        assert!(ids.is_sorted());
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_unit_draw_stays_below_one() {
        let mut draws = SeededRandom::new(3);
        assert!((0..1000).map(|_| draws.next_unit()).all(|unit| (0.0..1.0).contains(&unit)));
    }
}
