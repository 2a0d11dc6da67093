//! Reading one table: key by key, so that each that is wrong is told, and the others are read all the same.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::super::keys;
use super::super::values::{culprit, take_as_text};
use super::{Document, Source};

impl<'t> Document<'t> {
    /// Reads a table, again without each key that turns out to be wrong, until no key is.
    pub(super) fn read_what_can_be<T: DeserializeOwned>(
        &mut self,
        at: &str,
        mut table: DeTable<'t>,
        span: Range<usize>,
        variables: &HashMap<String, String>,
    ) -> Option<T> {
        let known = keys::known::<T>();
        if !known.is_empty() {
            self.refuse_keys(at, &mut table, known, |a, b| a == b);
        }
        let mut removed = Vec::new();
        loop {
            let value = Spanned::new(span.clone(), DeValue::Table(table.clone()));
            let error = match T::deserialize(value.into_deserializer()) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let Some((key, place)) = culprit(&table, &error) else {
                // What is missing because it was wrong has been told already.
                if !removed.iter().any(|key| error.message() == format!("missing field `{key}`")) {
                    let source = self.in_file(Some(span));
                    self.mistake(source, at, error.message());
                }
                return None;
            };
            let variable = variables.get(&key);
            let text = variable.and_then(|variable| self.environment.get(variable));
            if text.is_some_and(|text| take_as_text(&mut table, &key, &error, text)) {
                continue;
            }
            let source = match variable {
                Some(variable) => Source::Variable(variable.clone()),
                None => self.in_file(Some(place)),
            };
            let problem = match error.message().strip_prefix(&key) {
                Some(problem) => format!("it{problem}"),
                None => error.message().to_owned(),
            };
            self.mistake(source, format_args!("{at}.{}", keys::snake_case(&key)), problem);
            table.remove(key.as_str());
            removed.push(key);
        }
    }

    /// Names the keys that nobody reads, and takes them out, so that none is told of twice.
    pub(super) fn refuse_keys(
        &mut self,
        at: &str,
        table: &mut DeTable<'t>,
        known: &[&str],
        same: impl Fn(&str, &str) -> bool,
    ) {
        let is_unknown =
            |key: &&Spanned<DeString<'t>>| !known.iter().any(|known| same(known, key.get_ref().as_ref()));
        let unknown: Vec<_> = table.iter().map(|(key, _)| key).filter(is_unknown).cloned().collect();
        for key in unknown {
            let names: Vec<String> = known.iter().map(|key| keys::snake_case(key)).collect();
            let source = self.in_file(Some(key.span()));
            table.remove(key.get_ref().as_ref());
            let key = format!("{at}.{}", keys::snake_case(key.get_ref()));
            self.mistake(source, key, format_args!("unknown key; the keys are {}", names.join(", ")));
        }
    }
}
