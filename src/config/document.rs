//! A TOML document that is taken apart key by key, so that one mistake does not hide the next.

mod reading;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memchr::memchr_iter;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::values::{camel_case_keys, in_words, single};
use super::{Environment, keys};

/// How many mistakes are told. Who has made more has made one of them many times.
const MOST_TOLD: usize = 100;

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the file, on that line (counted from 1) where it is known.
    File(PathBuf, Option<usize>),
    /// In an environment variable.
    Variable(String),
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub source: Source,
    /// The key, `reps[3].capacity`; none where the file is not TOML.
    pub key: Option<String>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::File(path, Some(line)) => write!(f, "{}, line {line}", path.display())?,
            Source::File(path, None) => write!(f, "{}", path.display())?,
            Source::Variable(name) => return write!(f, "the variable {name}: {}", self.problem),
        }
        match &self.key {
            Some(key) => write!(f, ", {key}: {}", self.problem),
            None => write!(f, ": {}", self.problem),
        }
    }
}

/// An entry of a list that is told apart by its id.
pub(super) trait Entry: DeserializeOwned {
    /// Whether the type spells its keys in camelCase, as a recording does.
    const CAMEL_CASE: bool = true;

    /// Whether more is checked when all of the document is read, so that each value's place must be known.
    const PLACED: bool = false;

    /// The id, where there is one.
    fn id(&self) -> Option<&str>;

    /// Keys whose values cannot be, and why.
    fn mistakes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A text, and where it was read.
pub(super) struct Text {
    pub(super) value: String,
    pub(super) source: Source,
}

/// A table at the top, before it is read.
struct RawTable<'t> {
    table: DeTable<'t>,
    span: Range<usize>,
    /// The variables that gave a value, by key.
    variables: HashMap<String, String>,
}

/// What is left of the document, and what was wrong with the rest.
pub(super) struct Document<'t> {
    path: &'t Path,
    text: &'t str,
    left: DeTable<'t>,
    environment: &'t Environment,
    /// Keys that were asked for.
    known: Vec<&'static str>,
    /// Where the values of tables and of [`Entry::PLACED`] stand, by their whole keys.
    places: HashMap<String, Source>,
    mistakes: Vec<Mistake>,
    /// How many mistakes there are beyond those that are told.
    untold: usize,
}

impl<'t> Document<'t> {
    pub(super) fn parse(path: &'t Path, text: &'t str, environment: &'t Environment) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        // What is no TOML is not looked into: what was meant cannot be told.
        let left = if errors.is_empty() { table.into_inner() } else { DeTable::new() };
        let mut document = Self {
            path,
            text,
            left,
            environment,
            known: Vec::new(),
            places: HashMap::new(),
            mistakes: Vec::new(),
            untold: 0,
        };
        for error in errors.into_iter().take(MOST_TOLD) {
            let source = document.in_file(error.span());
            // One slip can be several errors to a parser that goes on; the first on a line names it.
            if !document.mistakes.iter().any(|known| known.source == source) {
                let problem = format!("this is not TOML: {}", error.message());
                document.mistakes.push(Mistake { source, key: None, problem });
            }
        }
        document
    }

    /// A single value at the top.
    pub(super) fn value<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        let in_file = self.left.remove(key);
        let (value, source) = match self.variable(&[key]) {
            Some((name, text)) => (single(text, 0..0), Source::Variable(name)),
            None => in_file.map(|value| {
                let source = self.in_file(Some(value.span()));
                (value, source)
            })?,
        };
        match T::deserialize(value.into_deserializer()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(source, key, error.message());
                None
            }
        }
    }

    /// A text at the top; none where the key is absent or holds something else.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Text> {
        if let Some((name, value)) = self.variable(&[key]) {
            let text = Text { value: value.to_owned(), source: Source::Variable(name) };
            self.left.remove(key);
            self.places.insert(key.to_owned(), text.source.clone());
            return Some(text);
        }
        let value = self.left.get(key)?;
        let text = value.get_ref().as_str()?.to_owned();
        let source = self.in_file(Some(value.span()));
        self.left.remove(key);
        self.places.insert(key.to_owned(), source.clone());
        Some(Text { value: text, source })
    }

    /// A table at the top, with the values that variables give to its single keys. None where neither
    /// the file nor a variable says anything. What is wrong with one key hides nothing of the others: what can be
    /// read is returned, for whoever checks it further; a mistake is noted.
    ///
    /// `mistakes` finds what is wrong beyond the types of the values, one sentence each; a sentence that
    /// begins with a key is told of that key.
    pub(super) fn table<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        singles: &[&str],
        mistakes: impl FnOnce(&T) -> Vec<String>,
    ) -> Option<T> {
        let RawTable { mut table, span, variables } = self.given(key, singles)?;
        self.note_places(key, &span, &table, &variables);
        if keys::known::<T>().is_empty() {
            self.refuse_keys(key, &mut table, singles, |a, b| keys::plain(a) == keys::plain(b));
        }
        let read = self.read_what_can_be(key, table, span.clone(), &variables)?;
        for sentence in mistakes(&read) {
            let of_key = sentence.split_once(' ').map(|(name, problem)| (format!("{key}.{name}"), problem));
            match of_key.filter(|(name, _)| self.places.contains_key(name)) {
                Some((name, problem)) => self.mistake_at(&name, format_args!("it {problem}")),
                None => self.mistake_at(key, sentence),
            }
        }
        Some(read)
    }

    /// What the file and the variables say of a table at the top.
    fn given(&mut self, key: &'static str, singles: &[&str]) -> Option<RawTable<'t>> {
        self.known.push(key);
        let found = self.left.remove(key);
        let span = found.as_ref().map_or(0..0, Spanned::span);
        let mut table = match found.map(Spanned::into_inner) {
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                let source = self.in_file(Some(span));
                let found = other.type_str();
                self.mistake(source, key, format_args!("it is a {found}; it must be a table, [{key}]"));
                return None;
            }
            None => None,
        };
        let mut variables = HashMap::new();
        for (n, name) in singles.iter().enumerate() {
            if let Some((variable, text)) = self.variable(&[key, name]) {
                // A place behind the end of the file, so that an error tells which variable it means.
                let at = self.text.len().saturating_add(1).saturating_add(n);
                let owned = Spanned::new(at..at, Cow::Owned((*name).to_owned()));
                table.get_or_insert_with(DeTable::new).insert(owned, single(text, at..at));
                variables.insert((*name).to_owned(), variable);
            }
        }
        Some(RawTable { table: table?, span, variables })
    }

    /// A list of tables at the top, `[[reps]]`, each as far as it can be read.
    pub(super) fn list<T: Entry>(&mut self, key: &'static str) -> Vec<T> {
        self.known.push(key);
        let Some(value) = self.left.remove(key) else { return Vec::new() };
        let source = self.in_file(Some(value.span()));
        let DeValue::Array(array) = value.into_inner() else {
            self.mistake(source, key, format_args!("it must be a list of tables, [[{key}]]"));
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(array.len());
        let mut seen = HashMap::<String, usize>::new();
        for (n, value) in array.into_iter().enumerate() {
            let (at, span) = (format!("{key}[{n}]"), value.span());
            let DeValue::Table(mut table) = value.into_inner() else {
                let source = self.in_file(Some(span));
                self.mistake(source, &at, format_args!("it must be a table, [[{key}]]"));
                continue;
            };
            if T::CAMEL_CASE {
                camel_case_keys(&mut table);
            }
            if T::PLACED {
                self.note_places(&at, &span, &table, &HashMap::new());
            }
            let Some(entry) = self.read_what_can_be::<T>(&at, table, span.clone(), &HashMap::new()) else {
                continue;
            };
            for (field, problem) in entry.mistakes() {
                let source = self.in_file(Some(span.clone()));
                self.mistake(source, format_args!("{at}.{}", keys::snake_case(field)), problem);
            }
            let first = entry.id().and_then(|id| Some((id, seen.get(id).copied()?)));
            if let Some((id, first)) = first {
                let source = self.in_file(Some(span));
                let problem = format_args!("{id} is the id of {key}[{first}] already; ids must differ");
                self.mistake(source, format_args!("{at}.id"), problem);
            } else if let Some(id) = entry.id() {
                seen.insert(id.to_owned(), n);
            }
            entries.push(entry);
        }
        entries
    }

    /// Passes over a key that others read.
    pub(super) fn pass_over(&mut self, key: &'static str) {
        self.known.push(key);
        self.left.remove(key);
    }

    /// How many mistakes were found so far.
    pub(super) fn count_mistakes(&self) -> usize {
        self.mistakes.len().saturating_add(self.untold)
    }

    /// Whether something is said to be wrong with that key, or with what is in it; then that it is missing would be
    /// told for nothing.
    pub(super) fn is_told(&self, key: &str) -> bool {
        let is_it = |told: &str| {
            told.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // Of what is no TOML nothing was read.
        self.mistakes.iter().any(|mistake| mistake.key.as_deref().is_none_or(is_it))
    }

    /// Says that a variable must not be set here.
    pub(super) fn refuse_variable(&mut self, table: &str, key: &str, problem: &str) {
        if let Some((name, _)) = self.variable(&[table, key]) {
            self.mistake(Source::Variable(name), format_args!("{table}.{key}"), problem);
        }
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, source: Source, key: impl fmt::Display, problem: impl fmt::Display) {
        if self.mistakes.len() >= MOST_TOLD {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        let key = key.to_string();
        let problem = in_words(&key, &problem.to_string());
        self.mistakes.push(Mistake { source, key: Some(key), problem });
    }

    /// Notes a mistake where that key stands, or the table that it would stand in.
    pub(super) fn mistake_at(&mut self, key: &str, problem: impl fmt::Display) {
        let mut around = std::iter::successors(Some(key), |key| Some(key.rsplit_once(['.', '['])?.0));
        let place = around.find_map(|key| self.places.get(key)).cloned();
        let source = place.unwrap_or_else(|| self.in_file(None));
        self.mistake(source, key, problem);
    }

    /// Remembers where a table and each of its values stand.
    fn note_places(
        &mut self,
        at: &str,
        span: &Range<usize>,
        table: &DeTable<'_>,
        variables: &HashMap<String, String>,
    ) {
        for (name, value) in table {
            let source = match variables.get(name.get_ref().as_ref()) {
                Some(variable) => Source::Variable(variable.clone()),
                None => self.in_file(Some(value.span())),
            };
            self.places.insert(format!("{at}.{}", name.get_ref()), source);
        }
        // Where variables alone made the table, it stands nowhere.
        let source = self.in_file((*span != (0..0)).then(|| span.clone()));
        self.places.insert(at.to_owned(), source);
    }

    /// All mistakes, in the order of the file, those about keys that nobody asked for among them.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let left = std::mem::take(&mut self.left);
        let mut known = std::mem::take(&mut self.known);
        known.sort_unstable();
        for (key, _) in left {
            let source = self.in_file(Some(key.span()));
            self.mistake(
                source,
                key.get_ref(),
                format_args!("unknown key; the keys are {}", known.join(", ")),
            );
        }
        self.mistakes.sort_by_key(|mistake| match &mistake.source {
            Source::File(_, line) => (0, line.unwrap_or_default()),
            Source::Variable(_) => (1, 0),
        });
        if self.untold > 0 {
            let problem = format!("{} more mistakes; correct these first", self.untold);
            self.mistakes.push(Mistake {
                source: Source::File(self.path.to_owned(), None),
                key: None,
                problem,
            });
        }
        self.mistakes
    }

    /// The variable that a key can also be set by, where it is set.
    fn variable(&self, keys: &[&str]) -> Option<(String, &'t str)> {
        let name = format!("BYOC_{}", keys.join("_").to_uppercase());
        self.environment.get(&name).map(|text| (name, text.as_str()))
    }

    fn in_file(&self, span: Option<Range<usize>>) -> Source {
        // Where nothing more is told, no line needs to be counted.
        let told = span.filter(|_| self.mistakes.len() < MOST_TOLD);
        let before = told.and_then(|span| self.text.as_bytes().get(..span.start));
        let line = before.map(|before| memchr_iter(b'\n', before).count().saturating_add(1));
        Source::File(self.path.to_owned(), line)
    }
}
