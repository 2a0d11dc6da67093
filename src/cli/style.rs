//! The few styles that a command's output uses, and when it uses them; write `{style}text{style:#}`.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// A heading, a column's name.
pub const HEADING: Style = Style::new().bold();
/// What went well: joined, available.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What needs a look: busy, retried.
pub const CAUTION: Style = AnsiColor::Yellow.on_default();
/// What went wrong: an error, a difference.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is there for reference: ids, times.
pub const FAINT: Style = Style::new().dimmed();
/// A name that the eye looks for.
pub const NAME: Style = AnsiColor::Cyan.on_default();

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// What that means for a stream.
    pub(super) fn choice_for(self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        match self {
            Self::Auto => AutoStream::choice(stream),
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }
}
