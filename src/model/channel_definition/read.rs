//! The readers: TOML, Salesforce's source format, the Tooling API's JSON, a file of any of them.

use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use serde::{Deserialize, Deserializer};

use super::ChannelDefinition;
use super::error::{Error, Problem};
use super::raw::{Raw, plain_name};
use crate::model::words::RoutingOwner;

/// The suffix of a channel definition in Salesforce's source format.
const META_SUFFIX: &str = ".ConversationChannelDefinition-meta.xml";

/// How deep elements may nest. A channel definition has three levels.
const DEEPEST: usize = 32;

impl ChannelDefinition {
    /// Reads our own configuration: the same fields as TOML keys, in any of their spellings.
    ///
    /// # Errors
    /// Names line and field.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            syntax("TOML", error.message()).at_line(line)
        })?;
        placed(text, definition(&raw))
    }

    /// Reads Salesforce's source format. The developer name is the file's name there: see [`Self::from_file`].
    ///
    /// # Errors
    /// Names line and field.
    pub fn from_meta_xml(text: &str) -> Result<Self, Error> {
        let raw = xml(text)?;
        placed(text, definition(&raw))
    }

    /// Reads what the Tooling API answers: a query's `{"records": […]}` with one record, or a record.
    ///
    /// # Errors
    /// Names line and field, and says so where there is no record or more than one.
    pub fn from_tooling_json(text: &str) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_str(text).map_err(|error| {
            let line = error.line();
            syntax("JSON", &error.to_string()).at_line(Some(line).filter(|line| *line > 0))
        })?;
        placed(text, one_record(&raw).and_then(definition))
    }

    /// Reads a file, in the format that its name tells: `*.ConversationChannelDefinition-meta.xml` (or
    /// any `.xml`), `.toml` or `.json`. A source file without a developer name has it in its name.
    ///
    /// # Errors
    /// Names file, line and field.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        read_file(path).map_err(|error| error.in_file(path))
    }
}

impl<'de> Deserialize<'de> for ChannelDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        definition(&raw).map_err(serde::de::Error::custom)
    }
}

fn read_file(path: &Path) -> Result<ChannelDefinition, Error> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let read = match path.extension().and_then(|extension| extension.to_str()) {
        Some("xml") => ChannelDefinition::from_meta_xml,
        Some("toml") => ChannelDefinition::from_toml,
        Some("json") => ChannelDefinition::from_tooling_json,
        _ => return Err(Error::new(Problem::Format)),
    };
    let text = std::fs::read_to_string(path).map_err(|error| Error::new(Problem::File(error.to_string())))?;
    let mut definition = read(text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    if definition.developer_name.is_none() {
        definition.developer_name = name.strip_suffix(META_SUFFIX).map(str::to_owned);
    }
    Ok(definition)
}

fn syntax(format: &'static str, message: &str) -> Error {
    Error::new(Problem::Syntax { format, message: message.to_owned() })
}

fn shape(found: impl Into<String>, wanted: &'static str) -> Error {
    Error::new(Problem::Shape { found: found.into(), wanted })
}

/// Adds the line of the field that an error names.
fn placed(text: &str, read: Result<ChannelDefinition, Error>) -> Result<ChannelDefinition, Error> {
    read.map_err(|error| {
        let line = error.field.as_deref().and_then(|field| line_of(text, field));
        error.at_line(line)
    })
}

/// The first line that has the name as a whole word. All three formats write a name before its value.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let has_name = |line: &str| line.split(|c| !part_of_name(c)).any(|word| word == name);
    text.lines().position(has_name).map(|index| index.saturating_add(1))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

fn one_record(raw: &Raw) -> Result<&Raw, Error> {
    const WANTED: &str = "query one record, by its DeveloperName";
    match raw.field("records") {
        None => Ok(raw),
        Some((_, Raw::List(records))) => match records.as_slice() {
            [record] => Ok(record),
            [] => Err(shape("the query found no record", WANTED)),
            more => Err(shape(format!("the query found {} records", more.len()), WANTED)),
        },
        Some((name, other)) => Err(Error::of_field(
            name,
            Problem::Value { found: other.describe(), wanted: "the list of records that a query found" },
        )),
    }
}

/// What named values mean as a channel definition.
pub(super) fn definition(raw: &Raw) -> Result<ChannelDefinition, Error> {
    if !matches!(raw, Raw::Fields(_)) {
        return Err(shape(raw.describe(), "it should be an object with fields like RoutingOwner"));
    }
    let work_results = [
        "eventcapabilitiesisroutingworkresultsupported",
        "isroutingworkresultsupported",
        "eventcapabilitiesisroutingworkresultenabled",
        "isroutingworkresultenabled",
    ];
    let owner = text(raw, &["routingowner"])?;
    Ok(ChannelDefinition {
        developer_name: text(raw, &["developername", "fullname"])?.map(|(_, name)| name.to_owned()),
        routing_owner: owner
            .map_or(Ok(RoutingOwner::Salesforce), |(field, name)| routing_owner(field, name))?,
        consent_owner: text(raw, &["consentowner"])?.map(|(_, owner)| owner.to_owned()),
        is_conference_supported: yes(raw, &["isconferencesupported"])?,
        max_participants_override: count(raw, &["maxparticipantsforcnfroverride"])?,
        custom_platform_event: text(raw, &["customplatformevent"])?.map(|(_, event)| event.to_owned()),
        custom_event_type_field: text(raw, &["customeventtypefield"])?.map(|(_, field)| field.to_owned()),
        custom_event_payload_field: text(raw, &["customeventpayloadfield"])?
            .map(|(_, field)| field.to_owned()),
        is_routing_work_result_supported: yes(raw, &work_results)?,
    })
}

/// Finds a field under any of its names: at the top, or in one of the groups that Salesforce nests
/// fields in. What is null or empty is absent.
fn find<'a>(raw: &'a Raw, names: &[&str]) -> Option<(&'a str, &'a Raw)> {
    let set = |(_, value): &(&str, &Raw)| match value {
        Raw::Null => false,
        Raw::Text(text) => !text.trim().is_empty(),
        _ => true,
    };
    let here = |raw: &'a Raw| names.iter().find_map(|name| raw.field(name).filter(set));
    let inside = |group: &str| raw.field(group).and_then(|(_, group)| here(group));
    let metadata = raw.field("metadata").map(|(_, metadata)| metadata);
    here(raw).or_else(|| inside("eventcapabilities")).or_else(|| metadata.and_then(|m| find(m, names)))
}

fn wrong<T>(field: &str, found: &Raw, wanted: &'static str) -> Result<T, Error> {
    Err(Error::of_field(field, Problem::Value { found: found.describe(), wanted }))
}

fn text<'a>(raw: &'a Raw, names: &[&str]) -> Result<Option<(&'a str, &'a str)>, Error> {
    match find(raw, names) {
        None => Ok(None),
        Some((field, Raw::Text(text))) => Ok(Some((field, text.trim()))),
        Some((field, other)) => wrong(field, other, "a string"),
    }
}

fn yes(raw: &Raw, names: &[&str]) -> Result<bool, Error> {
    match find(raw, names) {
        None => Ok(false),
        Some((_, Raw::Yes(yes))) => Ok(*yes),
        // XML has nothing but text.
        Some((field, Raw::Text(text))) => match text.trim() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => wrong(field, &Raw::Text(text.clone()), "true or false"),
        },
        Some((field, other)) => wrong(field, other, "true or false"),
    }
}

fn count(raw: &Raw, names: &[&str]) -> Result<Option<u32>, Error> {
    const WANTED: &str = "a whole number of participants, 0 or more";
    let Some((field, value)) = find(raw, names) else { return Ok(None) };
    let number = match value {
        Raw::Number(number) => Some(*number),
        Raw::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
            let whole = number as u32;
            Ok(Some(whole))
        }
        _ => wrong(field, value, WANTED),
    }
}

fn routing_owner(field: &str, name: &str) -> Result<RoutingOwner, Error> {
    match RoutingOwner::from_name(name) {
        Some(owner) => Ok(owner),
        None => wrong(field, &Raw::Text(name.to_owned()), "Partner or Salesforce"),
    }
}

/// An element that is being read.
struct Element {
    name: String,
    text: String,
    fields: Vec<(String, Raw)>,
}

impl Element {
    fn value(self) -> Raw {
        if self.fields.is_empty() { Raw::Text(self.text.trim().to_owned()) } else { Raw::Fields(self.fields) }
    }
}

/// Reads the root element and what is in it.
fn xml(text: &str) -> Result<Raw, Error> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| {
            let offset = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
            syntax("XML", &error.to_string()).at_line(Some(line_at(text, offset)))
        })?;
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let bad = |message: &str| syntax("XML", message).at_line(Some(line_at(text, offset)));
        match event {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if open.is_empty() {
                    check_root(&name).map_err(|error| error.at_line(Some(line_at(text, offset))))?;
                }
                if open.len() >= DEEPEST {
                    return Err(bad("its elements nest too deeply"));
                }
                open.push(Element { name, text: String::new(), fields: Vec::new() });
            }
            Event::End(_) => {
                let Some(done) = open.pop() else { return Err(bad("an end tag without a start tag")) };
                match open.last_mut() {
                    Some(parent) => parent.fields.push((done.name.clone(), done.value())),
                    None => return Ok(Raw::Fields(done.fields)),
                }
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some(parent) => parent.fields.push((name, Raw::Null)),
                    None => return check_root(&name).map(|()| Raw::Fields(Vec::new())),
                }
            }
            Event::Text(part) => push_text(&mut open, &part.xml10_content()),
            Event::CData(part) => push_text(&mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = resolve(&reference).ok_or_else(|| bad("it has an undefined entity"))?;
                push_text(&mut open, &name);
            }
            Event::Eof => return Err(bad("its root element is not closed")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn check_root(name: &str) -> Result<(), Error> {
    if plain_name(name) == "conversationchanneldefinition" {
        return Ok(());
    }
    Err(shape(format!("its root element is <{name}>"), "it should be <ConversationChannelDefinition>"))
}

fn push_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned)
}
