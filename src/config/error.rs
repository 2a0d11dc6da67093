//! Why there is no configuration.

use std::path::{Path, PathBuf};

use super::document::Mistake;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file, or a variable, says something that cannot be.
    #[error("{}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistaken {
        /// All of the mistakes, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

/// The text of a configuration file.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}
