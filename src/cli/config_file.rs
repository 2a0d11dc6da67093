//! Which configuration a command works with: the same option everywhere.

use std::path::{Path, PathBuf};

use super::Error;
use crate::config::{self, Config, Serving};

/// The file that is read where none is named.
const DEFAULT: &str = "byoc.toml";

/// The option `--config`, to be flattened into a command's arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigFile {
    /// The configuration [default: byoc.toml in this directory]
    #[arg(long, value_name = "FILE", env = "BYOC_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// Whether one is named, or lies in this directory.
    pub fn is_there(&self) -> bool {
        self.config.is_some() || Path::new(DEFAULT).exists()
    }

    /// Reads it, with what the environment sets.
    ///
    /// # Errors
    /// Where there is none, or with every mistake in it.
    pub fn load(&self) -> Result<Config, Error> {
        Config::load(self.path()?, &config::environment()).map_err(mistaken)
    }

    /// Reads it with everything that a running connector needs, keys included.
    ///
    /// # Errors
    /// Where there is none, or with every mistake in it.
    pub fn load_to_serve(&self) -> Result<Serving, Error> {
        Serving::load(self.path()?, &config::environment()).map_err(mistaken)
    }

    /// Reads it again, by the same path.
    ///
    /// # Errors
    /// With every mistake in it.
    pub(super) fn read_to_serve(&self) -> Result<Serving, config::Error> {
        let path = self.config.as_deref().unwrap_or(Path::new(DEFAULT));
        Serving::load(path, &config::environment())
    }

    fn path(&self) -> Result<&Path, Error> {
        match &self.config {
            Some(path) => Ok(path.as_path()),
            None if Path::new(DEFAULT).exists() => Ok(Path::new(DEFAULT)),
            None => Err(Error::new(format_args!(
                "there is no {DEFAULT} in this directory; name a configuration with --config FILE or BYOC_CONFIG; see fixtures/serve.toml in the source for an example"
            ))),
        }
    }
}

fn mistaken(error: config::Error) -> Error {
    match error {
        config::Error::Mistaken { mistakes } => Error::mistaken(&mistakes),
        unreadable @ config::Error::Unreadable { .. } => Error::new(unreadable),
    }
}
