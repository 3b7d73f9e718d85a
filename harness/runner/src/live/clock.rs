//! The clock of a live run: wall time that never goes back.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lacuna_model::Timestamp;

/// Reads the wall clock once and then counts on with the monotonic one, so that stamps within an epoch cannot go back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    began_at: Timestamp,
}

impl Clock {
    /// A clock that shows the wall time now, but not less than `not_before`, the last stamp of the journal.
    #[must_use]
    pub fn start(not_before: Timestamp) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Self { began: Instant::now(), began_at: now.max(not_before) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.began_at.0.saturating_add(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)))
    }

    /// When a stamp will be, for timers.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.began + std::time::Duration::from(at - self.began_at)
    }
}
