//! Whose turn is next, without waiting and without a rate.
//!
//! Each line is first in, first out. Lines stand in one of two rings, by the most urgent item that
//! they hold, and each ring goes round: an item is taken from the first line, which then stands last.
//! A line with one urgent item behind three others thus moves up as a whole, and its order holds.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use crate::interaction::line::Priority;

/// Items in lines.
#[derive(Debug)]
pub(super) struct Queue<K, T> {
    lines: HashMap<K, Items<T>>,
    first: VecDeque<(K, u64)>,
    later: VecDeque<(K, u64)>,
    places: u64,
    len: usize,
}

#[derive(Debug)]
struct Items<T> {
    waiting: VecDeque<(Priority, T)>,
    urgent: usize,
    /// Which of the line's places in the rings is the valid one. A line that moves up leaves its old
    /// place behind, to be skipped.
    place: u64,
}

impl<K, T> Default for Queue<K, T> {
    fn default() -> Self {
        let (first, later) = (VecDeque::new(), VecDeque::new());
        Self { lines: HashMap::new(), first, later, places: 0, len: 0 }
    }
}

impl<K: Clone + Eq + Hash, T> Queue<K, T> {
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Puts an item at the end of its line.
    pub(super) fn push(&mut self, line: K, priority: Priority, item: T) {
        self.len = self.len.saturating_add(1);
        let urgent = usize::from(priority == Priority::First);
        let moves_up = if let Some(items) = self.lines.get_mut(&line) {
            items.waiting.push_back((priority, item));
            items.urgent = items.urgent.saturating_add(urgent);
            items.urgent == 1 && urgent == 1
        } else {
            let items = Items { waiting: VecDeque::from([(priority, item)]), urgent, place: 0 };
            self.lines.insert(line.clone(), items);
            true
        };
        if moves_up {
            self.stand_last(line);
        }
    }

    /// Takes the item whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        while let Some((line, place)) = self.first.pop_front().or_else(|| self.later.pop_front()) {
            let Some(items) = self.lines.get_mut(&line).filter(|items| items.place == place) else {
                continue;
            };
            let Some((priority, item)) = items.waiting.pop_front() else { continue };
            items.urgent = items.urgent.saturating_sub(usize::from(priority == Priority::First));
            self.len = self.len.saturating_sub(1);
            if items.waiting.is_empty() {
                self.lines.remove(&line);
            } else {
                self.stand_last(line);
            }
            return Some(item);
        }
        None
    }

    fn stand_last(&mut self, line: K) {
        let Some(items) = self.lines.get_mut(&line) else { return };
        self.places = self.places.wrapping_add(1);
        items.place = self.places;
        let ring = if items.urgent > 0 { &mut self.first } else { &mut self.later };
        ring.push_back((line, self.places));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pushed = (&'static str, Priority, u32);
    type Taken = (&'static str, u32);

    fn drained(pushed: &[Pushed]) -> Vec<Taken> {
        let mut queue = Queue::default();
        for (line, priority, item) in pushed {
            queue.push(*line, *priority, (*line, *item));
        }
        assert_eq!(queue.len(), pushed.len());
        let mut taken = Vec::new();
        while let Some(item) = queue.pop() {
            taken.push(item);
        }
        assert!(
            queue.is_empty() && queue.lines.is_empty() && queue.first.is_empty() && queue.later.is_empty()
        );
        taken
    }

    #[test]
    fn turns_go_round() {
        use Priority::{First, Later};
        let table: [(&[Pushed], &[Taken]); 4] = [
            (
                &[("a", Later, 1), ("a", Later, 2), ("a", Later, 3), ("b", Later, 1)],
                &[("a", 1), ("b", 1), ("a", 2), ("a", 3)],
            ),
            (
                &[("a", Later, 1), ("b", Later, 1), ("c", First, 1), ("c", First, 2), ("d", First, 1)],
                &[("c", 1), ("d", 1), ("c", 2), ("a", 1), ("b", 1)],
            ),
            // b's cancel is behind b's offer, and both move up.
            (
                &[("a", Later, 1), ("b", Later, 1), ("b", First, 2), ("b", Later, 3)],
                &[("b", 1), ("b", 2), ("a", 1), ("b", 3)],
            ),
            (&[], &[]),
        ];
        for (pushed, taken) in table {
            assert_eq!(drained(pushed), taken, "{pushed:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_line_keeps_its_order_and_nobody_is_left(pushes in proptest::collection::vec((0_usize..5, proptest::bool::ANY), 0..200)) {
            const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
            let mut counts = [0; 5];
            let pushed: Vec<_> = pushes.iter().map(|(line, first)| {
                counts[*line] += 1;
                (NAMES[*line], if *first { Priority::First } else { Priority::Later }, counts[*line])
            }).collect();
            let taken = drained(&pushed);
            for (index, name) in NAMES.iter().enumerate() {
                let items: Vec<u32> = taken.iter().filter(|(line, _)| line == name).map(|(_, item)| *item).collect();
                let all: Vec<u32> = (1..=counts[index]).collect();
                proptest::prop_assert_eq!(items, all);
            }
        }

        #[test]
        fn among_equals_no_line_gets_two_turns_ahead(lengths in proptest::collection::vec(1_u32..20, 2..6)) {
            const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
            let pushed: Vec<_> = lengths.iter().zip(NAMES).flat_map(|(length, name)| {
                (1..=*length).map(move |item| (name, Priority::Later, item))
            }).collect();
            let taken = drained(&pushed);
            // The n-th item of any line comes before the n+1-th of every other.
            proptest::prop_assert!(taken.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{:?}", taken);
        }
    }
}
