//! The deadlines that an engine has asked for.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_model::{Deadline, Timestamp};

/// Deadlines by the time at which they pass. Each is armed at most once: arming it again moves it.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Deadline)>,
    armed: BTreeMap<Deadline, Timestamp>,
}

impl Timers {
    pub fn arm(&mut self, deadline: Deadline, at: Timestamp) {
        self.cancel(deadline);
        self.armed.insert(deadline, at);
        self.due.insert((at, deadline));
    }

    pub fn cancel(&mut self, deadline: Deadline) {
        if let Some(at) = self.armed.remove(&deadline) {
            self.due.remove(&(at, deadline));
        }
    }

    /// When the next one passes.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the next one that has passed by `now`.
    pub fn pop_passed(&mut self, now: Timestamp) -> Option<Deadline> {
        let (_, deadline) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.cancel(deadline);
        Some(deadline)
    }

    pub fn clear(&mut self) {
        self.due.clear();
        self.armed.clear();
    }
}
