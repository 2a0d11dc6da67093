//! Virtual time: what is due when, and doing it then.

use std::cmp::Reverse;

use super::{Answers, Due, Player};
use crate::model::time::Timestamp;
use crate::replay::note::What;
use crate::replay::side::Side;

impl<S: Side> Player<S> {
    /// Does everything that is due before `end`, each thing at its own time.
    pub(in crate::replay) fn run_until(&mut self, end: Timestamp, pace: &mut dyn FnMut(Timestamp)) {
        while let Some(next) = self.next_due()
            && next < end
            && self.failure.is_none()
        {
            self.step(next, pace);
        }
        if end > self.now {
            pace(end);
            self.now = end;
        }
    }

    /// Does everything that is still due when the recording is over, until all requests have ended.
    pub(in crate::replay) fn run_out(&mut self, pace: &mut dyn FnMut(Timestamp)) {
        self.at_end = true;
        let waiting: Vec<u64> = self.open.keys().copied().collect();
        for number in waiting {
            self.nothing_more_will_come(number);
        }
        while (self.engine.conversations().busy().any(|busy| !busy.only_owes(self.tries_at_end()))
            || !self.open.is_empty())
            && self.failure.is_none()
            && let Some(next) = self.next_due()
        {
            self.step(next, pace);
        }
        self.say_what_is_owed();
        self.left_over(Timestamp::MAX);
    }

    /// How often what is owed is tried when the recording is over: a recording has no further answer, and who
    /// answers live may be well again after some minutes.
    const fn tries_at_end(&self) -> u32 {
        match self.answers {
            Answers::Recorded(_) => 1,
            Answers::Live(_) => 8,
        }
    }

    /// Requests that were decided, and owe something that would be tried for ever.
    fn say_what_is_owed(&mut self) {
        let busy = self.engine.conversations().busy();
        let owing: Vec<_> = busy
            .map(|busy| {
                (busy.id().clone(), busy.decided().collect::<Vec<_>>(), busy.owed().collect::<Vec<_>>())
            })
            .collect();
        for (conversation, decided, owed) in owing {
            for owed in owed {
                self.note(&conversation, What::Owed(Box::new(owed)));
            }
            for ending in decided {
                self.end(&conversation, ending);
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        let answers = self.due.peek().map(|Reverse((at, _))| *at);
        let side = match &self.answers {
            Answers::Live(side) => side.deadline(),
            Answers::Recorded(_) => None,
        };
        [answers, side, self.engine.deadline()].into_iter().flatten().min()
    }

    fn step(&mut self, next: Timestamp, pace: &mut dyn FnMut(Timestamp)) {
        if next > self.now {
            pace(next);
            self.now = next;
        }
        if let Some(Reverse((at, number))) = self.due.peek().copied()
            && at <= self.now
        {
            self.due.pop();
            if let Some(due) = self.due_what.remove(&number) {
                self.do_due(due);
            }
            return;
        }
        if let Answers::Live(side) = &mut self.answers
            && side.deadline().is_some_and(|at| at <= self.now)
        {
            let told = side.advance(self.now);
            for event in self.fail(told).unwrap_or_default() {
                self.feed(event);
            }
            return;
        }
        self.engine.tick(self.now);
        self.do_outputs();
    }

    pub(super) fn schedule(&mut self, at: Timestamp, due: Due) {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.due.push(Reverse((at.max(self.now), number)));
        self.due_what.insert(number, due);
    }

    fn do_due(&mut self, due: Due) {
        match due {
            Due::TryOutcome(number, verdict) => self.judged(number, verdict),
            Due::Answer(number, answer) => self.answered(number, answer),
            Due::Found(number, found) => self.found(number, found),
            Due::GiveUp(number) => self.give_up(number),
        }
    }
}
