//! What JSON, TOML and XML have in common: named values, nested, before they mean anything.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of any of the formats.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    Null,
    Yes(bool),
    Number(f64),
    Text(String),
    List(Vec<Raw>),
    Fields(Vec<(String, Raw)>),
}

impl Raw {
    /// The value of the field that is spelled like this, give or take case and underscores.
    pub(super) fn field(&self, plain: &str) -> Option<(&str, &Self)> {
        let Self::Fields(fields) = self else { return None };
        fields.iter().find(|(name, _)| plain_name(name) == plain).map(|(name, value)| (name.as_str(), value))
    }

    /// For an error, in a few words.
    pub(super) fn describe(&self) -> String {
        const SHOWN: usize = 40;
        match self {
            Self::Null => "empty".to_owned(),
            Self::Yes(yes) => yes.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("'{}'", text.chars().take(SHOWN).collect::<String>().escape_debug()),
            Self::List(_) => "a list".to_owned(),
            Self::Fields(_) => "a group of fields".to_owned(),
        }
    }
}

/// `RoutingOwner`, `routingOwner` and `routing_owner` are one name.
pub(super) fn plain_name(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a channel definition")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Raw, E> {
        Ok(Raw::Yes(yes))
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers that count here are small")]
    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers that count here are small")]
    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Raw::Fields(fields))
    }
}
