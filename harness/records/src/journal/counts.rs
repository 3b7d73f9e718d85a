//! What a journal holds, counted.

use lacuna_model::{Decision, Entry, Fact, SendResult};
use serde::{Deserialize, Serialize};

/// How many of what a journal holds. The writer counts while it writes, the reader while it reads, and both must agree
/// where a seal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Epochs opened: one, and one more for each resume.
    pub epochs: u64,
    /// Probes planned.
    pub planned: u64,
    /// Sends started.
    pub started: u64,
    /// Sends that the platform took.
    pub accepted: u64,
    /// Sends that the platform refused.
    pub refused: u64,
    /// Sends that the platform answered with a wait.
    pub rate_limited: u64,
    /// Sends of which it is certain that nothing left.
    pub failed: u64,
    /// Sends of which nobody knows whether they left.
    pub unknown_submission: u64,
    /// Observations by accounts of the study, those of strangers' messages included.
    pub observed: u64,
    /// Times that an account was sanctioned.
    pub sanctions: u64,
    /// Gaps in an account's listening.
    pub gaps: u64,
}

impl Counts {
    /// Counts one more entry.
    pub fn add(&mut self, entry: &Entry) {
        let count = match entry {
            Entry::Fact(fact) => match fact {
                Fact::EpochOpened { .. } => &mut self.epochs,
                Fact::SendStarted { .. } => &mut self.started,
                Fact::SendResult { result, .. } => match result {
                    SendResult::Accepted { .. } => &mut self.accepted,
                    SendResult::Refused { .. } => &mut self.refused,
                    SendResult::RateLimited { .. } => &mut self.rate_limited,
                    SendResult::NotSent { .. } => &mut self.failed,
                    SendResult::Unknown { .. } => &mut self.unknown_submission,
                },
                Fact::Observed(_) => &mut self.observed,
                Fact::AccountState { condition: lacuna_model::AccountCondition::Sanctioned, .. } => &mut self.sanctions,
                Fact::Gap { .. } => &mut self.gaps,
                Fact::AccountState { .. } | Fact::DeadlinePassed(_) | Fact::StopRequested => return,
            },
            Entry::Decision(Decision::ProbePlanned(_)) => &mut self.planned,
            Entry::Decision(Decision::SearchBegun(_) | Decision::Stopped { .. }) => return,
        };
        *count += 1;
    }
}

/// The last line of a run that came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    /// When, in microseconds.
    pub at: lacuna_model::Timestamp,
    /// The exit code of the run.
    pub exit_code: u8,
    /// What the journal holds before the seal.
    pub counts: Counts,
}
