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
    /// Messages that are still dropped because of the last of them.
    carried_over: u64,
    /// When its messages of the last minute were taken up; empty where no limit asks.
    recent: VecDeque<Timestamp>,
}

impl Conduct {
    /// Whether the account is suspended.
    pub(super) fn is_suspended(&self, sanctions: &Sanctions) -> bool {
        sanctions.suspend_after_hits.is_some_and(|limit| self.hits >= limit)
    }

    /// The platform takes a message of the account; `is_hit` if a rule acts on it. Whether it is silently dropped because of what
    /// the account sent before, whatever it says.
    pub(super) fn submit(&mut self, sanctions: &Sanctions, is_hit: bool) -> bool {
        let is_suppressed = sanctions.suppress_after_hits.is_some_and(|limit| self.hits >= limit);
        let is_carried_over = self.carried_over > 0;
        self.carried_over = self.carried_over.saturating_sub(1);
        if is_hit {
            self.hits += 1;
            self.carried_over = sanctions.carry_over_messages.unwrap_or(0);
        }
        is_suppressed || is_carried_over
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
