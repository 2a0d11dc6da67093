//! SOQL, as far as anybody asks here: `SELECT fields FROM object WHERE condition AND … ORDER BY field LIMIT n`, where a
//! condition is `field = value` or `field IN (values)`. All else is malformed.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// A question that was understood.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) object: String,
    fields: Vec<String>,
    conditions: Vec<(String, Vec<Value>)>,
    /// By which field, and whether the last comes first.
    order: Option<(String, bool)>,
    limit: Option<usize>,
}

/// The words of a question, and its texts with a quote before them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            c if c.is_whitespace() => {}
            '\'' => {
                let mut word = String::from("'");
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some('\\') => word.extend(letters.next()),
                        Some(c) => word.push(c),
                        None => return Err("a text has no end".to_owned()),
                    }
                }
                words.push(word);
            }
            ',' | '(' | ')' | '=' => words.push(letter.to_string()),
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = letters.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
                    word.push(c);
                }
                words.push(word);
            }
            c => return Err(format!("unexpected token: '{c}'")),
        }
    }
    Ok(words)
}

struct Reader(std::iter::Peekable<std::vec::IntoIter<String>>);

impl Reader {
    fn is(&mut self, wanted: &str) -> bool {
        self.0.next_if(|word| word.eq_ignore_ascii_case(wanted)).is_some()
    }

    fn must(&mut self, wanted: &str) -> Result<(), String> {
        if self.is(wanted) { Ok(()) } else { Err(format!("expecting '{wanted}', found {}", self.found())) }
    }

    fn found(&mut self) -> String {
        self.0.peek().map_or_else(|| "the end".to_owned(), |word| format!("'{word}'"))
    }

    fn name(&mut self) -> Result<String, String> {
        let is_name = |word: &String| word.starts_with(|c: char| c.is_ascii_alphabetic());
        let found = self.found();
        self.0.next_if(is_name).ok_or_else(|| format!("expecting a name, found {found}"))
    }

    fn value(&mut self) -> Result<Value, String> {
        let found = self.found();
        let word = self.0.next().unwrap_or_default();
        match word.strip_prefix('\'') {
            Some(text) => Ok(json!(text)),
            None if word.eq_ignore_ascii_case("true") => Ok(json!(true)),
            None if word.eq_ignore_ascii_case("false") => Ok(json!(false)),
            None if word.eq_ignore_ascii_case("null") => Ok(Value::Null),
            None => {
                word.parse::<u64>().map(Value::from).map_err(|_| format!("expecting a value, found {found}"))
            }
        }
    }

    fn condition(&mut self) -> Result<(String, Vec<Value>), String> {
        let field = self.name()?;
        if self.is("=") {
            return Ok((field, vec![self.value()?]));
        }
        self.must("IN")?;
        self.must("(")?;
        let mut values = vec![self.value()?];
        while self.is(",") {
            values.push(self.value()?);
        }
        self.must(")")?;
        Ok((field, values))
    }
}

impl Asked {
    pub(super) fn parse(question: &str) -> Result<Self, String> {
        let mut reader = Reader(words(question)?.into_iter().peekable());
        reader.must("SELECT")?;
        let mut fields = vec![reader.name()?];
        while reader.is(",") {
            fields.push(reader.name()?);
        }
        reader.must("FROM")?;
        let object = reader.name()?;
        let mut conditions = Vec::new();
        if reader.is("WHERE") {
            conditions.push(reader.condition()?);
            while reader.is("AND") {
                conditions.push(reader.condition()?);
            }
        }
        let mut order = None;
        if reader.is("ORDER") {
            reader.must("BY")?;
            let field = reader.name()?;
            let last_first = reader.is("DESC");
            if !last_first {
                reader.is("ASC");
            }
            order = Some((field, last_first));
        }
        let mut limit = None;
        if reader.is("LIMIT") {
            let rows = reader.value()?.as_u64().ok_or("LIMIT wants a number")?;
            limit = Some(usize::try_from(rows).unwrap_or(usize::MAX));
        }
        match reader.0.next() {
            Some(word) => Err(format!("unexpected token: '{word}'")),
            None => Ok(Self { object, fields, conditions, order, limit }),
        }
    }

    /// All fields that are named.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter();
        let conditions = self.conditions.iter().map(|(field, _)| field);
        fields.chain(conditions).chain(self.order.iter().map(|(field, _)| field)).map(String::as_str)
    }

    /// The rows that fit, with the fields that are asked for. A row has its values in the order of the fields.
    pub(super) fn among(&self, fields: &[&str], rows: Vec<Vec<Value>>) -> Vec<Value> {
        let of = |row: &[Value], name: &str| {
            let at = fields.iter().position(|field| *field == name);
            at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
        };
        let fits = |row: &Vec<Value>| {
            self.conditions.iter().all(|(field, values)| {
                let value = of(row, field);
                values.iter().any(|wanted| is_same(&value, wanted))
            })
        };
        let mut rows: Vec<Vec<Value>> = rows.into_iter().filter(fits).collect();
        if let Some((field, last_first)) = &self.order {
            rows.sort_by(|one, other| {
                let order = compared(&of(one, field), &of(other, field));
                if *last_first { order.reverse() } else { order }
            });
        }
        rows.truncate(self.limit.unwrap_or(usize::MAX));
        rows.iter()
            .map(|row| {
                let mut record = Map::new();
                record.insert("attributes".to_owned(), json!({ "type": self.object }));
                for name in &self.fields {
                    let value = of(row, name);
                    match name.split_once('.') {
                        Some((parent, child)) => {
                            let parent = record.entry(parent).or_insert_with(|| json!({}));
                            if let Some(parent) = parent.as_object_mut() {
                                parent.insert(child.to_owned(), value);
                            }
                        }
                        None => drop(record.insert(name.clone(), value)),
                    }
                }
                Value::Object(record)
            })
            .collect()
    }
}

/// Ids are the same with and without their checksum; texts in either case.
fn is_same(value: &Value, wanted: &Value) -> bool {
    match (value.as_str(), wanted.as_str()) {
        (Some(value), Some(wanted)) => {
            let is_id =
                |text: &str| matches!(text.len(), 15 | 18) && text.chars().all(|c| c.is_ascii_alphanumeric());
            let same_id = is_id(value) && is_id(wanted) && value.get(..15) == wanted.get(..15);
            same_id || value.eq_ignore_ascii_case(wanted)
        }
        _ => value == wanted,
    }
}

fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one.cmp(other),
        _ => one.to_string().cmp(&other.to_string()),
    }
}
