//! What a rep searches for: the `filter` of `getContacts`, read in every shape in which its meaning is plain.
//!
//! The package types it loosely and Salesforce's own page fills it, so that a rep would pay with an empty list
//! for a capital letter. What nobody can have meant is refused, with its field.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ContactType, FilterType};

/// What a rep searches for. Everything may be left out, or be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsFilter {
    /// A part of the name or of the phone number.
    pub contains: Option<String>,
    /// How many contacts are wanted; never more than [`Self::MAX_LIMIT`] are given.
    pub limit: usize,
    /// How many are skipped first.
    pub offset: usize,
    /// What is wanted; nothing here and nothing in `unknown_types` means everything.
    pub types: Vec<FilterType>,
    /// Types that are not known here, as they came. Nothing is of such a type.
    pub unknown_types: Vec<String>,
}

impl ContactsFilter {
    /// How many contacts a page has where the filter does not say.
    pub const DEFAULT_LIMIT: usize = 50;
    /// How many contacts a page has at most, whatever the filter says. Who wants more turns the page.
    pub const MAX_LIMIT: usize = 500;
    /// How many unknown types are kept: enough to name them.
    const MAX_UNKNOWN: usize = 8;
    /// How many characters of each are kept.
    const UNKNOWN_SHOWN: usize = 40;

    /// Adds a type by its name, to the known or to the unknown ones.
    fn take_type(&mut self, name: &str) {
        match FilterType::named_like(name) {
            Some(known) if self.types.contains(&known) => {}
            Some(known) => self.types.push(known),
            None if self.unknown_types.len() < Self::MAX_UNKNOWN => {
                self.unknown_types.push(name.chars().take(Self::UNKNOWN_SHOWN).collect());
            }
            None => {}
        }
    }
}

impl FilterType {
    /// The type that a name means, in any case, of one or of many; the type of a contact means the filter
    /// type that finds it.
    fn named_like(name: &str) -> Option<Self> {
        let name = name.trim();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let one = name.strip_suffix(['s', 'S']).unwrap_or(name);
        let known =
            Self::ALL.iter().find(|known| is(known.as_str()) || one.eq_ignore_ascii_case(known.as_str()));
        known.copied().or_else(|| match ContactType::ALL.iter().find(|known| is(known.as_str()))? {
            ContactType::Agent => Some(Self::Agent),
            ContactType::Queue => Some(Self::Queue),
            ContactType::Flow => Some(Self::Flow),
            ContactType::PhoneBook => Some(Self::Directory),
            ContactType::PhoneNumber => Some(Self::Contact),
        })
    }
}

impl Default for ContactsFilter {
    fn default() -> Self {
        Self {
            contains: None,
            limit: Self::DEFAULT_LIMIT,
            offset: 0,
            types: Vec::new(),
            unknown_types: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    contains: Option<String>,
    #[serde(default)]
    limit: Option<Count>,
    #[serde(default)]
    offset: Option<Count>,
    #[serde(default)]
    types: Option<Types>,
}

impl<'de> Deserialize<'de> for ContactsFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadFilter)
    }
}

struct ReadFilter;

impl<'de> Visitor<'de> for ReadFilter {
    type Value = ContactsFilter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a search text")
    }

    fn visit_unit<E: Error>(self) -> Result<ContactsFilter, E> {
        Ok(ContactsFilter::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ContactsFilter, E> {
        Ok(ContactsFilter { contains: Some(text.to_owned()), ..ContactsFilter::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ContactsFilter, A::Error> {
        let wire = Wire::deserialize(MapAccessDeserializer::new(map))?;
        let mut filter = ContactsFilter {
            contains: wire.contains,
            limit: wire.limit.and_then(|Count(count)| count).unwrap_or(ContactsFilter::DEFAULT_LIMIT),
            offset: wire.offset.and_then(|Count(count)| count).unwrap_or(0),
            ..ContactsFilter::default()
        };
        wire.types.iter().flat_map(|Types(names)| names).for_each(|name| filter.take_type(name));
        Ok(filter)
    }
}

/// How many. Less than none says nothing; more than can be is as many as can be.
struct Count(Option<usize>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadCount)
    }
}

struct ReadCount;

impl Visitor<'_> for ReadCount {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
        Ok(Count(Some(usize::try_from(count).unwrap_or(usize::MAX))))
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<Count, E> {
        u64::try_from(count).map_or(Ok(Count(None)), |count| self.visit_u64(count))
    }

    fn visit_f64<E: Error>(self, count: f64) -> Result<Count, E> {
        if count.fract() != 0.0 {
            return Err(E::invalid_value(Unexpected::Float(count), &self));
        }
        // `as` ends at the largest and at the least.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and bounded")]
        self.visit_i64(count as i64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
        match text.trim() {
            "" => Ok(Count(None)),
            text => match text.parse::<f64>() {
                Ok(count) if !count.is_nan() => self.visit_f64(count),
                _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
            },
        }
    }
}

/// The names of types: a list, or one alone.
struct Types(Vec<String>);

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadTypes)
    }
}

struct ReadTypes;

impl<'de> Visitor<'de> for ReadTypes {
    type Value = Types;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of types, e.g. [\"AGENT\"]")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Types, E> {
        Ok(Types(name.split(',').map(str::to_owned).filter(|name| !name.trim().is_empty()).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Types, A::Error> {
        let mut types = Types(Vec::new());
        while let Some(name) = names.next_element::<Option<String>>()? {
            types.0.extend(name);
        }
        Ok(types)
    }
}

impl Serialize for ContactsFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            contains: Option<&'a str>,
            limit: usize,
            offset: usize,
            types: Vec<&'a str>,
        }
        let known = self.types.iter().map(|known| known.as_str());
        let types = known.chain(self.unknown_types.iter().map(String::as_str)).collect();
        let wire = Wire { contains: self.contains.as_deref(), limit: self.limit, offset: self.offset, types };
        wire.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json, to_value};

    use super::*;

    fn read(filter: Value) -> ContactsFilter {
        from_value(filter).unwrap()
    }

    #[test]
    fn what_the_filter_leaves_out_has_its_default() {
        let nulls = json!({"contains": null, "limit": null, "offset": null, "types": null});
        for empty in [json!({}), nulls, json!(null), json!({"types": [null]}), json!({"limit": ""})] {
            assert_eq!(read(empty), ContactsFilter::default());
        }
        assert_eq!(ContactsFilter::default().limit, 50);
    }

    #[test]
    fn a_filter_that_is_a_text_is_searched_for() {
        assert_eq!(read(json!("jo")), read(json!({"contains": "jo"})));
    }

    #[test]
    fn unknown_types_are_kept_and_nothing_is_of_them() {
        let asked = json!({"contains": "jo", "limit": 5, "offset": 10, "types": ["AGENT", "SWARM", "AGENT"]});
        let filter = read(asked);
        assert_eq!(filter.types, [FilterType::Agent]);
        assert_eq!(filter.unknown_types, ["SWARM"]);
        let told = json!({"contains": "jo", "limit": 5, "offset": 10, "types": ["AGENT", "SWARM"]});
        assert_eq!(to_value(filter).unwrap(), told);
    }

    #[test]
    fn a_type_is_known_in_any_case_and_number() {
        for known in FilterType::ALL {
            let name = known.as_str();
            let (first, rest) = name.split_at(1);
            let capital = format!("{first}{}", rest.to_lowercase());
            for spelled in [
                name,
                &name.to_lowercase(),
                &capital,
                &format!("{capital}s"),
                &format!("{name}S"),
                &format!(" {name} "),
            ] {
                assert_eq!(read(json!({ "types": [spelled] })).types, [*known], "{spelled}");
                assert_eq!(read(json!({ "types": spelled })).types, [*known], "{spelled}");
            }
        }
        let as_contacts = json!({"types": ["Agent", "Queue", "Flow", "PhoneBook", "PhoneNumber"]});
        assert_eq!(read(as_contacts).unknown_types, [""; 0]);
        assert_eq!(read(json!({"types": "agent, queue"})).types, [FilterType::Agent, FilterType::Queue]);
    }

    #[test]
    fn a_count_is_read_however_it_is_written_and_bounded() {
        let most = usize::try_from(i64::MAX).unwrap();
        for (written, limit, offset) in [
            (json!(7), 7, 7),
            (json!(7.0), 7, 7),
            (json!("7"), 7, 7),
            (json!(" 7.0 "), 7, 7),
            (json!(0), 0, 0),
            (json!(-1), 50, 0),
            (json!(-1.0), 50, 0),
            (json!(1e300), most, most),
            (json!(-1e300), 50, 0),
            (json!("1e300"), most, most),
            (json!(u64::MAX), usize::MAX, usize::MAX),
        ] {
            let filter = read(json!({"limit": written, "offset": written}));
            assert_eq!((filter.limit, filter.offset), (limit, offset), "{written}");
        }
    }

    #[test]
    fn what_nobody_can_have_meant_is_refused() {
        for wrong in [
            json!({"offset": "ten"}),
            json!({"limit": 0.5}),
            json!({"limit": "NaN"}),
            json!({"limit": {}}),
            json!({"limit": true}),
            json!({"contains": 5}),
            json!({"types": [5]}),
            json!({"types": {}}),
            json!(["AGENT"]),
            json!(5),
        ] {
            assert!(from_value::<ContactsFilter>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
