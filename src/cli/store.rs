//! `byoc store`: a store's file, looked at by itself or brought up to the current format.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::output::printable;
use super::style;
use super::{Error, Outcome, Output};
use crate::store::format::CURRENT;
use crate::store::offline::{Offline, upgrade};

/// One line for the list of commands.
pub const ABOUT: &str = "Check, show or upgrade a store's file";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc store check byoc.db
  byoc store show byoc.db
  byoc store show byoc.db --conversation 3e17b794-8f7a-4daf-86b9-80b447a28d9e --json
  byoc store upgrade byoc.db

check and show change nothing, and can run beside a connector. Exit code 0: all is well; 1: something is wrong.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with the file.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say what is wrong: rows that cannot be read, a later release's format, a damaged file
    #[command(after_help = "Example:\n  byoc store check byoc.db --json")]
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List the conversations and what is open, or the facts of one
    #[command(after_help = "Example:\n  byoc store show byoc.db --all")]
    Show {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only this one, with its state and the facts since
        #[arg(long, value_name = "ID")]
        conversation: Option<String>,
        /// Those too in which nothing is open
        #[arg(long, conflicts_with = "conversation")]
        all: bool,
    },
    /// Rewrite every row in the current format; a copy of the file is kept. Refused while a connector has the file
    #[command(after_help = "Example:\n  byoc store upgrade byoc.db")]
    Upgrade {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Does it.
///
/// # Errors
/// Where the file is missing, no store, or in use.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    match &args.what {
        What::Check { file } => check(file, output),
        What::Show { file, conversation: Some(id), .. } => show_one(file, id, output),
        What::Show { file, all, .. } => show(file, *all, output),
        What::Upgrade { file } => bring_up(file, output),
    }
}

fn open(file: &Path) -> Result<Offline, Error> {
    if !file.exists() {
        return Err(Error::new(format_args!("{}: no such file", file.display())));
    }
    Offline::open(file).map_err(|error| of(file, &error))
}

fn of(file: &Path, error: &crate::store::Error) -> Error {
    Error::new(format_args!("{}: {error}", file.display()))
}

fn outcome(problems: &[String]) -> Outcome {
    if problems.is_empty() { Outcome::Done } else { Outcome::No }
}

fn complain(problems: &[String], output: &Output) -> Result<(), Error> {
    let bad = style::BAD;
    for problem in problems {
        output.line(format_args!("{bad}problem{bad:#}  {}", printable(problem)))?;
    }
    Ok(())
}

fn check(file: &Path, output: &Output) -> Result<Outcome, Error> {
    let checked = open(file)?.check().map_err(|error| of(file, &error))?;
    output.json(&json!({ "ok": checked.problems.is_empty(), "currentFormat": CURRENT, "found": checked }))?;
    let formats: Vec<String> =
        checked.formats.iter().map(|(format, rows)| format!("{rows} in format {format}")).collect();
    let formats = if formats.is_empty() { "no rows".to_owned() } else { formats.join(", ") };
    let file = file.display();
    output.line(format_args!("{file}: rows: {formats}; this release writes format {CURRENT}"))?;
    if !checked.releases.is_empty() {
        output.line(format_args!("opened by release {}", checked.releases.join(", ")))?;
    }
    output.line(format_args!(
        "{} {}, {} with open requests or offers",
        checked.conversations,
        if checked.conversations == 1 { "conversation" } else { "conversations" },
        checked.open
    ))?;
    complain(&checked.problems, output)?;
    if checked.problems.is_empty() {
        output.line("All is well.")?;
    }
    Ok(outcome(&checked.problems))
}

fn show(file: &Path, all: bool, output: &Output) -> Result<Outcome, Error> {
    let channels = open(file)?.channels().map_err(|error| of(file, &error))?;
    let mut listed = Vec::new();
    for (key, loaded) in &channels {
        for kept in &loaded.conversations {
            let requests: Vec<_> = kept.conversation.views().collect();
            if requests.is_empty() && !all {
                continue;
            }
            let id = kept.conversation.id();
            output.line(format_args!("{} {}  {id}  last heard of {}", key.org, key.channel, kept.heard))?;
            for request in &requests {
                output
                    .line(format_args!("    {}: {}, {}", request.request, request.target, request.doing))?;
                for offer in &request.offers {
                    let work = offer.work.map(|work| work.to_string()).unwrap_or_default();
                    output.line(format_args!("        {} {} {work}", offer.rep, offer.state))?;
                }
            }
            listed.push(json!({ "org": key.org, "channel": &*key.channel, "conversation": id,
                "heard": kept.heard.to_string(), "ended": kept.ended, "requests": requests }));
        }
        for lost in &loaded.unreadable {
            let bad = style::BAD;
            let (id, why) = (&lost.conversation, printable(&lost.why));
            output
                .line(format_args!("{} {}  {id}  {bad}cannot be read{bad:#}: {why}", key.org, key.channel))?;
            let ids = ids(&lost.left);
            if !ids.is_empty() {
                output.line(format_args!("    may be open at Salesforce: {ids}"))?;
            }
            listed.push(json!({ "org": key.org, "channel": &*key.channel, "conversation": id,
                "unreadable": lost.why, "left": lost.left }));
        }
    }
    if listed.is_empty() {
        output.line("Nothing is open.")?;
    }
    output.json(&listed)?;
    Ok(Outcome::Done)
}

fn ids(left: &crate::store::OpenIds) -> String {
    let works = left.works.iter().map(ToString::to_string);
    let psrs = left.psrs.iter().map(ToString::to_string);
    works.chain(psrs).collect::<Vec<_>>().join(", ")
}

fn show_one(file: &Path, id: &str, output: &Output) -> Result<Outcome, Error> {
    let (state, turns) = open(file)?.turns(id).map_err(|error| of(file, &error))?;
    if state.is_none() && turns.is_empty() {
        return Err(Error::new(format_args!("{}: there is no conversation '{id}'", file.display())));
    }
    output.json(&json!({ "conversation": id, "state": state, "turns": turns }))?;
    if let Some(state) = state {
        output.line(format_args!("state  {state}"))?;
    }
    for turn in turns {
        output.line(format_args!("{}", turn.at))?;
        let facts = match turn.facts {
            Value::Array(facts) => facts,
            other => vec![other],
        };
        for fact in facts {
            output.line(format_args!("    {fact}"))?;
        }
    }
    Ok(Outcome::Done)
}

fn bring_up(file: &Path, output: &Output) -> Result<Outcome, Error> {
    let upgraded = upgrade(file).map_err(|error| of(file, &error))?;
    output.json(&json!({ "ok": upgraded.problems.is_empty(), "format": CURRENT, "upgraded": upgraded }))?;
    match &upgraded.backup {
        Some(backup) => {
            let (rows, backup) = (upgraded.rows, backup.display());
            output.line(format_args!("{rows} rows are now in format {CURRENT}; backup: {backup}"))?;
        }
        None => output.line(format_args!("Every row is already in format {CURRENT}."))?,
    }
    complain(&upgraded.problems, output)?;
    Ok(outcome(&upgraded.problems))
}
