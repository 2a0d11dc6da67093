//! How fast a recording is read and decoded: events a second, beside the floor of cutting lines and
//! checking that each is JSON.
//!
//! `cargo bench --bench recording [EVENTS] [PASSES]`; 1,000,000 events and 3 passes where nothing is said. The
//! events are the fixtures' own, over and over, their times moved on.

#![expect(clippy::expect_used, clippy::cast_precision_loss, reason = "a benchmark is run by hand")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use byoc_connector::events::Decoder;
use byoc_connector::model::time::Timestamp;
use byoc_connector::recording::{Feed, Reader, Source};
use serde_json::value::RawValue;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let events = arguments.next().unwrap_or(1_000_000);
    let passes = arguments.next().unwrap_or(3);
    let recording: Arc<[u8]> = recording(events).into();
    let size = recording.len();
    println(&format!("{events} events, {:.0} MB, {} bytes each", size as f64 / 1e6, size / events.max(1)));
    for pass in 1..=passes {
        println(&format!("pass {pass}"));
        for (name, run) in [
            ("floor: lines, checked to be JSON", floor as fn(&Arc<[u8]>) -> usize),
            ("Reader: lines, typed", reader),
            ("Reader and Decoder, on one thread", decoder),
            ("Feed: lines, typed and decoded", feed),
        ] {
            let start = Instant::now();
            let count = run(&recording);
            report(name, count, size, start.elapsed());
            assert_eq!(count, events, "{name} has seen every line");
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
fn println(text: &str) {
    println!("{text}");
}

fn report(name: &str, count: usize, size: usize, took: Duration) {
    let seconds = took.as_secs_f64();
    let (rate, bandwidth) = (count as f64 / seconds, size as f64 / 1e6 / seconds);
    println(&format!("  {name:<36} {rate:>9.0} events/s {bandwidth:>6.0} MB/s"));
}

/// So many platform events, in time order.
fn recording(events: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("fixtures").map(|file| file.expect("one").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("UTF-8"));
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.contains(r#""source":"pubsub""#))
        .collect();
    let mut text = String::new();
    for (number, line) in (0..events).zip(lines.iter().cycle()) {
        let at = Timestamp::from_millis(1_780_300_800_000 + i64::try_from(number).expect("few"));
        let rest = line.split_once(r#"","source""#).expect("a line").1;
        writeln!(text, r#"{{"at":"{at}","source"{rest}"#).expect("a String takes everything");
    }
    text.into_bytes()
}

fn floor(recording: &Arc<[u8]>) -> usize {
    let mut input = BufReader::with_capacity(64 * 1024, &recording[..]);
    let (mut line, mut count) = (String::new(), 0);
    while input.read_line(&mut line).expect("memory can be read") > 0 {
        let raw: &RawValue = serde_json::from_str(&line).expect("JSON");
        count += usize::from(!raw.get().is_empty());
        line.clear();
    }
    count
}

fn reader(recording: &Arc<[u8]>) -> usize {
    Reader::new("bench", &recording[..]).fold(0, |count, line| count + usize::from(line.is_ok()))
}

fn decoder(recording: &Arc<[u8]>) -> usize {
    let mut decoder = Decoder::default();
    let read = Reader::new("bench", &recording[..]).map(|line| {
        let line = line.expect("whole");
        let Source::PlatformEvent { replay_id, event, .. } = &line.source else { return false };
        decoder.decode(event.get(), line.at, replay_id.as_deref()).is_ok()
    });
    read.filter(|read| *read).count()
}

fn feed(recording: &Arc<[u8]>) -> usize {
    let input = BufReader::with_capacity(64 * 1024, Cursor::new(Arc::clone(recording)));
    let feed = Feed::start("bench", input, None).expect("threads");
    feed.filter(|item| item.as_ref().expect("whole").event.is_some()).count()
}
