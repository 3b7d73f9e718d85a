//! What the platform does to accounts: rate limits, silent suppression, suspension.

use std::collections::VecDeque;

use lacuna_model::policy::Sanctions;
use lacuna_model::{Duration, Timestamp};

/// The stretch that `messages-per-minute` looks back.
const MINUTE: Duration = Duration::from_secs(60);

/// What an account did so far.
#[derive(Default)]
pub(super) struct Conduct {
    /// Messages that a rule acted on, for whichever recipient.
    hits: u64,
    /// When its messages of the last minute were taken up; empty where no limit asks.
    recent: VecDeque<Timestamp>,
}

impl Conduct {
    /// Whether the account is suspended.
    pub(super) fn is_suspended(&self, sanctions: &Sanctions) -> bool {
        sanctions.suspend_after_hits.is_some_and(|limit| self.hits >= limit)
    }

    /// Whether everything the account sends is silently dropped.
    pub(super) fn is_suppressed(&self, sanctions: &Sanctions) -> bool {
        sanctions.suppress_after_hits.is_some_and(|limit| self.hits >= limit)
    }

    /// A rule acted on a message of the account.
    pub(super) fn hit(&mut self) {
        self.hits += 1;
    }

    /// Counts a message against the rate limit, or says how long to wait before the next will be taken.
    pub(super) fn take(&mut self, sanctions: &Sanctions, now: Timestamp) -> Result<(), Duration> {
        let Some(limit) = sanctions.messages_per_minute else { return Ok(()) };
        while self.recent.front().is_some_and(|&oldest| now - oldest >= MINUTE) {
            self.recent.pop_front();
        }
        if self.recent.len() as u64 >= limit {
            let wait = self.recent.front().map_or(MINUTE, |&oldest| (oldest + MINUTE) - now);
            return Err(wait);
        }
        self.recent.push_back(now);
        Ok(())
    }
}
