//! `byoc completions`: the script that teaches a shell to complete the command line.

use clap_complete::Shell;
use serde::Serialize;

use super::{Error, Outcome, Output};

/// One line for the list of commands.
pub const ABOUT: &str = "Print a script that completes byoc's commands and options in a shell";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc completions bash > ~/.local/share/bash-completion/completions/byoc
  byoc completions zsh > ~/.zfunc/_byoc
  byoc completions fish > ~/.config/fish/completions/byoc.fish";

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell it is for
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

/// Prints the script.
///
/// # Errors
/// Where stdout cannot be written.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "byoc", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    output.line(script.trim_end())?;
    output.json(&Script { shell: args.shell.to_string(), script })?;
    Ok(Outcome::Done)
}
