//! The event bus: what was published, for as long as it is kept, and who may go on from where. It owns
//! neither socket nor clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::schema::{self, Encoder};
use crate::emulator::{EventForm, StreamForm};
use crate::model::time::Timestamp;
use crate::proto::{ConsumerEvent, ProducerEvent};

/// A replay id as it is looked up: ten bytes; clients that take it for a number send the first eight.
type Key = [u8; 10];

/// The last two bytes of a published event's own id are zero, those of a keep-alive's count from 1, and
/// those of one that took the place of a forgotten id count from here.
const RENAMED: u16 = 0x8000;

/// How many keep-alives are known by their ids.
const MARKS_KEPT: usize = 4096;

/// The events of the org's one topic.
#[derive(Debug)]
pub(in super::super) struct Bus {
    form: StreamForm,
    encoder: Encoder,
    entries: VecDeque<(Timestamp, ConsumerEvent)>,
    /// The number of the first entry that is kept. Numbers are never given again.
    first: u64,
    /// The number of the entry that comes behind each place.
    places: HashMap<Key, u64>,
    marks: VecDeque<Key>,
    next_mark: u16,
    renamings: u16,
}

/// Nobody can go on from there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

impl Bus {
    pub(in super::super) fn new(stream: &StreamForm, events: &EventForm) -> Self {
        Self {
            form: stream.clone(),
            encoder: Encoder::new(events),
            entries: VecDeque::new(),
            first: 0,
            places: HashMap::new(),
            marks: VecDeque::new(),
            next_mark: 1,
            renamings: 0,
        }
    }

    /// The schema that events have from now on.
    pub(super) fn schema_id(&self) -> String {
        self.encoder.schema_id()
    }

    /// A schema that events have, or had.
    pub(super) fn schema(&self, id: &str) -> Option<String> {
        self.encoder.schema(id)
    }

    /// The events that are published from now on have another schema.
    pub(super) fn change_schema(&mut self) {
        self.encoder.change();
    }

    /// The events that are published from now on name a schema whose text that is.
    pub(super) fn say_schema(&mut self, text: &str) {
        self.encoder.say(text);
    }

    pub(in super::super) fn publish(&mut self, at: Timestamp, replay_id: &[u8], event: &Value) {
        let published = ProducerEvent {
            id: schema::event_uuid(replay_id),
            schema_id: self.schema_id(),
            payload: self.encoder.encode(event),
            headers: Vec::new(),
        };
        if let Some(key) = key(replay_id) {
            self.places.insert(key, self.end().saturating_add(1));
        }
        self.entries.push_back((at, ConsumerEvent { event: Some(published), replay_id: replay_id.to_vec() }));
        self.keep(at);
    }

    /// Drops what is too old or too much.
    fn keep(&mut self, now: Timestamp) {
        let oldest = now - Duration::from_hours(self.form.kept_hours.into());
        while self.entries.len() > self.form.kept || self.entries.front().is_some_and(|(at, _)| *at < oldest)
        {
            if let Some((_, event)) = self.entries.pop_front()
                && let Some(key) = key(&event.replay_id)
            {
                self.places.remove(&key);
            }
            self.first = self.first.saturating_add(1);
        }
    }

    /// The number of the next entry.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.entries.len() as u64)
    }

    pub(super) fn earliest(&mut self, now: Timestamp) -> u64 {
        self.keep(now);
        self.first
    }

    /// The entry behind a place.
    pub(super) fn after(&mut self, now: Timestamp, replay_id: &[u8]) -> Result<u64, Unknown> {
        self.keep(now);
        let next = key(replay_id).and_then(|key| self.places.get(&key)).copied().ok_or(Unknown)?;
        if next < self.first { Err(Unknown) } else { Ok(next) }
    }

    /// Up to so many events from an entry on, and where to read on.
    pub(super) fn read(&self, from: u64, most: usize) -> (Vec<ConsumerEvent>, u64) {
        let skipped = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let events: Vec<_> = self.entries.iter().skip(skipped).take(most).map(|(_, it)| it.clone()).collect();
        let next = from.max(self.first).saturating_add(events.len() as u64);
        (events, next)
    }

    /// A new id for the place in front of an entry, as a keep-alive tells it.
    pub(super) fn mark(&mut self, place: u64) -> Vec<u8> {
        let last = self.entries.back().map_or(&[][..], |(_, event)| &event.replay_id);
        let mut id = key(last).unwrap_or_default();
        if let Some((_, counter)) = id.split_last_chunk_mut() {
            *counter = self.next_mark.to_be_bytes();
        }
        // From 1 to what is below the ids of a renaming, and round again.
        let next = self.next_mark.saturating_add(1);
        self.next_mark = if next < RENAMED { next } else { 1 };
        self.places.insert(id, place);
        self.marks.push_back(id);
        if self.marks.len() > MARKS_KEPT
            && let Some(old) = self.marks.pop_front()
        {
            self.places.remove(&old);
        }
        id.to_vec()
    }

    /// Forgets every id that was ever given. The events stay, under others.
    pub(super) fn rename(&mut self) {
        self.renamings = self.renamings.saturating_add(1);
        self.places.clear();
        self.marks.clear();
        let counter = RENAMED.saturating_add(self.renamings).to_be_bytes();
        for (next, (_, event)) in (self.first.saturating_add(1)..).zip(&mut self.entries) {
            if let Some(mut id) = key(&event.replay_id)
                && let Some((_, last)) = id.split_last_chunk_mut()
            {
                *last = counter;
                event.replay_id = id.to_vec();
                self.places.insert(id, next);
            }
        }
    }
}

fn key(replay_id: &[u8]) -> Option<Key> {
    match replay_id.len() {
        10 => replay_id.try_into().ok(),
        8 => [replay_id, &[0, 0]].concat().try_into().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HOUR: i64 = 3_600_000;

    fn bus(kept: usize) -> Bus {
        Bus::new(&StreamForm { kept, ..StreamForm::default() }, &EventForm::default())
    }

    fn id(n: u8) -> Vec<u8> {
        vec![0, 0, 0, 0, 0, 0, 0, n, 0, 0]
    }

    fn publish(bus: &mut Bus, hour: i64, n: u8) {
        let event = json!({ "CreatedDate": 1, "CreatedById": "005" });
        bus.publish(Timestamp::from_millis(hour * HOUR), &id(n), &event);
    }

    fn ids(bus: &Bus, from: u64) -> Vec<Vec<u8>> {
        bus.read(from, 100).0.into_iter().map(|event| event.replay_id).collect()
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_millis(hour * HOUR)
    }

    #[test]
    fn events_are_kept_for_72_hours_and_their_ids_with_them() {
        let mut bus = bus(100);
        for (hour, n) in [(0, 3), (1, 5), (2, 9)] {
            publish(&mut bus, hour, n);
        }
        let place = bus.after(at(72), &id(3)).unwrap();
        assert_eq!(ids(&bus, place), [id(5), id(9)]);
        assert_eq!(bus.after(at(72), &id(4)), Err(Unknown), "ids are not computed with");
        assert_eq!(bus.after(at(73), &id(3)), Err(Unknown));
        let earliest = bus.earliest(at(73));
        assert_eq!(ids(&bus, earliest), [id(5), id(9)]);
        let place = bus.after(at(73), &id(9)[..8]).unwrap();
        assert_eq!((ids(&bus, place), place), (vec![], bus.end()), "eight bytes are the same id");
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut bus = bus(2);
        for n in 1..=5 {
            publish(&mut bus, 0, n);
        }
        assert_eq!(ids(&bus, 0), [id(4), id(5)]);
        assert_eq!(bus.end(), 5);
    }

    #[test]
    fn a_keep_alive_names_a_place_to_go_on_from() {
        let mut bus = bus(100);
        let before = bus.mark(0);
        publish(&mut bus, 0, 3);
        let behind = bus.mark(bus.end());
        assert_ne!(behind, bus.mark(bus.end()), "each is newer than the last");
        publish(&mut bus, 0, 5);
        for (mark, follow) in [(before, vec![id(3), id(5)]), (behind, vec![id(5)])] {
            let place = bus.after(at(0), &mark).unwrap();
            assert_eq!(ids(&bus, place), follow);
        }
    }

    #[test]
    fn forgotten_ids_are_refused_and_the_events_are_still_there() {
        let mut bus = bus(100);
        publish(&mut bus, 0, 3);
        publish(&mut bus, 0, 5);
        bus.rename();
        assert_eq!(bus.after(at(0), &id(3)), Err(Unknown));
        let renamed = ids(&bus, 0);
        let place = bus.after(at(0), &renamed[0]).unwrap();
        assert_eq!(ids(&bus, place), renamed[1..]);
    }
}
