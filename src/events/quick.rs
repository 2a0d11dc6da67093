//! Reads the envelope of an ordinary platform event in one pass over its bytes.
//!
//! Most lines of a recording are events whose fields are strings, numbers, nulls and unions of strings, as
//! Salesforce writes them. Such an object is read here as it stands, its payload unescaped on the way.
//!
//! Invariant: what this module reads, serde_json reads to the same. Whatever is unusual, broken things
//! included, is `None`: then the general reader reads it, or says what is wrong.

use std::borrow::Cow;

use super::FieldNames;
use super::any_time::AnyTime;
use super::envelope::Payload;

pub(crate) use super::envelope::Envelope;
use super::json::UnionText;
use super::unescape::string;

/// Walks over JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quick<'a> {
    rest: &'a str,
}

impl<'a> Quick<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Takes exactly this text.
    pub(crate) fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Takes a string.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        let (text, length) = string(self.rest)?;
        self.rest = self.rest.get(length..)?;
        Some(text)
    }

    /// Takes a string in which nothing is escaped.
    pub(crate) fn plain(&mut self) -> Option<&'a str> {
        match self.string()? {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// Takes a string, a union that holds one, or null.
    fn union(&mut self) -> Option<UnionText<'a>> {
        if self.rest.starts_with('"') {
            return self.string().map(UnionText::from);
        }
        if self.take("null").is_some() {
            return Some(UnionText(None));
        }
        self.take("{\"string\":")?;
        let text = self.string()?;
        self.take("}")?;
        Some(text.into())
    }

    /// Takes a whole number that is neither negative nor long.
    fn number(&mut self) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.rest.get(..length).filter(|digits| length < 18 && !digits.starts_with('0'))?;
        self.rest = self.rest.get(length..).filter(|rest| rest.starts_with([',', '}']))?;
        digits.parse().ok()
    }

    /// Takes an event; gives its text and what is in it.
    pub(crate) fn event(&mut self, names: &FieldNames) -> Option<(&'a str, Envelope<'a>)> {
        let whole = self.rest;
        let mut envelope = Envelope::default();
        self.take("{")?;
        loop {
            let key = self.plain()?;
            self.take(":")?;
            match key {
                "CreatedDate" => envelope.created = AnyTime::from_number(self.number()?).0,
                "EventUuid" => envelope.uuid = self.union()?.into_cow(),
                name if names.is_event_type(name) => envelope.event_type = self.union()?.into_cow(),
                name if names.is_payload(name) => {
                    envelope.payload = self.union()?.into_cow().map(Payload::Text);
                }
                _ if self.number().is_some() => {}
                _ => drop(self.union()?),
            }
            if self.take(",").is_none() {
                self.take("}")?;
                let length = whole.len().saturating_sub(self.rest.len());
                return Some((whole.get(..length)?, envelope));
            }
        }
    }
}
