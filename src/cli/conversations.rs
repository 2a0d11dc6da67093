//! `byoc conversations`: ends a conversation, takes a rep out, closes a rep's work, through a connector that runs.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use super::asking::{Connector, Question, said, secret};
use super::output::printable;
use super::{Error, Outcome, Output};

/// One line for the list of commands.
pub const ABOUT: &str = "End a conversation, take a rep out of it or close a rep's work";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc conversations end 4f2b1c7e-6a59-4c1e-9a55-1b6f0f3c8f11 --channel-address 3f0d2c1a-7b7e-4a43-9a05-2f1f3a3c9d10
  byoc conversations inactivate 4f2b1c7e-6a59-4c1e-9a55-1b6f0f3c8f11 --channel-address ADDRESS --by end-user
  byoc conversations remove 4f2b1c7e-6a59-4c1e-9a55-1b6f0f3c8f11 0055g00000Bo001
  byoc conversations close 0Bz5g00000Work1 --url https://byoc.example --secret-file events.secret

A connector must be running at the URL. Exit code 0: Salesforce has done it; 1: it was refused.";

/// The variable that has the secret where no file does.
const SECRET: &str = "BYOC_SERVER_EVENTS_SECRET";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// Where the connector is
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The file that holds the backend's secret; else BYOC_SERVER_EVENTS_SECRET, where it has one
    #[arg(long, global = true, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The org, where the connector has several
    #[arg(long, global = true, value_name = "ID")]
    org: Option<String>,
    /// The channel, where the org has several
    #[arg(long, global = true, value_name = "NAME")]
    channel: Option<String>,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// End the messaging session
    #[command(
        after_help = "Example:\n  byoc conversations end CONVERSATION --channel-address ADDRESS --by system"
    )]
    End(OfSession),
    /// Make the messaging session inactive, until the end user writes again
    #[command(
        after_help = "Example:\n  byoc conversations inactivate CONVERSATION --channel-address ADDRESS"
    )]
    Inactivate(OfSession),
    /// Take a rep or a bot out; the last rep ends the conversation instead
    #[command(after_help = "Example:\n  byoc conversations remove CONVERSATION 0055g00000Bo001")]
    Remove {
        /// Its conversationIdentifier
        conversation: String,
        /// The rep's user id, or a bot's
        participant: String,
    },
    /// Close a rep's work, which frees the rep's capacity
    #[command(after_help = "Example:\n  byoc conversations close 0Bz5g00000Work1")]
    Close {
        /// The agent work's id, 0Bz...
        work: String,
    },
}

#[derive(Debug, clap::Args)]
struct OfSession {
    /// Its conversationIdentifier
    conversation: String,
    /// The deployed channel: its channelAddressIdentifier
    #[arg(long, value_name = "ID")]
    channel_address: String,
    /// The end user's client id, where the connector does not know it
    #[arg(long, value_name = "ID")]
    end_user: Option<String>,
    /// The messaging session, 0Mw..., where the connector does not know it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// On whose behalf
    #[arg(long, value_enum, default_value_t = By::System)]
    by: By,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum By {
    EndUser,
    System,
}

impl OfSession {
    fn body(&self) -> Value {
        let by = match self.by {
            By::EndUser => "EndUser",
            By::System => "System",
        };
        json!({
            "channelAddressIdentifier": self.channel_address,
            "endUserClientId": self.end_user,
            "sessionId": self.session,
            "by": by,
        })
    }
}

/// Does it.
///
/// # Errors
/// Where the connector cannot be asked.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let (path, body): (&[&str], _) = match &args.what {
        What::End(session) => (&["v1", "conversations", &session.conversation, "end"], Some(session.body())),
        What::Inactivate(session) => {
            (&["v1", "conversations", &session.conversation, "inactivate"], Some(session.body()))
        }
        What::Remove { conversation, participant } => {
            (&["v1", "conversations", conversation, "participants", participant, "remove"], None)
        }
        What::Close { work } => (&["v1", "agent-work", work, "close"], None),
    };
    let place = [("org", args.org.as_deref()), ("channel", args.channel.as_deref())];
    let query: Vec<(&str, &str)> = place.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let connector = Connector { url: &args.url, secret: secret(args.secret_file.as_deref(), SECRET)? };
    let (status, body) = connector.ask(Question { method: Method::POST, path, query: &query, body })?;
    match status {
        200..=299 => {
            output.json(&body)?;
            output.line("Done.")?;
            Ok(Outcome::Done)
        }
        400 | 404 | 409 | 502 => {
            output.json(&json!({ "ok": false, "error": said(&body) }))?;
            output.line(printable(&said(&body)))?;
            Ok(Outcome::No)
        }
        _ => Err(Error::new(format_args!("{}: HTTP {status}: {}", args.url, said(&body)))),
    }
}
