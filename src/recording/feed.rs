//! Reading and decoding a recording on other threads, so that whoever replays it only replays.
//!
//! One thread cuts the file into batches of whole lines, one reads and decodes them, the caller takes
//! them in order. The channels between them are short, which bounds the memory.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::reader::{Lines, MAX_LINE, Read, read_line};
use super::{Error, Line, Problem};
use crate::events::{Decoded, Decoder, FieldNames};

/// How many bytes a batch has at least: enough to make handing it over cheap, few enough for the caches.
const BATCH: usize = 128 * 1024;

/// How many batches may wait between two threads.
const WAITING: usize = 4;

/// A line, and what the event in it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The line.
    pub line: Line,
    /// What its event says; `None` where it is not an event.
    pub event: Option<Decoded>,
}

/// The lines of a recording, read and decoded ahead of whoever takes them.
///
/// Errors are as with [`Reader`](super::Reader): the next line follows. An event that cannot be read is an
/// error with the line's number. Dropping the feed ends its threads.
#[derive(Debug)]
pub struct Feed {
    batches: Receiver<Vec<Result<Item, Error>>>,
    current: std::vec::IntoIter<Result<Item, Error>>,
    threads: Vec<JoinHandle<()>>,
}

impl Feed {
    /// Starts reading `input`; `file` is what errors call it. `names` are used until a line of the recording
    /// gives the channel's definition; with neither, they are detected.
    ///
    /// # Errors
    /// Where the operating system gives no threads.
    pub fn start<R: BufRead + Send + 'static>(
        file: impl Into<Arc<str>>,
        input: R,
        names: Option<FieldNames>,
    ) -> io::Result<Self> {
        let (to_parser, from_reader) = sync_channel(WAITING);
        let (to_caller, batches) = sync_channel(WAITING);
        let lines = Lines::new(file.into());
        let reading = thread::Builder::new().name("recording-read".into());
        let decoding = thread::Builder::new().name("recording-decode".into());
        let threads = vec![
            reading.spawn(move || cut(input, &to_parser))?,
            decoding.spawn(move || decode(&from_reader, &to_caller, lines, Decoder::new(names)))?,
        ];
        Ok(Self { batches, current: Vec::new().into_iter(), threads })
    }
}

impl Feed {
    /// Ends as the threads did: a panic of theirs must not pass for the end of the recording.
    fn finish(&mut self) {
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Iterator for Feed {
    type Item = Result<Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            let Ok(batch) = self.batches.recv() else {
                self.finish();
                return None;
            };
            self.current = batch.into_iter();
        }
    }
}

/// What the reading thread hands on.
enum Piece {
    /// Whole lines, newlines included.
    Lines(Vec<u8>),
    /// A line that was too long stood here.
    TooLong,
    /// Reading failed here.
    Failed(io::Error),
    /// There is nothing more.
    End,
}

/// Cuts the input into pieces, until it ends or nobody wants them any more.
fn cut(mut input: impl BufRead, pieces: &SyncSender<Piece>) {
    loop {
        let mut batch = Vec::with_capacity(BATCH + BATCH / 4);
        let read = loop {
            match read_line(&mut input, MAX_LINE, &mut batch) {
                Ok(Read::Line) if batch.len() < BATCH => {}
                other => break other,
            }
        };
        let last = match read {
            Ok(Read::Line) => None,
            Ok(Read::TooLong) => Some(Piece::TooLong),
            Ok(Read::End) => Some(Piece::End),
            Err(error) => Some(Piece::Failed(error)),
        };
        let ends = matches!(last, Some(Piece::End | Piece::Failed(_)));
        let sent =
            pieces.send(Piece::Lines(batch)).and_then(|()| last.map_or(Ok(()), |last| pieces.send(last)));
        if ends || sent.is_err() {
            return;
        }
    }
}

/// Reads and decodes pieces, until they end or nobody wants them any more.
fn decode(
    pieces: &Receiver<Piece>,
    batches: &SyncSender<Vec<Result<Item, Error>>>,
    mut lines: Lines,
    mut decoder: Decoder,
) {
    for piece in pieces {
        let batch = match piece {
            Piece::Lines(text) => decode_batch(text, &mut lines, &mut decoder),
            Piece::TooLong => {
                let number = lines.count();
                vec![Err(lines.too_long(number, MAX_LINE))]
            }
            Piece::Failed(error) => {
                let number = lines.count();
                vec![Err(lines.error(number, (Problem::Io(error), None)))]
            }
            Piece::End => return,
        };
        if batches.send(batch).is_err() {
            return;
        }
    }
}

fn decode_batch(bytes: Vec<u8>, lines: &mut Lines, decoder: &mut Decoder) -> Vec<Result<Item, Error>> {
    let batch: Arc<str> = match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(broken) => return decode_one_by_one(broken.as_bytes(), lines, decoder),
    };
    let mut items = Vec::with_capacity((batch.len() / 1024).saturating_add(1));
    for line in batch.split_inclusive('\n') {
        let number = lines.count();
        let taken = lines.take_decoded(number, line, &batch, decoder);
        items.extend(taken.map(|taken| taken.map(|(line, event)| Item { line, event })));
    }
    items
}

/// Reads a batch in which something is not UTF-8.
fn decode_one_by_one(batch: &[u8], lines: &mut Lines, decoder: &mut Decoder) -> Vec<Result<Item, Error>> {
    let mut items = Vec::new();
    for line in batch.split_inclusive(|byte| *byte == b'\n') {
        let number = lines.count();
        let Some(line) = lines.take(number, line) else { continue };
        items.push(line.and_then(|line| {
            let event = line.decode(decoder);
            let event = event.map_err(|error| lines.error(number, (Problem::Event(error), None)))?;
            Ok(Item { line, event })
        }));
    }
    items
}
