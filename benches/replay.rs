//! How fast a recording replays, and in how much memory: events a second, beside the floor of reading
//! its lines and checking that each is JSON.
//!
//! `cargo bench --bench replay [EVENTS]`; 1,000,000 where nothing is said. The recording is the fixture of a
//! queue conference, over and over, each time with ids and times of its own, in a file on disk.

#![expect(clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::time::{Duration, Instant};

use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::Timestamp;
use byoc_connector::replay::{self, Emulated, Note, Options, Stop, Summary, Watcher};
use byoc_connector::routing::Outcome;
use serde_json::value::RawValue;

const FIXTURE: &str = include_str!("../fixtures/conference-queue.jsonl");

/// How far apart two conferences begin.
const APART_MS: i64 = 40_000;

fn main() {
    let events = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(1_000_000);
    for (name, without_calls) in [("with recorded calls", false), ("against the emulator", true)] {
        let template = Template::new(without_calls);
        let conferences = events / template.events;
        let mut file = tempfile::tempfile().expect("a file");
        let bytes = template.write(&mut file, conferences);
        let events = conferences * template.events;
        println!("{name}: {events} events in {conferences} conferences, {:.0} MB", bytes as f64 / 1e6);
        for _ in 0..3 {
            let floor = timed(|| assert!(lines(&mut file) > 0));
            let before = peak();
            let mut summary = Summary::default();
            let took = timed(|| summary = run(&mut file, without_calls));
            assert_eq!(summary.differences, 0, "nothing differs");
            assert_eq!(summary.ended(Outcome::Joined), conferences as u64, "everybody has joined");
            let rate = |took: Duration| events as f64 / took.as_secs_f64();
            println!(
                "  {:>8.0} events/s; floor {:>8.0}; peak memory {} MB, {} MB before",
                rate(took),
                rate(floor),
                peak() / 1_000_000,
                before / 1_000_000
            );
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The most resident memory that this process has had, in bytes; 0 where the system does not tell.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|kb| kb.parse::<usize>().ok()).unwrap_or_default() * 1024
}

fn lines(file: &mut File) -> usize {
    file.rewind().expect("a file");
    let mut input = BufReader::with_capacity(1 << 20, file);
    let (mut line, mut count) = (String::new(), 0);
    while input.read_line(&mut line).expect("readable") > 0 {
        let raw: &RawValue = serde_json::from_str(&line).expect("JSON");
        count += usize::from(!raw.get().is_empty());
        line.clear();
    }
    count
}

struct Nobody;

impl Watcher for Nobody {
    fn note(&mut self, _note: Note, _roster: &Roster) -> Result<(), Stop> {
        Ok(())
    }
}

fn run(file: &mut File, against_emulator: bool) -> Summary {
    file.rewind().expect("a file");
    let scan = replay::scan(BufReader::with_capacity(1 << 20, &*file)).expect("readable");
    file.rewind().expect("a file");
    let input = BufReader::with_capacity(1 << 20, file.try_clone().expect("a handle"));
    let options = Options { scan, ..Options::default() };
    let replayed = if against_emulator {
        replay::against("bench", input, options, Emulated::new(1, true), &mut Nobody)
    } else {
        replay::from_cassette("bench", input, options, &mut Nobody)
    };
    replayed.expect("a replay").summary
}

/// The fixture, cut where an id or a time stands.
struct Template {
    /// What comes before the first conference: definition and people.
    head: String,
    pieces: Vec<Piece>,
    events: usize,
}

enum Piece {
    Text(String),
    /// An id; its last characters are counted up.
    Id(String),
    /// Milliseconds since the epoch.
    Millis(i64),
    /// RFC 3339.
    Time(Timestamp),
}

impl Template {
    fn new(without_calls: bool) -> Self {
        let is_head = |line: &&str| {
            line.contains(r#""source":"channel-definition""#) || line.contains(r#""source":"config""#)
        };
        let head: Vec<&str> = FIXTURE.lines().filter(is_head).collect();
        let body: Vec<&str> = FIXTURE
            .lines()
            .filter(|line| !is_head(line))
            .filter(|line| !(without_calls && line.contains(r#""source":"interaction-service""#)))
            .collect();
        let is_event =
            |line: &&&str| line.contains(r#""source":"pubsub""#) || line.contains("AGENT_WORK_EVENT");
        let events = body.iter().filter(is_event).count();
        let mut pieces = vec![Piece::Text(String::new())];
        let text = body.join("\n") + "\n";
        let mut rest = text.as_str();
        while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let (before, from) = rest.split_at(at);
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
            let (token, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(piece(token));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self { head: head.join("\n") + "\n", pieces: joined(pieces), events }
    }

    fn write(&self, file: &mut File, conferences: usize) -> usize {
        let mut out = BufWriter::with_capacity(1 << 20, &*file);
        out.write_all(self.head.as_bytes()).expect("room on the disk");
        let mut bytes = self.head.len();
        let mut text = Vec::new();
        for number in 0..conferences {
            let later = Duration::from_millis(u64::try_from(APART_MS).expect("later") * number as u64);
            text.clear();
            for piece in &self.pieces {
                match piece {
                    Piece::Text(part) => text.extend_from_slice(part.as_bytes()),
                    Piece::Id(id) => {
                        let (stem, _) = id.split_at(id.len() - 6);
                        write!(text, "{stem}{number:06}").expect("memory");
                    }
                    Piece::Millis(at) => {
                        write!(text, "{}", (Timestamp::from_millis(*at) + later).as_millis())
                            .expect("memory");
                    }
                    Piece::Time(at) => write!(text, "{}", *at + later).expect("memory"),
                }
            }
            bytes += text.len();
            out.write_all(&text).expect("room on the disk");
        }
        out.flush().expect("room on the disk");
        drop(out);
        bytes
    }
}

/// What a run of letters and digits is.
fn piece(token: &str) -> Piece {
    let is_uuid = token.len() == 36 && token.matches('-').count() == 4;
    let is_record = token.len() == 15 && ["0Mw", "0Bz", "0JR"].iter().any(|prefix| token.starts_with(prefix));
    if is_uuid || is_record {
        return Piece::Id(token.to_owned());
    }
    match (token.parse(), Timestamp::parse_rfc3339(token)) {
        (Ok(millis), _) if token.len() == 13 && token.starts_with("17") => Piece::Millis(millis),
        (_, Some(at)) => Piece::Time(at),
        _ => Piece::Text(token.to_owned()),
    }
}

/// Neighbouring texts as one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => all.push(piece),
        }
    }
    all
}
