//! Ids as Salesforce writes them (PROTOCOL: "Records and their ids").
//!
//! A record id has a 15-character case-sensitive form and an 18-character form, which is the same
//! plus a 3-character checksum. Both are read, the checksum is verified, and the 15-character form
//! is what is kept and sent: `workItemId` and the `OrgId` header take no other.
//!
//! Invariants
//! - A value of an id type has the shape and the prefix of its kind; there is no unchecked way in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many characters an id of ours that is free text (a conversation, an event) may have.
///
/// Salesforce's own schema stops at 240; what is longer is not an id.
pub const MAX_TEXT_ID: usize = 240;

/// Why a text is not the id that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither 15 nor 18 characters.
    #[error("'{text}' is not a valid {kind} id: it has {found} characters, not 15 or 18")]
    Length {
        /// What kind of id was asked for.
        kind: &'static str,
        /// The text, cut to a readable length.
        text: String,
        /// How many characters it has.
        found: usize,
    },
    /// A character that no record id has.
    #[error("'{text}' is not a valid {kind} id: it may only have letters and digits")]
    Character {
        /// What kind of id was asked for.
        kind: &'static str,
        /// The text.
        text: String,
    },
    /// The id of another kind of record.
    #[error("'{text}' is not a valid {kind} id: those start with {prefix}")]
    Prefix {
        /// What kind of id was asked for.
        kind: &'static str,
        /// The text.
        text: String,
        /// The three characters that it should start with.
        prefix: &'static str,
    },
    /// The last three of 18 characters do not fit the first 15.
    #[error("'{text}' is not a valid {kind} id: its checksum should be {expected}; was its case changed?")]
    Checksum {
        /// What kind of id was asked for.
        kind: &'static str,
        /// The text.
        text: String,
        /// The checksum that the first 15 characters have.
        expected: String,
    },
    /// Empty, or longer than [`MAX_TEXT_ID`].
    #[error(
        "'{text}' is not a valid {kind} id: it must have 1 to {MAX_TEXT_ID} characters, and no control characters"
    )]
    Text {
        /// What kind of id was asked for.
        kind: &'static str,
        /// The text, cut to a readable length.
        text: String,
    },
}

/// Cuts a text that came from outside to what fits in one line of an error.
fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut cut: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        cut.push('…');
    }
    cut
}

/// The three checksum characters of a 15-character id.
///
/// Each stands for five characters: bit n is set where character n is an upper-case letter.
fn checksum(id: &[u8; 15]) -> [u8; 3] {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut sum = [b'A'; 3];
    for (letter, five) in sum.iter_mut().zip(id.chunks(5)) {
        let bits = five
            .iter()
            .enumerate()
            .filter(|(_, c)| c.is_ascii_uppercase())
            .fold(0_usize, |bits, (n, _)| bits | (1 << n));
        *letter = ALPHABET.get(bits).copied().unwrap_or(b'A');
    }
    sum
}

/// Reads either form of a record id of the given kind.
fn parse_record_id(kind: &'static str, prefix: &'static str, text: &str) -> Result<[u8; 15], Error> {
    let bytes = text.as_bytes();
    if bytes.len() != 15 && bytes.len() != 18 {
        let found = text.chars().count();
        return Err(Error::Length { kind, text: shown(text), found });
    }
    if !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return Err(Error::Character { kind, text: shown(text) });
    }
    if !bytes.starts_with(prefix.as_bytes()) {
        return Err(Error::Prefix { kind, text: shown(text), prefix });
    }
    let Some((id, given)) = bytes.split_first_chunk::<15>() else {
        return Err(Error::Length { kind, text: shown(text), found: bytes.len() });
    };
    let expected = checksum(id);
    if !given.is_empty() && !given.eq_ignore_ascii_case(&expected) {
        let expected = String::from_utf8_lossy(&expected).into_owned();
        return Err(Error::Checksum { kind, text: shown(text), expected });
    }
    Ok(*id)
}

macro_rules! record_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 15]);

        impl $name {
            /// The three characters that every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Reads the 15- or the 18-character form.
            ///
            /// # Errors
            /// Says what is wrong with the text: its length, its characters, its prefix or its checksum.
            pub fn parse(text: &str) -> Result<Self, Error> {
                parse_record_id($kind, $prefix, text).map(Self)
            }

            /// The 15-character form, the one that is sent.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }

            /// The 18-character form, with its checksum.
            pub fn to_18(&self) -> String {
                let sum = checksum(&self.0);
                format!("{self}{}", String::from_utf8_lossy(&sum))
            }
        }

        impl_text_traits!($name);
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            ///
            /// # Errors
            /// Where it is empty, longer than [`MAX_TEXT_ID`], or holds control characters.
            pub fn parse(text: &str) -> Result<Self, Error> {
                let fits = (1..=MAX_TEXT_ID).contains(&text.len()) && !text.chars().any(char::is_control);
                if fits { Ok(Self(text.into())) } else { Err(Error::Text { kind: $kind, text: shown(text) }) }
            }

            /// The id as Salesforce wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl_text_traits!($name);
    };
}

macro_rules! impl_text_traits {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", stringify!($name)))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

record_id!(
    /// A rep: the Salesforce user who answers.
    RepId, "rep", "005"
);
record_id!(
    /// A messaging session, the work item of a conversation.
    WorkItemId, "work item", "0Mw"
);
record_id!(
    /// A pending service routing: a work item that waits for a rep.
    PsrId, "pending service routing", "0JR"
);
record_id!(
    /// An agent work: one offer of a work item to one rep.
    AgentWorkId, "agent work", "0Bz"
);
record_id!(
    /// An Omni-Channel queue.
    QueueId, "queue", "00G"
);
record_id!(
    /// An Omni-Channel flow.
    FlowId, "flow", "300"
);
record_id!(
    /// An external bot.
    BotId, "bot", "1JZ"
);
record_id!(
    /// A Salesforce org.
    OrgId, "org", "00D"
);
impl OrgId {
    /// The org of what happens in none: a replay stores nothing.
    pub const NONE: Self = Self(*b"00D000000000000");
}

text_id!(
    /// A conversation: `conversationIdentifier`, a UUID.
    ConversationId, "conversation"
);
text_id!(
    /// A routing event: the `eventId` inside `channelData`, which later calls name as `routingCorrelationId`.
    EventId, "routing event"
);
text_id!(
    /// A skill that a rep may have.
    SkillId, "skill"
);
text_id!(
    /// One deployed channel in one org: `channelAddressIdentifier`, a UUID.
    ChannelAddressId, "channel address"
);
text_id!(
    /// A participant who is not a rep: an end user's client id on the partner's channel, or a bot.
    Subject, "participant"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_id() {
        let short = RepId::parse("005D0000001AbcD").unwrap();
        let long = RepId::parse(&short.to_18()).unwrap();
        assert_eq!(short, long);
        assert_eq!(long.as_str(), "005D0000001AbcD");
    }

    #[test]
    fn the_checksum_is_salesforces_own() {
        // A pair as an org shows it: upper-case letters set bits, five characters a checksum letter.
        assert_eq!(&checksum(b"001A0000006Vm9r"), b"IAC");
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_named() {
        let mut long = RepId::parse("005D0000001AbcD").unwrap().to_18();
        long.replace_range(17.., "5");
        let error = RepId::parse(&long).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
    }

    #[test]
    fn another_kind_of_record_is_refused_by_its_prefix() {
        let error = RepId::parse("00G000000000001").unwrap_err();
        assert_eq!(error.to_string(), "'00G000000000001' is not a valid rep id: those start with 005");
    }

    #[test]
    fn lengths_and_characters_are_checked_without_cutting_a_character() {
        for text in [
            "",
            "005",
            "0050000000000012",
            "005é0000000001",
            "005000000000-01",
            "\u{1F600}\u{1F600}\u{1F600}\u{1F600}x",
        ] {
            assert!(RepId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_id_has_bounds() {
        assert!(ConversationId::parse("").is_err());
        assert!(ConversationId::parse(&"x".repeat(MAX_TEXT_ID + 1)).is_err());
        assert!(ConversationId::parse("a\nb").is_err());
        assert_eq!(ConversationId::parse("hilde").unwrap().as_str(), "hilde");
    }
}
