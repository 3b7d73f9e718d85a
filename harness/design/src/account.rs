//! One sending account: pacing, budgets, backing off.

use lacuna_model::study::{Pacing, Safety};
use lacuna_model::{Duration, SendResult, Timestamp};

/// After so many failed hand-overs in a row an account is given up: some two minutes of trying.
const FAILURES_UNTIL_DOWN: u32 = 30;

/// The first wait after a failed hand-over; it doubles up to [`LONGEST_BACK_OFF`].
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// The sending side of an account.
#[derive(Debug, Clone)]
pub(crate) struct SendingAccount {
    in_flight: u16,
    ready_at: Timestamp,
    failures: u32,
    /// Times in a row that the platform asked to slow down.
    limits: u32,
    sanctioned: bool,
    day: i64,
    sent_today: u64,
    /// How many channels it sends on: so many messages are kept for their closing controls.
    reserve: u64,
}

impl SendingAccount {
    pub fn new(channels: u64) -> Self {
        Self {
            in_flight: 0,
            ready_at: Timestamp(0),
            failures: 0,
            limits: 0,
            sanctioned: false,
            day: 0,
            sent_today: 0,
            reserve: channels,
        }
    }

    /// A new epoch: nothing is under way any more. What the account was to rest for, it still rests.
    pub fn open_epoch(&mut self, at: Timestamp, sent_today: u64) {
        self.in_flight = 0;
        self.failures = 0;
        self.limits = 0;
        self.day = at.0.div_euclid(MICROSECONDS_PER_DAY);
        self.sent_today = sent_today;
    }

    pub fn planned(&mut self, at: Timestamp, pacing: &Pacing) {
        self.turn_day(at);
        self.in_flight += 1;
        self.sent_today += 1;
        self.ready_at = self.ready_at.max(at + pacing.min_gap);
    }

    pub fn resolved(&mut self, at: Timestamp, result: &SendResult) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match result {
            SendResult::Accepted { .. } | SendResult::Refused { .. } => {
                self.failures = 0;
                self.limits = 0;
            }
            // A platform that keeps saying so, and asks for no wait or a short one, is not to be hammered.
            SendResult::RateLimited { retry_after } => {
                self.failures = 0;
                self.ready_at = self.ready_at.max(at + back_off(self.limits).max(*retry_after));
                self.limits = self.limits.saturating_add(1);
            }
            SendResult::NotSent { .. } | SendResult::Unknown { .. } => {
                self.ready_at = self.ready_at.max(at + back_off(self.failures));
                self.failures += 1;
            }
        }
    }

    /// It rests after a drop.
    pub fn cool_off(&mut self, until: Timestamp) {
        self.ready_at = self.ready_at.max(until);
    }

    pub fn sanction(&mut self) {
        self.sanctioned = true;
    }

    /// The platform sanctioned it.
    pub fn is_sanctioned(&self) -> bool {
        self.sanctioned
    }

    /// Whether a send is under way.
    pub fn is_busy(&self) -> bool {
        self.in_flight > 0
    }

    pub fn has_room(&self, pacing: &Pacing) -> bool {
        self.in_flight < pacing.in_flight
    }

    pub fn ready_at(&self) -> Timestamp {
        self.ready_at
    }

    /// It will not send again in this run.
    pub fn is_down(&self) -> bool {
        self.sanctioned || self.failures >= FAILURES_UNTIL_DOWN
    }

    /// How many messages it may still send today; a day is a UTC day.
    pub fn left_today(&mut self, at: Timestamp, safety: &Safety) -> u64 {
        self.turn_day(at);
        safety.max_messages_per_account_per_day.saturating_sub(self.sent_today)
    }

    /// What must be left for a candidate to be sent, so that its bracket can still be closed.
    pub fn reserve(&self) -> u64 {
        self.reserve + 1
    }

    fn turn_day(&mut self, at: Timestamp) {
        let day = at.0.div_euclid(MICROSECONDS_PER_DAY);
        if day != self.day {
            self.day = day;
            self.sent_today = 0;
        }
    }
}

/// The wait after so many failures in a row.
fn back_off(failures: u32) -> Duration {
    FIRST_BACK_OFF.times(1 << failures.min(10)).min(LONGEST_BACK_OFF)
}
