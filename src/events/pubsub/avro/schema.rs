//! A schema's JSON, read within bounds. Whoever sends it may be mistaken or worse, and what it says decides how
//! much is allocated and how deep a reader goes.
//!
//! Invariants
//! 1. A schema that is accepted has no more than [`MOST_NODES`] types, none deeper than [`DEEPEST`] in its text,
//!    no `fixed` larger than [`LARGEST_FIXED`], and each of its types has a value that ends.
//! 2. Defaults, aliases and logical types are not looked at: events are read by the schema that wrote them, and as
//!    what they are on the wire.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Unreadable;

/// The longest text that is looked at; Salesforce's are some kilobytes.
const LONGEST: usize = 1 << 20;

/// The most types in one schema, each mention of one counted.
pub(super) const MOST_NODES: usize = 4096;

/// How deep types may stand in each other.
pub(super) const DEEPEST: usize = 32;

/// The largest `fixed`; no event of Salesforce's is larger.
pub(super) const LARGEST_FIXED: usize = 1 << 20;

/// A place in [`Schema::nodes`].
pub(super) type Id = usize;

/// A type.
#[derive(Debug)]
pub(super) enum AvroType {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<Box<str>>),
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<(Box<str>, Id)>),
}

/// A schema whose types name each other by their places.
#[derive(Debug)]
pub(super) struct Schema {
    nodes: Vec<AvroType>,
    root: Id,
}

impl Schema {
    pub(super) fn parse(json: &str) -> Result<Self, Unreadable> {
        if json.len() > LONGEST {
            return Err(wrong(&format!("it has {} bytes; the limit is {LONGEST}", json.len())));
        }
        let json: Value = serde_json::from_str(json).map_err(|error| wrong(&error.to_string()))?;
        let mut parser = Parser::default();
        let root = parser.node(&json, "", 0)?;
        let schema = Self { nodes: parser.nodes, root };
        match schema.endless() {
            Some(_) => Err(wrong("it has a record that contains itself")),
            None => Ok(schema),
        }
    }

    pub(super) fn node(&self, id: Id) -> Option<&AvroType> {
        self.nodes.get(id)
    }

    /// The fields of the outermost record; `None` where it is another type.
    pub(super) fn fields(&self) -> Option<&[(Box<str>, Id)]> {
        match self.node(self.root)? {
            AvroType::Record(fields) => Some(fields),
            _ => None,
        }
    }

    /// A type that no value of finite length has.
    fn endless(&self) -> Option<Id> {
        let mut ends = vec![false; self.nodes.len()];
        loop {
            let mut changed = false;
            for (id, node) in self.nodes.iter().enumerate() {
                let known = |id: &Id| ends.get(*id).copied().unwrap_or(false);
                let now = match node {
                    AvroType::Union(branches) => branches.iter().any(known),
                    AvroType::Record(fields) => fields.iter().all(|(_, id)| known(id)),
                    _ => true,
                };
                if let Some(end) = ends.get_mut(id).filter(|end| now && !**end) {
                    *end = true;
                    changed = true;
                }
            }
            if !changed {
                return ends.iter().position(|end| !end);
            }
        }
    }
}

fn wrong(what: &str) -> Unreadable {
    Unreadable(format!("its schema: {what}"))
}

#[derive(Default)]
struct Parser {
    nodes: Vec<AvroType>,
    /// Named types by their full names.
    names: HashMap<String, Id>,
}

impl Parser {
    fn push(&mut self, node: AvroType) -> Result<Id, Unreadable> {
        if self.nodes.len() >= MOST_NODES {
            return Err(wrong(&format!("it has more than {MOST_NODES} types")));
        }
        self.nodes.push(node);
        Ok(self.nodes.len().saturating_sub(1))
    }

    fn node(&mut self, json: &Value, namespace: &str, depth: usize) -> Result<Id, Unreadable> {
        if depth > DEEPEST {
            return Err(wrong(&format!("its types are nested more than {DEEPEST} deep")));
        }
        match json {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let inner = |branch| self.node(branch, namespace, depth.saturating_add(1));
                let branches = branches.iter().map(inner).collect::<Result<_, _>>()?;
                self.push(AvroType::Union(branches))
            }
            Value::Object(fields) => self.object(fields, namespace, depth),
            _ => Err(wrong("a type is neither a name, an object nor a list")),
        }
    }

    /// A type by its name alone.
    fn named(&mut self, name: &str, namespace: &str) -> Result<Id, Unreadable> {
        let node = match name {
            "null" => AvroType::Null,
            "boolean" => AvroType::Boolean,
            "int" => AvroType::Int,
            "long" => AvroType::Long,
            "float" => AvroType::Float,
            "double" => AvroType::Double,
            "bytes" => AvroType::Bytes,
            "string" => AvroType::Text,
            _ => {
                let known = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name));
                return known.copied().ok_or_else(|| wrong(&format!("it names no type {}", shown(name))));
            }
        };
        self.push(node)
    }

    fn object(&mut self, of: &Map<String, Value>, namespace: &str, depth: usize) -> Result<Id, Unreadable> {
        let inner = |key: &str| of.get(key).ok_or_else(|| wrong(&format!("a type has no {key}")));
        let deeper = depth.saturating_add(1);
        match inner("type")? {
            Value::String(kind) => match kind.as_str() {
                "record" | "error" => self.record(of, namespace, deeper),
                "enum" => {
                    let symbols = inner("symbols")?.as_array().map(Vec::as_slice).unwrap_or_default();
                    let symbols = symbols.iter().filter_map(Value::as_str).map(Box::from).collect();
                    self.define(of, namespace, AvroType::Enum(symbols)).map(|(id, _)| id)
                }
                "fixed" => {
                    let size = inner("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                    let size = size.filter(|size| *size <= LARGEST_FIXED).ok_or_else(|| {
                        wrong(&format!("a fixed has no size, or one above {LARGEST_FIXED} bytes"))
                    })?;
                    self.define(of, namespace, AvroType::Fixed(size)).map(|(id, _)| id)
                }
                "array" => {
                    let items = self.node(inner("items")?, namespace, deeper)?;
                    self.push(AvroType::Array(items))
                }
                "map" => {
                    let values = self.node(inner("values")?, namespace, deeper)?;
                    self.push(AvroType::Map(values))
                }
                name => self.named(name, namespace),
            },
            nested => self.node(nested, namespace, deeper),
        }
    }

    fn record(&mut self, of: &Map<String, Value>, namespace: &str, depth: usize) -> Result<Id, Unreadable> {
        // Defined before its fields are read: they may name it.
        let (id, namespace) = self.define(of, namespace, AvroType::Record(Vec::new()))?;
        let list = of.get("fields").and_then(Value::as_array);
        let list = list.ok_or_else(|| wrong("a record has no list of fields"))?;
        let mut fields = Vec::with_capacity(list.len().min(MOST_NODES));
        let mut names = HashSet::new();
        for field in list {
            let name = field.get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| wrong("a field has no name"))?;
            if !names.insert(name) {
                return Err(wrong(&format!("a record has two fields {}", shown(name))));
            }
            let kind =
                field.get("type").ok_or_else(|| wrong(&format!("its field {} has no type", shown(name))))?;
            fields.push((name.into(), self.node(kind, &namespace, depth)?));
        }
        if let Some(node) = self.nodes.get_mut(id) {
            *node = AvroType::Record(fields);
        }
        Ok(id)
    }

    /// Takes in a type that has a name; gives the namespace inside of it.
    fn define(
        &mut self,
        of: &Map<String, Value>,
        namespace: &str,
        node: AvroType,
    ) -> Result<(Id, String), Unreadable> {
        let text = |key: &str| of.get(key).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| wrong("a type has no name"))?;
        let name = full_name(name, text("namespace").unwrap_or(namespace));
        let id = self.push(node)?;
        let inside = name.rsplit_once('.').map(|(namespace, _)| namespace.to_owned()).unwrap_or_default();
        if self.names.insert(name, id).is_some() {
            return Err(wrong("it defines a name twice"));
        }
        Ok((id, inside))
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// A name of theirs, as far as it fits into a sentence.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}
