//! Replays a recording: the state machines are fed what was recorded, at its time, and what they ask
//! for is answered from the recording, by the stand-in Salesforce, or by a live side.
//!
//! Time is virtual: an hour replays in milliseconds. What differs from the recording is reported, each
//! thing with its line.
//!
//! Knows the recording, the state machines, the wire form of calls and the emulator's model. Must never
//! know how anything is printed.
//!
//! Elsewhere: the format in `recording`, the output in `cli`.

mod cassette;
mod difference;
mod emulated;
mod journal;
mod note;
mod player;
mod scan;
mod searches;
mod side;
mod work_ids;

pub use difference::{Difference, FieldDifference, compare};
pub use emulated::Emulated;
pub use journal::JournalRow;
pub use note::{CallNote, Note, Replayed, Search, Summary, What};
pub use scan::{Scan, scan};
pub use side::{Arrival, Side, Try};

use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;

use crate::model::channel_definition::ChannelDefinition;
use crate::model::choices::in_one_spelling;
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::recording::{self, Feed, Item, Source};
use crate::routing::{Policy, Settings};

use cassette::Exchanges;
use player::{Answers, Player};

/// How a recording is replayed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The partner's choices; a `config` line of the recording may change them.
    pub policy: Policy,
    /// The platform's own limit of participants, where known.
    pub platform_participant_limit: Option<u32>,
    /// What the recording holds, as [`scan`] found it.
    pub scan: Scan,
    /// Whether the watcher is told what a store would hold ([`Watcher::journal`]).
    pub journal: bool,
}

/// Why a replay could not be carried through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] recording::Error),
    /// A line of the recording holds a channel definition or routing settings that cannot be.
    #[error("{file}:{line}: {what}")]
    Setting {
        /// The recording.
        file: Arc<str>,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The live side failed.
    #[error("{0}")]
    Side(String),
    /// The operating system gave no threads.
    #[error("no thread to read the recording with: {0}")]
    Threads(#[from] std::io::Error),
}

/// Whoever looks on while a replay runs.
pub trait Watcher {
    /// Something is told. `roster` gives names to ids.
    ///
    /// # Errors
    /// Whatever keeps the watcher from going on; it ends the replay.
    fn note(&mut self, note: Note, roster: &Roster) -> Result<(), Stop>;

    /// A store would hold this row now; only told where [`Options::journal`] asks for it.
    fn journal(&mut self, row: JournalRow) {
        let _ = row;
    }

    /// Virtual time is about to reach `to`. A watcher who wants real time sleeps here.
    fn pace(&mut self, to: Timestamp) {
        let _ = to;
    }

    /// So many lines have been read.
    fn progress(&mut self, lines: u64) {
        let _ = lines;
    }
}

/// The watcher has seen enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Answers calls from the recording.
///
/// # Errors
/// Where the recording cannot be read.
pub fn from_cassette<R: BufRead + Send + 'static>(
    file: &str,
    input: R,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Result<Replayed, Error> {
    run::<R, Emulated>(file, input, options, Answers::Recorded(Exchanges::default()), watcher)
}

/// Lets a live side answer calls.
///
/// # Errors
/// Where the recording cannot be read, or the side fails.
pub fn against<R: BufRead + Send + 'static, S: Side>(
    file: &str,
    input: R,
    options: Options,
    side: S,
    watcher: &mut dyn Watcher,
) -> Result<Replayed, Error> {
    run(file, input, options, Answers::Live(side), watcher)
}

fn run<R: BufRead + Send + 'static, S: Side>(
    file: &str,
    input: R,
    options: Options,
    answers: Answers<S>,
    watcher: &mut dyn Watcher,
) -> Result<Replayed, Error> {
    let file: Arc<str> = file.into();
    let Options { policy, platform_participant_limit, scan, journal } = options;
    // A recording without a channel definition says nothing against conferences.
    let settings =
        Settings { conference_supported: true, participant_limit: platform_participant_limit, policy };
    let mut player = Player::new(settings, answers, scan.has_searches, Arc::clone(&file));
    if journal {
        player.keep_journal();
    }
    for item in Feed::start(Arc::clone(&file), input, None)? {
        let Item { line, event } = item?;
        player.summary.lines = player.summary.lines.saturating_add(1);
        player.run_until(line.at, &mut |to| watcher.pace(to));
        if let Some(decoded) = event {
            player.on_decoded(decoded);
        } else {
            take_line(&mut player, line, platform_participant_limit, &file)?;
        }
        if tell(&mut player, watcher)? {
            return Ok(player.into_replayed());
        }
        if player.summary.lines.is_multiple_of(PROGRESS_EVERY) {
            watcher.progress(player.summary.lines);
        }
    }
    player.run_out(&mut |to| watcher.pace(to));
    tell(&mut player, watcher)?;
    Ok(player.into_replayed())
}

/// How many lines pass between two reports of progress.
const PROGRESS_EVERY: u64 = 1024;

/// Hands the notes on; whether the watcher wants no more.
fn tell<S: Side>(player: &mut Player<S>, watcher: &mut dyn Watcher) -> Result<bool, Error> {
    for row in player.take_journal() {
        watcher.journal(row);
    }
    for note in player.take_notes() {
        if watcher.note(note, player.roster()) == Err(Stop) {
            return Ok(true);
        }
    }
    match player.take_failure() {
        Some(failure) => Err(Error::Side(failure.to_string())),
        None => Ok(false),
    }
}

fn take_line<S: Side>(
    player: &mut Player<S>,
    line: recording::Line,
    platform_limit: Option<u32>,
    file: &Arc<str>,
) -> Result<(), Error> {
    let number = line.number;
    let wrong = |what: String| Error::Setting { file: Arc::clone(file), line: number, what };
    match line.source {
        Source::PlatformEvent { .. } | Source::AgentWork(_) => {}
        Source::GetContacts { .. } => player.summary.count_passed(&"GET_CONTACTS, not used for routing"),
        Source::RepFinder(found) => player.on_found(*found),
        Source::Exchange(exchange) => player.on_exchange(number, *exchange),
        Source::ChannelDefinition(definition) => {
            let definition: ChannelDefinition = serde_json::from_str(definition.get())
                .map_err(|error| wrong(format!("definition: {error}")))?;
            let settings = Settings {
                conference_supported: definition.is_conference_supported,
                participant_limit: definition.participant_limit(platform_limit),
                policy: player.settings().policy.clone(),
            };
            player.on_settings(settings);
            player.on_definition(&definition);
        }
        Source::Config(config) => {
            if let Some(routing) = &config.routing {
                let settings = player.settings().clone();
                let policy = merged(&settings.policy, routing.get()).map_err(wrong)?;
                player.on_settings(Settings { policy, ..settings });
            }
            player.on_roster(config.roster);
        }
        Source::Unknown { source, .. } => {
            player.summary.count_passed(&format_args!("source {source}, which this release does not know"));
        }
    }
    Ok(())
}

/// The policy with what a recording says in its place.
fn merged(policy: &Policy, changes: &str) -> Result<Policy, String> {
    let unusable = |error: serde_json::Error| format!("routing: {error}");
    let Ok(changes) = serde_json::from_str::<serde_json::Map<String, Value>>(changes) else {
        return Err("routing: it is not an object; it must be {\"ring\": \"all\"}".to_owned());
    };
    let mut whole = serde_json::to_value(policy).map_err(unusable)?;
    for (name, value) in changes {
        // Each by itself first, for the message's sake: serde does not say which field it was.
        let alone = Value::from_iter([(name.as_str(), value.clone())]);
        serde_json::from_value::<Policy>(alone)
            .map_err(|error| format!("routing.{name}: {}", in_one_spelling(&error.to_string())))?;
        if let Some(whole) = whole.as_object_mut() {
            whole.insert(name, value);
        }
    }
    let policy: Policy = serde_json::from_value(whole).map_err(unusable)?;
    match policy.mistakes().as_slice() {
        [] => Ok(policy),
        mistakes => Err(format!("routing: {}", mistakes.join("; "))),
    }
}
