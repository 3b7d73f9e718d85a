//! Whether pools can be believed, on one route.
//!
//! Pools rest on three things, and each is looked at with items that are known to be dropped by then. The platform keeps the
//! separator: an item with the separator between all its graphemes must arrive (*calibration*). A blocked item is dropped among others too,
//! and every time (*spikes*: it is put into a message of items that arrive). And what arrived in a pool arrives alone (*audits*), which a word
//! that switches the filter off may break. Where one of them fails, the route goes back to single items.

use lacuna_inference::beta;

use super::question::QuestionIx;

/// One spike for so many messages with several items: two in a hundred.
const MESSAGES_A_SPIKE: u32 = 50;

/// With fewer known items than this the next ones are made sure of at once.
const FEW_KNOWN: usize = 3;

/// The share of items cleared in pools that are asked once more, alone.
pub(super) const AUDITED: f64 = 0.02;

/// A filter that acts on fewer than this share of the messages it is about makes halving unreliable.
const FAITHFUL: f64 = 0.999;

/// Misses that a faithful filter would show less often than this are too many.
const SIGNIFICANCE: f64 = 0.05;

/// An item split by the separator that is dropped so often is not split, or one of its graphemes is enough by itself.
const MOST_SPLIT_DROPS: u32 = 3;

/// Items split by the separator that may be dropped: with so many the separator is not kept.
const MOST_SPLIT_ITEMS: u32 = 3;

/// So many checks of a run may say nothing and are made again.
const MOST_FRUITLESS: u32 = 20;

/// A message that checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Check {
    /// A known item, among items that arrive.
    Spike(QuestionIx),
    /// A known item, split by the separator.
    Calibration(QuestionIx),
}

/// The checks of one route.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    /// Items known to be dropped.
    known: Vec<QuestionIx>,
    /// Items cleared in a pool and by nothing else.
    pub cleared: Vec<QuestionIx>,
    /// A message of several items arrived.
    pub parts_pass: bool,
    due: Vec<Check>,
    /// The check under way, and its outcomes still missing.
    pub under_way: Option<(Check, u16)>,
    messages: u32,
    spikes: u32,
    /// The known items of spikes that arrived, one entry a spike.
    spikes_missed: Vec<QuestionIx>,
    audits: u32,
    audits_missed: u32,
    calibrated: bool,
    /// Checks that said nothing.
    fruitless: u32,
    split_drops: u32,
    split_items: u32,
    turn: usize,
}

impl Checks {
    /// An item is known to be dropped.
    pub fn learn(&mut self, known: QuestionIx, can_be_split: bool) {
        if self.known.contains(&known) {
            return;
        }
        if self.known.is_empty() {
            self.due.push(Check::Spike(known));
        }
        if can_be_split && !self.calibrated && !self.due.iter().any(|check| matches!(check, Check::Calibration(_))) {
            self.due.push(Check::Calibration(known));
        }
        // A few take turns.
        if self.known.len() < 16 {
            self.known.push(known);
        }
    }

    /// Whether there are too few known items for spikes to take turns.
    pub fn wants_known(&self) -> bool {
        self.known.len() < FEW_KNOWN
    }

    /// A message with several items is sent.
    pub fn count_message(&mut self) {
        self.messages += 1;
        if self.messages.is_multiple_of(MESSAGES_A_SPIKE) && !self.known.is_empty() {
            self.turn += 1;
            self.due.push(Check::Spike(self.known[self.turn % self.known.len()]));
        }
    }

    /// Whether a check can be sent now: one at a time.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty() && self.under_way.is_none()
    }

    /// Whether anything is left to be checked.
    pub fn is_idle(&self) -> bool {
        self.due.is_empty() && self.under_way.is_none()
    }

    pub fn next(&mut self) -> Option<Check> {
        if self.under_way.is_some() { None } else { self.due.pop() }
    }

    /// An item that was thought to be dropped arrived alone: what was held against the filter because of it is taken back.
    pub fn forget(&mut self, known: QuestionIx) {
        self.known.retain(|it| *it != known);
        self.spikes_missed.retain(|it| *it != known);
        self.due.retain(|check| !matches!(check, Check::Spike(it) | Check::Calibration(it) if *it == known));
    }

    /// A spike with this known item arrived (`true`) or was dropped.
    pub fn spiked(&mut self, known: QuestionIx, arrived: bool) {
        self.spikes += 1;
        if arrived {
            self.spikes_missed.push(known);
        }
    }

    /// What was split arrived (`true`) or was dropped.
    pub fn split(&mut self, known: QuestionIx, arrived: bool) {
        if arrived {
            self.calibrated = true;
            return;
        }
        self.split_drops += 1;
        if self.split_drops < MOST_SPLIT_DROPS {
            self.due.push(Check::Calibration(known));
            return;
        }
        self.split_drops = 0;
        self.split_items += 1;
        if let Some(other) = self.known.get(self.split_items as usize) {
            self.due.push(Check::Calibration(*other));
        }
    }

    /// A check that says nothing is made again, a few times.
    pub fn again(&mut self, check: Check) {
        self.fruitless += 1;
        if self.fruitless <= MOST_FRUITLESS {
            self.due.push(check);
        }
    }

    /// An item that was cleared in a pool was judged alone.
    pub fn audited(&mut self, missed: bool) {
        self.audits += 1;
        self.audits_missed += u32::from(missed);
    }

    /// Whether the filter misses blocked items in pools more often than a faithful one would. One item that is taken for a known one
    /// by mistake must not look like a filter that leaks, so that of spikes two different ones must have arrived.
    pub fn leaks(&self) -> bool {
        let several = self.spikes_missed.iter().any(|known| *known != self.spikes_missed[0]);
        let by_spikes = if several { self.spikes_missed.len() } else { 0 };
        let missed = u32::try_from(by_spikes).unwrap_or(u32::MAX).saturating_add(self.audits_missed);
        missed > 0 && at_least(missed, self.spikes + self.audits, 1.0 - FAITHFUL) < SIGNIFICANCE
    }

    /// Whether the platform was seen not to keep the separator.
    pub fn loses_separator(&self) -> bool {
        !self.calibrated && self.split_items >= MOST_SPLIT_ITEMS.min(u32::try_from(self.known.len()).unwrap_or(u32::MAX)).max(1)
    }

    /// Nothing is checked any more.
    pub fn stop(&mut self) {
        self.due.clear();
    }
}

/// The chance of at least `count` of `trials`, each with this chance.
fn at_least(count: u32, trials: u32, chance: f64) -> f64 {
    // The beta distribution is the tail of the binomial one.
    beta::cumulative(f64::from(count), f64::from(trials - count) + 1.0, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_miss_among_few_is_too_many_and_one_among_many_is_not() {
        let mut checks = Checks::default();
        checks.audited(false);
        assert!(!checks.leaks());
        checks.audited(true);
        assert!(checks.leaks());
        for _ in 0..60 {
            checks.audited(false);
        }
        assert!(!checks.leaks(), "1 of 62 is what a share of 0.999 gives in 6 of 100 runs");
        checks.audited(true);
        assert!(checks.leaks());
    }

    #[test]
    fn one_known_item_that_arrives_is_no_leak_and_two_are() {
        let mut checks = Checks::default();
        checks.spiked(7, true);
        checks.spiked(7, true);
        assert!(!checks.leaks(), "it may be the item that is not what it is taken for");
        checks.spiked(8, true);
        assert!(checks.leaks());
        checks.forget(7);
        assert!(!checks.leaks());
    }

    #[test]
    fn a_separator_is_lost_when_several_items_are_dropped_although_split() {
        let mut checks = Checks::default();
        for known in 0..3 {
            checks.learn(known, true);
        }
        assert!(!checks.loses_separator());
        let mut asked = 0;
        while let Some(check) = checks.next() {
            if let Check::Calibration(known) = check {
                asked += 1;
                checks.split(known, false);
            }
        }
        assert_eq!(asked, 9);
        assert!(checks.loses_separator());
    }
}
