//! The questions that wait on one channel to be asked alone.

use std::collections::{BTreeSet, VecDeque};

use lacuna_model::Timestamp;

use super::question::QuestionIx;

/// When a question is to be asked again, then in which order.
type Entry = (Timestamp, u32, QuestionIx);

/// The questions waiting on one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// Not yet asked, the next one first.
    fresh: VecDeque<QuestionIx>,
    /// To be asked again, from a certain time on, and those of them whose time has come.
    later: BTreeSet<Entry>,
    due: BTreeSet<Entry>,
    /// Under such suspicion that only the exact number of drops is open, which is best known at the end.
    last: BTreeSet<Entry>,
    /// Cleared in a pool, to be looked at alone.
    audits: VecDeque<QuestionIx>,
    pub closed: bool,
    /// Tells entries with one time apart.
    ties: u32,
}

/// What a channel's queue offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// To be asked again: under suspicion, so likely to be dropped.
    Due,
    /// Not yet asked.
    Fresh,
    /// Likely to arrive.
    Audit,
    /// Likely to be dropped, and of no hurry.
    Last,
}

impl Queue {
    pub fn push_fresh(&mut self, question: QuestionIx) {
        self.fresh.push_back(question);
    }

    pub fn push_audit(&mut self, question: QuestionIx) {
        self.audits.push_back(question);
    }

    /// To be asked again from a time on; `last` once nothing else is left to be asked.
    pub fn push_again(&mut self, question: QuestionIx, from: Timestamp, last: bool) {
        self.ties += 1;
        let entry = (from, self.ties, question);
        if last {
            self.last.insert(entry);
        } else {
            self.later.insert(entry);
        }
    }

    /// Moves what may be asked again by now. Each entry moves once, so that a long queue costs no more than a short one.
    pub fn turn_due(&mut self, at: Timestamp) {
        while let Some(entry) = self.later.first().copied().filter(|(from, _, _)| *from <= at) {
            self.later.remove(&entry);
            self.due.insert(entry);
        }
    }

    /// How many questions can be asked now, those for the end aside.
    pub fn ready(&self) -> usize {
        self.due.len() + self.fresh.len() + self.audits.len()
    }

    /// How many of those for the end can be asked now.
    pub fn ready_last(&self, at: Timestamp) -> usize {
        self.last.range(..=(at, u32::MAX, QuestionIx::MAX)).count()
    }

    /// When the next question can be asked that cannot be asked yet.
    pub fn next_at(&self, at: Timestamp) -> Option<Timestamp> {
        let last = self.last.range((at, u32::MAX, QuestionIx::MAX)..).next();
        [self.later.first(), last].into_iter().flatten().map(|(from, _, _)| *from).min()
    }

    pub fn pop(&mut self, class: Class, at: Timestamp) -> Option<QuestionIx> {
        match class {
            Class::Due => self.due.pop_first().map(|(_, _, question)| question),
            Class::Fresh => self.fresh.pop_front(),
            Class::Audit => self.audits.pop_front(),
            Class::Last => {
                let first = self.last.first().copied().filter(|(from, _, _)| *from <= at)?;
                self.last.remove(&first);
                Some(first.2)
            }
        }
    }

    /// Empties the queue: what waits, from when on it may be asked.
    pub fn drain(&mut self, at: Timestamp) -> Vec<(Timestamp, QuestionIx)> {
        let mut again = std::mem::take(&mut self.due);
        again.append(&mut self.later);
        again.append(&mut self.last);
        let fresh = self.fresh.drain(..).chain(self.audits.drain(..)).map(|question| (at, question));
        fresh.chain(again.into_iter().map(|(from, _, question)| (from, question))).collect()
    }
}
