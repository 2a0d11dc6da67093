//! `byoc contacts`: whom a rep would see in the Transfer or the Start Conference list.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style;
use super::{ConfigFile, Error, Outcome, Output, replay};
use crate::contacts::{ConversationView, Index, Query};
use crate::model::contact::{Contact, ContactsFilter, ContactsResult, FilterType, ListType};
use crate::model::event::Participant;
use crate::model::ids::{RepId, WorkItemId};
use crate::model::roster::Roster;
use crate::model::words::{Availability, RoutingType};
use crate::replay::Replayed;
use crate::routing::rules;

/// One line for the list of commands.
pub const ABOUT: &str = "Show who a rep can invite to a conference";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc contacts
  byoc contacts --list conference --present 005Hs00000Ada01
  byoc contacts --recording fixtures/conference-queue.jsonl --work-item 0MwgL00000VSH84
      what the rep would see when the recording ends
  byoc contacts --contains jose --types AGENT,AVAILABLE
  byoc contacts --limit 20 --offset 20 --json";

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Take people, channel and conversation from a recording, as they stand at its end
    #[arg(long, value_name = "FILE", conflicts_with = "present")]
    recording: Option<PathBuf>,
    /// Which list the rep has open
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = lists())]
    list: ListType,
    /// Only those with this in their name or phone number; case and accents do not matter
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Only these types; AVAILABLE keeps only those reps who are available
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',', ignore_case = true, value_parser = types())]
    types: Vec<FilterType>,
    /// How many contacts a page has at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// How many contacts are skipped first
    #[arg(long, value_name = "COUNT", default_value_t = 0, allow_negative_numbers = true)]
    offset: u32,
    /// The messaging session that help is sought with; with --recording it says which conversation is meant
    #[arg(long, value_name = "0Mw…")]
    work_item: Option<WorkItemId>,
    /// A rep who is in the conversation already; may be given several times
    #[arg(long, value_name = "005…")]
    present: Vec<RepId>,
}

fn lists() -> impl TypedValueParser<Value = ListType> {
    PossibleValuesParser::new(["transfer", "conference", "all"]).map(|name| match name.as_str() {
        "transfer" => ListType::Transfer,
        "conference" => ListType::Conference,
        _ => ListType::All,
    })
}

fn types() -> impl TypedValueParser<Value = FilterType> {
    let names = FilterType::ALL.iter().map(|known| known.as_str());
    PossibleValuesParser::new(names).try_map(|name| {
        FilterType::from_name(&name.to_ascii_uppercase()).ok_or("it is not one of Salesforce's filter types")
    })
}

/// Where contacts come from, and what is known of the conversation.
struct Scene {
    roster: Roster,
    conversation: ConversationView,
    /// Whether a channel definition has said what is supported.
    defined: bool,
}

/// Prints one page.
///
/// # Errors
/// Where the configuration or the recording is missing or mistaken, or stdout cannot be written.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let Scene { roster, conversation, defined } = match &args.recording {
        Some(file) => recorded(file, args.work_item)?,
        None => configured(args)?,
    };
    let query = Query {
        filter: ContactsFilter {
            contains: args.contains.clone(),
            limit: args.limit.into(),
            offset: usize::try_from(args.offset).unwrap_or(usize::MAX),
            types: args.types.clone(),
            unknown_types: Vec::new(),
        },
        list: args.list,
        conversation,
        work_item: args.work_item,
    };
    let why_empty = why_empty(&query, defined);
    let result = Index::build(roster).search(&query);
    output.json(&result)?;
    if !output.is_json() {
        print(&query, &result, why_empty, output)?;
    }
    Ok(Outcome::Done)
}

/// The configuration's people; of the conversation is known what its channel supports, and who is said to
/// be in it.
fn configured(args: &Args) -> Result<Scene, Error> {
    let config = args.config.load()?;
    let definition = config.channel_definition.as_ref();
    let present: BTreeSet<RepId> = args.present.iter().copied().collect();
    // The end user counts as well.
    let participants = present.len().saturating_add(1);
    let limit = config.participant_limit().and_then(|limit| usize::try_from(limit).ok());
    let supported = definition.is_some_and(|definition| definition.is_conference_supported);
    let conversation = ConversationView {
        full: limit.is_some_and(|limit| participants >= limit),
        present,
        transfers_routed: rules::is_routed(RoutingType::Transfer),
        ..ConversationView::of_channel(supported)
    };
    let defined = definition.is_some();
    Ok(Scene { roster: config.roster, conversation, defined })
}

/// The recording's people, and the conversation of the work item as routing knows it at the end.
fn recorded(file: &Path, work_item: Option<WorkItemId>) -> Result<Scene, Error> {
    let Replayed { conversations, roster, .. } = replay::in_silence(file)?;
    let settings = conversations.settings();
    let mut conversation = ConversationView::of_channel(settings.conference_supported);
    conversation.transfers_routed = rules::is_routed(RoutingType::Transfer);
    if let Some(work_item) = work_item {
        let known = conversations.of_work_item(work_item).ok_or_else(|| {
            let file = file.display();
            Error::new(format_args!(
                "--work-item {work_item}: {file} has no conversation with that work item"
            ))
        })?;
        conversation.full = known.is_full(settings);
        conversation.asked = known.asked_reps().collect();
        conversation.transfers_routed &= known.may_be_transferred();
        conversation.present = known.participants().iter().filter_map(Participant::as_rep).collect();
    }
    Ok(Scene { roster, conversation, defined: true })
}

/// Why nobody can be asked to join, where that is so.
fn why_empty(query: &Query, defined: bool) -> &'static str {
    let conversation = &query.conversation;
    if query.list == ListType::Transfer && !conversation.transfers_routed {
        return "No contacts: the conversation is already being transferred.";
    }
    let for_conference = query.list == ListType::Conference || !conversation.transfers_routed;
    if !for_conference || conversation.can_grow() {
        return "No contact matches.";
    }
    match (defined, conversation.conference_supported) {
        (false, _) => "No contacts: the configuration has no channel definition, so conferences are off.",
        (true, false) => "No contacts: the channel definition does not support conferences.",
        (true, true) => "No contacts: the conversation is full.",
    }
}

fn print(query: &Query, result: &ContactsResult, why_empty: &str, output: &Output) -> Result<(), Error> {
    let offset = query.filter.offset;
    if result.contacts.is_empty() {
        return match offset {
            0 => output.line(why_empty),
            _ => output.line(format_args!("No contact matches beyond the first {offset}.")),
        };
    }
    let rows: Vec<Row> = result.contacts.iter().map(Row::of).collect();
    let widths = widths(&rows);
    let (heading, faint) = (style::HEADING, style::FAINT);
    output.line(format_args!("{heading}{}{heading:#}", Row::HEADINGS.laid_out(widths, false)))?;
    for row in &rows {
        output.line(row.laid_out(widths, true))?;
    }
    let (first, last) = (offset.saturating_add(1), offset.saturating_add(rows.len()));
    let more = if rows.len() == query.filter.limit {
        format!("; there may be more: --offset {last}")
    } else {
        String::new()
    };
    output.line(format_args!("{faint}contacts {first} to {last}{more}{faint:#}"))
}

/// A contact as a line of the table.
struct Row {
    name: TableCell,
    kind: TableCell,
    list: TableCell,
    state: TableCell,
    detail: TableCell,
    wait: TableCell,
    id: TableCell,
}

/// The text of a column, and how it is shown.
#[derive(Clone)]
struct TableCell(std::borrow::Cow<'static, str>, anstyle::Style);

impl Row {
    const HEADINGS: Self = Self {
        name: TableCell::heading("NAME"),
        kind: TableCell::heading("TYPE"),
        list: TableCell::heading("LIST"),
        state: TableCell::heading("STATE"),
        detail: TableCell::heading("DETAIL"),
        wait: TableCell::heading("WAIT"),
        id: TableCell::heading("ID"),
    };

    fn of(contact: &Contact) -> Self {
        let plain = anstyle::Style::new();
        let state = match contact.availability {
            Some(Availability::Available) => TableCell("available".into(), style::GOOD),
            Some(Availability::Busy) => TableCell("busy".into(), style::CAUTION),
            Some(Availability::Offline) => TableCell("offline".into(), style::FAINT),
            None => TableCell("".into(), plain),
        };
        let details = [&contact.phone_number, &contact.description].into_iter().flatten();
        let detail = details.map(String::as_str).collect::<Vec<_>>().join(", ");
        let wait = contact.queue_wait_time.as_deref().map(minutes).unwrap_or_default();
        Self {
            name: TableCell(shown(&contact.name).into(), style::NAME),
            kind: TableCell(contact.contact_type.as_str().into(), plain),
            list: TableCell(contact.list_type.as_str().into(), plain),
            state,
            detail: TableCell(shown(&detail).into(), plain),
            wait: TableCell(wait.into(), plain),
            id: TableCell(shown(&contact.id).into(), style::FAINT),
        }
    }

    fn cells(&self) -> [&TableCell; 7] {
        [&self.name, &self.kind, &self.list, &self.state, &self.detail, &self.wait, &self.id]
    }

    fn laid_out(&self, widths: [usize; 7], styled: bool) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            let mut padding = 0;
            for (TableCell(text, style), width) in self.cells().into_iter().zip(widths) {
                // A column that is empty all over takes no room.
                if width == 0 {
                    continue;
                }
                write!(f, "{:padding$}", "")?;
                if styled {
                    write!(f, "{style}{text}{style:#}")?;
                } else {
                    f.write_str(text)?;
                }
                padding = width.saturating_sub(text.width()).saturating_add(2);
            }
            Ok(())
        })
    }
}

impl TableCell {
    const fn heading(text: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(text), anstyle::Style::new())
    }
}

/// How wide each column is; nothing where no row has anything to say.
fn widths(rows: &[Row]) -> [usize; 7] {
    let mut widths = Row::HEADINGS.cells().map(|TableCell(text, _)| text.width());
    for (n, width) in widths.iter_mut().enumerate() {
        let texts = rows.iter().filter_map(|row| row.cells().get(n).map(|TableCell(text, _)| text.width()));
        let widest = texts.max().unwrap_or_default();
        *width = if widest == 0 { 0 } else { widest.max(*width) };
    }
    widths
}

/// A text that came from outside, fit for a terminal: no control characters, and not too long.
fn shown(text: &str) -> String {
    const WIDEST: usize = 44;
    let mut shown = String::new();
    let mut width = 0_usize;
    for c in text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }) {
        width = width.saturating_add(c.width().unwrap_or_default());
        if width > WIDEST {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

/// A number of seconds as a person says it: `1 min 35 s`.
fn minutes(seconds: &str) -> String {
    let Ok(seconds) = seconds.parse::<u64>() else { return shown(seconds) };
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_said_in_minutes() {
        for (seconds, said) in
            [("0", "0 s"), ("59", "59 s"), ("60", "1 min"), ("95", "1 min 35 s"), ("?", "?")]
        {
            assert_eq!(minutes(seconds), said);
        }
    }

    #[test]
    fn a_name_cannot_write_over_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(shown(&"名".repeat(30)).width(), 45);
    }
}
