//! The loss of each arm, for each recipient, in each block of time, and its upper bound.
//!
//! # Time blocks
//!
//! The hours of UTC in which an arm had sends that count, in order, are taken together until a block holds
//! [`SENDS_OF_A_BLOCK`] such sends for each recipient of the arm, on average; what is left over at the end belongs to the last
//! block. A block holds so many sends that its loss can be told from the rest at all.
//!
//! # The bound
//!
//! The *pooled* bound of a path is the worse of two upper 99 % bounds, over the sends for this recipient and over those for all
//! recipients of the arm, all blocks together: a recipient with a bad connection must not be judged by the good ones of the others,
//! nor one that was sent little to by what little was sent. A block is judged by the pooled bound, unless it contradicts it: where
//! the lower 99 % bound of the block's own loss (of this recipient, or of all) lies above the pooled bound, the block has its own upper
//! bound. It is thus never judged better than the whole, and a short block not worse for being short.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use lacuna_model::{ArmIx, Timestamp};

use crate::loss::LossBaseline;

/// Sends that count that a time block holds at least, for each recipient on average.
pub const SENDS_OF_A_BLOCK: u64 = 100;

/// Hours since 1970-01-01T00:00:00Z.
pub type Hour = i64;

const MICROSECONDS: i64 = 3_600_000_000;

/// The hour of a moment.
#[must_use]
pub fn hour_of(at: Timestamp) -> Hour {
    at.0.div_euclid(MICROSECONDS)
}

/// An upper bound, remembered as long as its counts stay the same: it costs microseconds, and most changes are never asked about.
#[derive(Clone, Debug, Default)]
struct Remembered(Cell<Option<(LossBaseline, f64)>>);

impl Remembered {
    fn upper_bound(&self, counts: LossBaseline) -> f64 {
        if let Some((of, bound)) = self.0.get()
            && of == counts
        {
            return bound;
        }
        let bound = counts.upper_bound();
        self.0.set(Some((counts, bound)));
        bound
    }
}

/// One block: where it begins, and what became of its sends, by recipient.
#[derive(Clone, Debug)]
struct Block {
    from: Hour,
    paths: Vec<LossBaseline>,
}

/// The loss of one arm.
#[derive(Clone, Debug)]
struct ArmLoss {
    /// By recipient, in the arm's order.
    hours: BTreeMap<Hour, Vec<LossBaseline>>,
    paths: Vec<LossBaseline>,
    bounds: Vec<Remembered>,
    bound_of_all: Remembered,
    /// The blocks as of the last time that somebody asked; `None` when something was counted since.
    blocks: RefCell<Option<Vec<Block>>>,
}

impl ArmLoss {
    fn new(recipients: usize) -> Self {
        Self {
            hours: BTreeMap::new(),
            paths: vec![LossBaseline::default(); recipients],
            bounds: vec![Remembered::default(); recipients],
            bound_of_all: Remembered::default(),
            blocks: RefCell::new(None),
        }
    }

    fn pooled_bound(&self, place: usize) -> f64 {
        let own = self.bounds[place].upper_bound(self.paths[place]);
        if self.paths.len() == 1 { own } else { own.max(self.bound_of_all.upper_bound(sum(&self.paths))) }
    }

    /// Calls with the blocks, after they were made anew if need be.
    fn with_blocks<T>(&self, ask: impl FnOnce(&[Block]) -> T) -> T {
        let mut blocks = self.blocks.borrow_mut();
        ask(blocks.get_or_insert_with(|| self.make_blocks()))
    }

    fn make_blocks(&self) -> Vec<Block> {
        let enough = SENDS_OF_A_BLOCK * self.paths.len() as u64;
        let mut blocks: Vec<Block> = Vec::new();
        let mut full = true;
        for (hour, paths) in &self.hours {
            match blocks.last_mut() {
                Some(block) if !full => add(&mut block.paths, paths),
                _ => blocks.push(Block { from: *hour, paths: paths.clone() }),
            }
            full = blocks.last().is_some_and(|block| sum(&block.paths).sends >= enough);
        }
        if !full
            && blocks.len() > 1
            && let Some(rest) = blocks.pop()
            && let Some(last) = blocks.last_mut()
        {
            add(&mut last.paths, &rest.paths);
        }
        blocks
    }

    fn bound_of_block(&self, block: &Block, place: usize) -> f64 {
        let pooled = self.pooled_bound(place);
        let worse = |counts: LossBaseline| {
            // The lower bound is below the rate: mostly the rate is enough to see.
            let suspected = counts.rate().is_some_and(|rate| rate > pooled);
            if suspected && counts.lower_bound() > pooled { counts.upper_bound() } else { pooled }
        };
        worse(block.paths[place]).max(worse(sum(&block.paths)))
    }
}

fn add(to: &mut [LossBaseline], what: &[LossBaseline]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to = *to + *what;
    }
}

fn sum(paths: &[LossBaseline]) -> LossBaseline {
    paths.iter().fold(LossBaseline::default(), |sum, path| sum + *path)
}

/// Which block an hour belongs to, counted from 0. Hours before the first block belong to it.
fn place_in(blocks: &[Block], hour: Hour) -> usize {
    blocks.partition_point(|block| block.from <= hour).saturating_sub(1)
}

/// The loss of all arms. See the module's documentation.
#[derive(Clone, Debug)]
pub struct Baselines {
    arms: Vec<ArmLoss>,
}

impl Baselines {
    /// Nothing counted yet, for arms with so many recipients.
    #[must_use]
    pub fn new(recipients: impl Iterator<Item = usize>) -> Self {
        Self { arms: recipients.map(ArmLoss::new).collect() }
    }

    /// Counts `sends` sends of one hour, `losses` of them missing, for the recipient at this place of the arm; less than zero
    /// takes back what was counted.
    pub fn count(&mut self, arm: ArmIx, place: usize, hour: Hour, sends: i64, losses: i64) {
        let arm = &mut self.arms[arm.get()];
        let nothing = vec![LossBaseline::default(); arm.paths.len()];
        let of_hour = arm.hours.entry(hour).or_insert(nothing);
        for counts in [&mut of_hour[place], &mut arm.paths[place]] {
            counts.sends = counts.sends.saturating_add_signed(sends);
            counts.losses = counts.losses.saturating_add_signed(losses);
        }
        if of_hour.iter().all(|counts| counts.sends == 0) {
            arm.hours.remove(&hour);
        }
        *arm.blocks.get_mut() = None;
    }

    /// What was counted for one recipient of an arm, all blocks together.
    #[must_use]
    pub fn counts(&self, arm: ArmIx, place: usize) -> LossBaseline {
        self.arms[arm.get()].paths[place]
    }

    /// The upper bound over all blocks.
    #[must_use]
    pub fn pooled_bound(&self, arm: ArmIx, place: usize) -> f64 {
        self.arms[arm.get()].pooled_bound(place)
    }

    /// The upper bound in the block of this hour.
    #[must_use]
    pub fn bound(&self, arm: ArmIx, place: usize, hour: Hour) -> f64 {
        let arm = &self.arms[arm.get()];
        let in_block = |blocks: &[Block]| blocks.get(place_in(blocks, hour)).map(|block| arm.bound_of_block(block, place));
        arm.with_blocks(in_block).unwrap_or(1.0)
    }

    /// The upper bound in the latest block.
    #[must_use]
    pub fn latest_bound(&self, arm: ArmIx, place: usize) -> f64 {
        self.bound(arm, place, Hour::MAX)
    }

    /// The number of the block of this hour, from 0.
    #[must_use]
    pub fn block(&self, arm: ArmIx, hour: Hour) -> u32 {
        let place = self.arms[arm.get()].with_blocks(|blocks| place_in(blocks, hour));
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: ArmIx = ArmIx(0);

    fn hours(counts: &[(Hour, i64, i64)]) -> Baselines {
        let mut baselines = Baselines::new(std::iter::once(1));
        for (hour, sends, losses) in counts {
            baselines.count(ARM, 0, *hour, *sends, *losses);
        }
        baselines
    }

    #[test]
    fn hours_are_taken_together_until_a_block_is_full() {
        let baselines = hours(&[(5, 60, 0), (6, 39, 0), (9, 1, 0), (10, 150, 1), (11, 99, 0), (14, 40, 0), (15, 3, 0)]);
        let blocks: Vec<u32> = (0..20).map(|hour| baselines.block(ARM, hour)).collect();
        assert_eq!(blocks, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        let short = hours(&[(5, 3, 0), (6, 3, 0)]);
        assert_eq!((short.block(ARM, 5), short.block(ARM, 6)), (0, 0));
    }

    #[test]
    fn only_a_block_that_contradicts_the_whole_has_its_own_bound() {
        let calm: Vec<_> = (0..20).map(|hour| (hour, 200, 2)).collect();
        let mut baselines = hours(&calm);
        let pooled = baselines.pooled_bound(ARM, 0);
        for hour in 0..20 {
            assert!(
                (baselines.bound(ARM, 0, hour) - pooled).abs() < 1e-12,
                "none is better than the whole, and none worse for being short"
            );
        }
        baselines.count(ARM, 0, 20, 200, 40);
        let (pooled, bad) = (baselines.pooled_bound(ARM, 0), LossBaseline { sends: 200, losses: 40 }.upper_bound());
        assert!((baselines.bound(ARM, 0, 20) - bad).abs() < 1e-12 && (baselines.latest_bound(ARM, 0) - bad).abs() < 1e-12);
        assert!((baselines.bound(ARM, 0, 3) - pooled).abs() < 1e-12);
        // What is taken back leaves nothing behind.
        baselines.count(ARM, 0, 20, -200, -40);
        assert_eq!((baselines.block(ARM, 20), baselines.counts(ARM, 0)), (19, LossBaseline { sends: 4_000, losses: 40 }));
    }

    #[test]
    fn nothing_is_known_before_something_was_counted() {
        let baselines = Baselines::new([1, 2].into_iter());
        assert!((baselines.bound(ArmIx(1), 1, 7) - 1.0).abs() < f64::EPSILON);
        assert_eq!(baselines.block(ArmIx(1), 7), 0);
    }
}
