//! The environment variables that can set something.

use std::collections::BTreeMap;

/// Environment variables by name; a test brings its own.
pub type Environment = BTreeMap<String, String>;

/// The variables of this process that can set something.
pub fn environment() -> Environment {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with("BYOC_"))?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    variables.collect()
}
