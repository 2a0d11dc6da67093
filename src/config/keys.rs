//! The names of a type's fields, asked of the type itself, so that no list of them has to be kept.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The keys that a type reads, its aliases included; none where it reads any.
pub(super) fn known<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It fails as soon as the fields are known: there is nothing to read.
    T::deserialize(Probe(&mut fields)).err();
    fields
}

/// `wait_seconds` as `waitSeconds`.
pub(super) fn camel_case(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    for (n, word) in key.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if n > 0 => camel.extend(first.to_uppercase()),
            Some(first) => camel.push(first),
            None => {}
        }
        camel.push_str(letters.as_str());
    }
    camel
}

/// `waitSeconds` as `wait_seconds`.
pub(super) fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len().saturating_add(4));
    let mut after = '_';
    for c in key.chars() {
        let starts_word = c.is_uppercase() || (c.is_ascii_digit() && !after.is_ascii_digit());
        if starts_word && after != '_' {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        after = c;
    }
    snake
}

/// A key in any of its spellings: `WaitSeconds`, `waitSeconds` and `wait_seconds` are one.
pub(super) fn plain(key: &str) -> String {
    key.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

struct Probe<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Probed;

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields are known")
    }
}

impl std::error::Error for Probed {}

impl de::Error for Probed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Probed;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Probed> {
        Err(Probed)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Probed> {
        *self.0 = fields;
        Err(Probed)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::roster::Queue;

    #[test]
    fn a_type_names_its_own_keys() {
        let mut keys = known::<Queue>().to_vec();
        keys.sort_unstable();
        assert_eq!(keys, ["acceptedLast10Minutes", "id", "name", "queueId", "reps", "waitSeconds"]);
        assert_eq!(known::<String>(), [] as [&str; 0]);
    }

    #[test]
    fn both_cases_are_one_key() {
        for (snake, camel) in [
            ("id", "id"),
            ("wait_seconds", "waitSeconds"),
            ("accepted_last_10_minutes", "acceptedLast10Minutes"),
        ] {
            assert_eq!(camel_case(snake), camel);
            assert_eq!(camel_case(camel), camel);
            assert_eq!(snake_case(camel), snake);
            assert_eq!(snake_case(snake), snake);
        }
    }
}
