//! What the engine asks of a driver.

use lacuna_model::{Deadline, Decision, Outcome, Timestamp};

/// A command to the driver. Commands are carried out in their order.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Journal this decision right behind the fact that caused it. A planned probe is then to be sent: the driver journals
    /// `send_started`, makes both durable, and hands the message to the platform.
    Decide(Decision),
    /// Journal `deadline_passed` at this time; a deadline that is armed again is moved.
    Arm {
        /// Which.
        deadline: Deadline,
        /// When.
        at: Timestamp,
    },
    /// The deadline is no longer needed.
    Cancel(Deadline),
    /// Nothing more will happen: seal the journal.
    Finish,
}

/// Where a run stands, for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Messages sent so far, controls included.
    pub sent: u64,
    /// Of these, controls.
    pub controls: u64,
    /// Questions of the design: an item on an arm, for one recipient or for a whole group.
    pub questions: u64,
    /// Of these, answered or given up.
    pub answered: u64,
    /// Outcomes so far, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Nothing is sent any more; receivers still listen.
    pub listening: bool,
}

impl Progress {
    /// How many outcomes of this kind there are.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        Outcome::ALL.iter().zip(self.outcomes).find(|(it, _)| **it == outcome).map_or(0, |(_, count)| count)
    }
}
