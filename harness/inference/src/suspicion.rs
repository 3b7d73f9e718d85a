//! How many units of an arm were seen, and how many of them are under suspicion.

use crate::unit_tally::Tally;

/// Beyond so many times an item is not counted more finely.
const MOST_TIMES: u32 = 16;

/// What is known of the units of an arm, kept up to date as their tallies change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Units of which something was learned.
    pub seen: u64,
    /// Units with a signal other than a drop.
    pub signalled: u64,
    /// Units that may be dropped, by how often they were missing.
    missing: [u64; MOST_TIMES as usize + 1],
}

impl Sums {
    /// Counts a unit, or (with -1) takes it out.
    pub fn count(&mut self, tally: &Tally, sign: i64) {
        let by = |counts: bool| if counts { sign } else { 0 };
        self.seen = self.seen.saturating_add_signed(by(tally.is_seen()));
        self.signalled = self.signalled.saturating_add_signed(by(tally.signalled()));
        let times = tally.times_missing().min(MOST_TIMES) as usize;
        self.missing[times] = self.missing[times].saturating_add_signed(by(tally.is_suspect()));
    }

    /// Units that may be dropped and were missing at least so often.
    pub fn suspects(&self, times: u32) -> u64 {
        self.missing[times.min(MOST_TIMES) as usize..].iter().sum()
    }
}
