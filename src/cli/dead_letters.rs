//! `byoc dead-letters`: what the partner did not take, asked of a connector that runs, sent again or dropped.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use super::asking::{Connector, Question, said, secret};
use super::output::printable;
use super::{Error, Outcome, Output};

/// One line for the list of commands.
pub const ABOUT: &str = "List what the partner did not take; send it again or drop it";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc dead-letters list
  byoc dead-letters resend 0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11 --url https://byoc.example --secret-file operator.secret
  byoc dead-letters drop 0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11 --json

A connector must be running at the URL. Exit code 0: done; 1: there is none of that id.";

/// The variable that has the secret where no file does.
const SECRET: &str = "BYOC_SERVER_OPERATOR_SECRET";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// Where the connector is
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The file that holds the operator's secret; else BYOC_SERVER_OPERATOR_SECRET, where it has one
    #[arg(long, global = true, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// What to do with them.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// List them, those first that were given up first
    #[command(after_help = "Example:\n  byoc dead-letters list --limit 10 --json")]
    List {
        /// How many at most, 1 to 500
        #[arg(long, value_name = "NUMBER", default_value_t = 500)]
        limit: usize,
    },
    /// Send one again, under the same id
    #[command(after_help = "Example:\n  byoc dead-letters resend 0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11")]
    Resend {
        /// Its id
        id: uuid::Uuid,
    },
    /// Drop one: the partner never hears of it
    #[command(after_help = "Example:\n  byoc dead-letters drop 0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11")]
    Drop {
        /// Its id
        id: uuid::Uuid,
    },
}

/// Does it.
///
/// # Errors
/// Where the connector cannot be asked, or refuses.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let (limit, id) = match &args.what {
        What::List { limit } => (limit.to_string(), String::new()),
        What::Resend { id } | What::Drop { id } => (String::new(), id.to_string()),
    };
    let (method, path, query): (_, &[&str], &[(&str, &str)]) = match &args.what {
        What::List { .. } => (Method::GET, &["v1", "dead-letters"], &[("limit", &*limit)]),
        What::Resend { .. } => (Method::POST, &["v1", "dead-letters", &id, "resend"], &[]),
        What::Drop { .. } => (Method::DELETE, &["v1", "dead-letters", &id], &[]),
    };
    let connector = Connector { url: &args.url, secret: secret(args.secret_file.as_deref(), SECRET)? };
    let (status, body) = connector.ask(Question { method, path, query, body: None })?;
    match (status, &args.what) {
        (200..=299, What::List { .. }) => list(&body, output)?,
        (200..=299, _) => {
            output.json(&body)?;
            output.line("Done.")?;
        }
        (404, What::Resend { .. } | What::Drop { .. })
            if body.get("field").is_some_and(|field| field == "id") =>
        {
            output.json(&json!({ "ok": false, "error": said(&body) }))?;
            output.line(printable(&said(&body)))?;
            return Ok(Outcome::No);
        }
        _ => return Err(Error::new(format_args!("{}: HTTP {status}: {}", args.url, said(&body)))),
    }
    Ok(Outcome::Done)
}

fn list(body: &Value, output: &Output) -> Result<(), Error> {
    output.json(body)?;
    let letters = body.get("deadLetters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for letter in letters {
        let text = |key| printable(letter.get(key).and_then(Value::as_str).unwrap_or("?"));
        let number = letter.get("sequence").and_then(Value::as_u64).unwrap_or_default();
        let resending = if is(letter, "resending") { ", being sent again" } else { "" };
        output.line(format_args!("{}  {} {}", text("id"), text("org"), text("channel")))?;
        output.line(format_args!("    number {number} of {}", text("conversation")))?;
        output.line(format_args!("    given up {}{resending}: {}", text("since"), text("reason")))?;
    }
    match letters.len() {
        0 => output.line("The partner has taken everything that it was told."),
        1 => output.line("1 dead letter"),
        some if is(body, "more") => output.line(format_args!("{some} dead letters, and there are more")),
        some => output.line(format_args!("{some} dead letters")),
    }
}

fn is(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
