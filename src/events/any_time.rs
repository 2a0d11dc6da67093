//! A point in time, however Salesforce or a recording spells it.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::time::Timestamp;

/// A point in time: milliseconds or seconds since the epoch, RFC 3339, or an Avro union of one of them.
pub(super) struct AnyTime(pub(super) Option<Timestamp>);

/// Smaller numbers are seconds: as milliseconds this is March 1973, as seconds the year 5138.
const LEAST_MILLIS: u64 = 100_000_000_000;

impl AnyTime {
    pub(super) fn from_number(number: i64) -> Self {
        let millis = if number.unsigned_abs() < LEAST_MILLIS { number.saturating_mul(1000) } else { number };
        Self(Some(Timestamp::from_millis(millis)))
    }
}

impl<'de> Deserialize<'de> for AnyTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyTimeVisitor;
        impl<'de> Visitor<'de> for AnyTimeVisitor {
            type Value = AnyTime;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds since the epoch, or RFC 3339")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<AnyTime, E> {
                Ok(AnyTime::from_number(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AnyTime, E> {
                Ok(AnyTime::from_number(i64::try_from(number).unwrap_or(i64::MAX)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyTime, E> {
                match (text.parse::<i64>(), Timestamp::parse_rfc3339(text)) {
                    (Ok(number), _) => Ok(AnyTime::from_number(number)),
                    (_, Some(at)) => Ok(AnyTime(Some(at))),
                    _ => Err(de::Error::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_unit<E: de::Error>(self) -> Result<AnyTime, E> {
                Ok(AnyTime(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyTime, A::Error> {
                let mut moment = AnyTime(None);
                while let Some((_, inner)) = map.next_entry::<IgnoredAny, AnyTime>()? {
                    moment = inner;
                }
                Ok(moment)
            }
        }
        deserializer.deserialize_any(AnyTimeVisitor)
    }
}
