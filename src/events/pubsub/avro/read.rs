//! An event's bytes, read by its schema straight into JSON text, within bounds.
//!
//! Invariants
//! 1. Nothing is allocated for what a length says, only for bytes that are there.
//! 2. Items that take no bytes are counted: [`VALUES`] and one a byte are the most that an event can have.
//! 3. Values stand in each other [`DEEPEST`] deep at most.
//! 4. What JSON cannot say is no reason to lose the event: a number that is none becomes null, a text that is no
//!    UTF-8 is mended.

use std::fmt::Write as _;

use super::Unreadable;
use super::schema::{AvroType, Id, Schema};

/// How many values an event may have beside one for each of its bytes.
const VALUES: usize = 4096;

/// How deep values may stand in each other.
const DEEPEST: usize = 64;

/// Reads what has no name of its own.
pub(super) struct Reader<'a> {
    schema: &'a Schema,
    rest: &'a [u8],
    values_left: usize,
    pub(super) out: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(schema: &'a Schema, payload: &'a [u8]) -> Self {
        let values_left = payload.len().saturating_add(VALUES);
        Self { schema, rest: payload, values_left, out: String::with_capacity(payload.len()) }
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &[u8] {
        self.rest
    }

    /// Reads one value and writes it.
    pub(super) fn value(&mut self, id: Id, depth: usize) -> Result<(), Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable(format!("its values are nested more than {DEEPEST} deep")));
        }
        let left = self.values_left.checked_sub(1);
        self.values_left = left.ok_or_else(|| wrong("it claims more values than bytes"))?;
        let deeper = depth.saturating_add(1);
        match self.schema.node(id) {
            Some(AvroType::Null) => self.out.push_str("null"),
            Some(AvroType::Boolean) => match self.take(1)? {
                [0] => self.out.push_str("false"),
                [1] => self.out.push_str("true"),
                _ => return Err(wrong("a boolean is neither 0 nor 1")),
            },
            Some(AvroType::Int) => {
                let number =
                    i32::try_from(self.long()?).map_err(|_| wrong("an int has more than 32 bits"))?;
                self.number(i64::from(number));
            }
            Some(AvroType::Long) => {
                let number = self.long()?;
                self.number(number);
            }
            Some(AvroType::Float) => self.float()?,
            Some(AvroType::Double) => self.double()?,
            Some(AvroType::Text) => {
                let bytes = self.prefixed()?;
                self.text(&String::from_utf8_lossy(bytes));
            }
            Some(AvroType::Bytes) => {
                let bytes = self.prefixed()?;
                self.octets(bytes);
            }
            Some(AvroType::Fixed(size)) => {
                let bytes = self.take(*size)?;
                self.octets(bytes);
            }
            Some(AvroType::Enum(symbols)) => {
                let symbol = self.index().and_then(|index| symbols.get(index));
                self.text(symbol.ok_or_else(|| wrong("an enum has no such symbol"))?);
            }
            Some(AvroType::Union(branches)) => {
                let branch = self.index().and_then(|index| branches.get(index)).copied();
                self.value(branch.ok_or_else(|| wrong("a union has no such branch"))?, deeper)?;
            }
            Some(AvroType::Array(items)) => self.array(*items, deeper)?,
            Some(AvroType::Map(values)) => self.map(*values, deeper)?,
            Some(AvroType::Record(fields)) => {
                self.out.push('{');
                self.fields(fields, deeper)?;
                self.out.push('}');
            }
            None => return Err(wrong("its schema names an unknown type")),
        }
        Ok(())
    }

    /// Reads a record's fields and writes them, without the braces.
    pub(super) fn fields(&mut self, fields: &[(Box<str>, Id)], depth: usize) -> Result<(), Unreadable> {
        for (n, (name, id)) in fields.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            self.text(name);
            self.out.push(':');
            self.value(*id, depth)?;
        }
        Ok(())
    }

    fn array(&mut self, items: Id, depth: usize) -> Result<(), Unreadable> {
        self.out.push('[');
        let mut first = true;
        while let Some(count) = self.block()? {
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    self.out.push(',');
                }
                self.value(items, depth)?;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, values: Id, depth: usize) -> Result<(), Unreadable> {
        self.out.push('{');
        let mut first = true;
        while let Some(count) = self.block()? {
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    self.out.push(',');
                }
                let key = self.prefixed()?;
                self.text(&String::from_utf8_lossy(key));
                self.out.push(':');
                self.value(values, depth)?;
            }
        }
        self.out.push('}');
        Ok(())
    }

    /// How many items the next block has; `None` behind the last. A negative count has the block's size behind it.
    fn block(&mut self) -> Result<Option<u64>, Unreadable> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }

    fn bytes_of<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Bytes with their length in front.
    fn prefixed(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = usize::try_from(self.long()?);
        self.take(length.map_err(|_| wrong("a length is negative"))?)
    }

    fn index(&mut self) -> Option<usize> {
        usize::try_from(self.long().ok()?).ok()
    }

    /// A number in zigzag, seven bits a byte.
    fn long(&mut self) -> Result<i64, Unreadable> {
        let mut bits = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.bytes_of::<1>()?;
            bits |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok((bits >> 1).cast_signed() ^ (bits & 1).cast_signed().wrapping_neg());
            }
        }
        Err(wrong("a number does not fit into 64 bits"))
    }

    fn number(&mut self, number: i64) {
        // Writing to a string cannot fail.
        write!(self.out, "{number}").ok();
    }

    fn float(&mut self) -> Result<(), Unreadable> {
        let bytes = self.bytes_of()?;
        self.real(f64::from(f32::from_le_bytes(bytes)));
        Ok(())
    }

    fn double(&mut self) -> Result<(), Unreadable> {
        let bytes = self.bytes_of()?;
        self.real(f64::from_le_bytes(bytes));
        Ok(())
    }

    fn real(&mut self, number: f64) {
        match serde_json::Number::from_f64(number) {
            Some(number) => write!(self.out, "{number}").unwrap_or_default(),
            None => self.out.push_str("null"),
        }
    }

    /// Bytes as Avro's own JSON has them: a text of the characters up to U+00FF.
    fn octets(&mut self, bytes: &[u8]) {
        let text: String = bytes.iter().copied().map(char::from).collect();
        self.text(&text);
    }

    pub(super) fn text(&mut self, text: &str) {
        // A text is always JSON.
        self.out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

fn wrong(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}

fn ends_early() -> Unreadable {
    wrong("it ends in the middle of its fields")
}
