//! Why a channel definition cannot be read: where, which field, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

/// A channel definition that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// The file, where it came from one.
    pub file: Option<PathBuf>,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The field, as it is spelled there.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a channel definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(String),
    /// The name does not tell the format.
    #[error(
        "has an unknown file extension; it must end in .ConversationChannelDefinition-meta.xml, .toml or .json"
    )]
    Format,
    /// It is not what its format wants.
    #[error("is not {format}: {message}")]
    Syntax {
        /// The format.
        format: &'static str,
        /// What the parser says.
        message: String,
    },
    /// It holds something else than one channel definition.
    #[error("is not a channel definition: {found}; {wanted}")]
    Shape {
        /// What was found.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("is {found}; it must be {wanted}")]
    Value {
        /// What was found.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
}

impl Error {
    pub(super) fn new(problem: Problem) -> Self {
        Self { file: None, line: None, field: None, problem }
    }

    pub(super) fn of_field(field: &str, problem: Problem) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(problem) }
    }

    pub(super) fn at_line(self, line: Option<usize>) -> Self {
        Self { line: self.line.or(line), ..self }
    }

    pub(super) fn in_file(self, file: &Path) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut places = Vec::new();
        if let Some(file) = &self.file {
            places.push(file.display().to_string());
        }
        if let Some(line) = self.line {
            places.push(format!("line {line}"));
        }
        places.extend(self.field.clone());
        let place = if places.is_empty() { "the channel definition".to_owned() } else { places.join(", ") };
        let join = if self.field.is_none() && self.line.is_some() { ": it" } else { "" };
        write!(f, "{place}{join} {}", self.problem)
    }
}
