//! The `byoc` command line: arguments, output, exit codes.
//!
//! A command is one module here with `Args` (its arguments and its help) and `run`; the list in this
//! file names it once. What a command does is elsewhere: this room only asks and prints.
//!
//! Invariants
//! - Exit code 0: done. 1: it ran, and the answer is no. 2: wrong use or configuration.
//! - With `--json`, stdout holds JSON and nothing else, where something is wrong too: `{"ok": false, "errors": […]}`.
//! - An error is one line on stderr that says what, where, and what would be right.
//! - A reader that goes away (`| head`) ends the command quietly.

mod asking;
pub mod completions;
pub mod config_file;
pub mod contacts;
pub mod conversations;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod emulator;
pub mod error;
pub mod output;
pub mod record;
pub mod replay;
mod running;
pub mod serve;
mod signals;
pub mod store;
pub mod style;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

pub use config_file::ConfigFile;
pub use error::Error;
pub use output::Output;

use style::Colour;

/// How a command that ran has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it decides the exit code"]
pub enum Outcome {
    /// It did what was asked: exit code 0.
    Done,
    /// It ran, and the answer is no (a replay that differs): exit code 1.
    No,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::No => Self::from(1),
        }
    }
}

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "byoc", version, about, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    /// Print JSON, for machines: one value, or one a line
    #[arg(long, global = true)]
    json: bool,
    /// When to use colour: auto, always or never; auto honours `NO_COLOR`
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

/// Each command once: the variant that clap reads, and the module that has its `Args` and `run`.
macro_rules! commands {
    ($($variant:ident => $module:ident),+ $(,)?) => {
        /// What to do.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $(
                #[doc = concat!("`byoc ", stringify!($module), "`.")]
                #[command(about = $module::ABOUT, long_about = None, after_help = $module::EXAMPLES)]
                $variant($module::Args)
            ),+
        }

        impl Command {
            fn run(self, output: &Output) -> Result<Outcome, Error> {
                match self {
                    $(Self::$variant(args) => $module::run(&args, output)),+
                }
            }
        }
    };
}

commands! {
    Replay => replay,
    Contacts => contacts,
    Serve => serve,
    Demo => demo,
    Record => record,
    Doctor => doctor,
    Store => store,
    DeadLetters => dead_letters,
    Conversations => conversations,
    Emulator => emulator,
    Completions => completions,
}

/// Reads the process's arguments, runs the command that they name, and gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let output = Output::stdout(cli.json, cli.color);
    let result = cli.command.run(&output);
    // What was found before an error is shown before it.
    let flushed = output.flush();
    match result.and_then(|outcome| flushed.map(|()| outcome)) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            // Whoever reads along by machine reads stdout; stderr says the same to people.
            output.error(&error).ok();
            error.report(cli.color)
        }
    }
}

/// Prints what clap has to say: help and version as they are, a misuse in one line.
fn misused(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A reader that has gone away has read enough of the help.
            error.print().ok();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        _ => Error::misuse(error).report(Colour::Auto),
    }
}

/// The command line as clap sees it, for completions and for the documentation's tests.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in command().get_subcommands() {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let call = format!("byoc {}", command.get_name());
            assert!(examples.contains(&call), "{} has no example", command.get_name());
        }
    }
}
