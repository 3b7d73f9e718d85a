//! Messages of several items: what became of each *content* (the same items together), and which of its drops were losses.
//!
//! A pool that arrives clears all its items, and its other drops were losses. A pool that is dropped holds a blocked item, or is
//! blocked as a combination, or was lost. It was lost where it arrives when it is sent again; and where it was dropped once, was not
//! sent again, and each of its items passes: if that were not counted, pools that are taken apart after a drop would teach only their
//! deliveries, and the loss would be underestimated. A pool that was dropped again although its items pass may be a combination,
//! and teaches nothing.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use lacuna_model::{ArmIx, ItemIx, Outcome, ProbeId};

use crate::baseline::{Baselines, Hour};
use crate::controls::is_lost;

/// Index of a content.
type ContentIx = u32;

/// How many drops there were in which hour, in order.
pub type DropsByHour = Vec<(Hour, u32)>;

/// What became of one content for one recipient.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PoolTally {
    /// Sends that arrived as sent, in time or late.
    pub delivered: u32,
    /// Those of them that came late.
    pub late: u32,
    /// Sends that were missing inside a bracket, by hour.
    pub drops: DropsByHour,
    /// Sends that were refused, altered or retracted.
    pub signalled: u32,
    /// Items of which it is not known that they pass; kept once there was a drop.
    failing: u32,
}

impl PoolTally {
    /// Sends that arrived as sent, in time.
    #[must_use]
    pub fn in_time(&self) -> u32 {
        self.delivered - self.late
    }

    /// Missing inside a bracket.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.drops.iter().map(|(_, drops)| drops).sum()
    }

    /// Sends that say something.
    #[must_use]
    pub fn probes(&self) -> u32 {
        self.delivered + self.dropped() + self.signalled
    }

    /// Whether each item is known to pass, alone or in another message. Only asked of a content that was dropped.
    #[must_use]
    pub fn parts_pass(&self) -> bool {
        self.failing == 0
    }

    /// Whether it is dropped although its parts pass, as far as it was sent.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.delivered == 0 && self.signalled == 0 && self.parts_pass() && self.dropped() >= crate::loss::FEWEST_DROPS
    }

    fn were_losses(&self) -> bool {
        self.signalled == 0 && (self.delivered > 0 || (self.parts_pass() && self.dropped() == 1))
    }
}

/// One content on one arm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The arm.
    pub arm: ArmIx,
    /// Its items, in order of their index.
    pub items: Vec<ItemIx>,
    /// The first message that carried it, of those with an outcome.
    pub first: ProbeId,
    /// What became of it, by recipient in the arm's order.
    pub tallies: Vec<PoolTally>,
    /// Whether its items know of it: from its first drop on.
    watched: bool,
}

/// All contents of more than one item.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    contents: Vec<Content>,
    known: HashMap<(ArmIx, Vec<ItemIx>), ContentIx, FixedState>,
    /// The contents with a drop that an item is part of.
    parts: HashMap<(ArmIx, ItemIx), Vec<ContentIx>, FixedState>,
    /// By recipient at most: contents that are dropped although their parts pass.
    suspects: u64,
    /// Contents that were sent, counted for each recipient of the arm.
    sent: u64,
    /// With a fixed number of sends an item the baseline is learned from controls alone.
    teaches: bool,
}

/// One outcome of a pool.
#[derive(Clone, Copy)]
pub struct PoolOutcome {
    /// The place of the recipient on the arm.
    pub place: usize,
    /// When the message was sent.
    pub hour: Hour,
    /// What became of it.
    pub outcome: Outcome,
    /// What had been thought.
    pub before: Option<Outcome>,
}

impl Pools {
    /// Nothing was sent; `teaches`: whether losses of pools count for the baseline.
    #[must_use]
    pub fn new(teaches: bool) -> Self {
        Self { teaches, ..Self::default() }
    }

    /// The contents in the order in which they were first told.
    #[must_use]
    pub fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// The content of these items on this arm.
    #[must_use]
    pub fn content(&self, arm: ArmIx, items: &[ItemIx]) -> Option<&Content> {
        let index = self.known.get(&(arm, in_order(items)))?;
        self.contents.get(*index as usize)
    }

    /// How many contents were sent, and how many of them are dropped although their parts pass; counted for each recipient.
    #[must_use]
    pub fn sent_and_suspects(&self) -> (u64, u64) {
        (self.sent, self.suspects)
    }

    /// Takes an outcome. `passes` says of an item and a recipient's place whether the item is known to pass there by now.
    pub fn count(
        &mut self,
        (probe, arm, items): (ProbeId, ArmIx, &[ItemIx]),
        recipients: usize,
        told: PoolOutcome,
        baselines: &mut Baselines,
        passes: impl Fn(ItemIx, usize) -> bool,
    ) {
        let index = self.index(probe, arm, items, recipients);
        let content = &mut self.contents[index as usize];
        content.first = content.first.min(probe);
        if is_lost(told.outcome) == Some(true) && !content.watched {
            content.watched = true;
            for item in &content.items {
                self.parts.entry((arm, *item)).or_default().push(index);
            }
            for (place, tally) in content.tallies.iter_mut().enumerate() {
                tally.failing = content.items.iter().filter(|item| !passes(**item, place)).map(|_| 1).sum();
            }
        }
        self.change(index, told.place, baselines, |tally| {
            for (outcome, by) in [(Some(told.outcome), 1), (told.before, -1)] {
                match outcome {
                    Some(Outcome::Delivered | Outcome::DeliveredLate) => {
                        tally.delivered = tally.delivered.saturating_add_signed(by);
                        if outcome == Some(Outcome::DeliveredLate) {
                            tally.late = tally.late.saturating_add_signed(by);
                        }
                    }
                    Some(Outcome::Dropped) => count_drop(&mut tally.drops, told.hour, by),
                    Some(Outcome::Refused | Outcome::Altered | Outcome::Retracted) => {
                        tally.signalled = tally.signalled.saturating_add_signed(by);
                    }
                    _ => {}
                }
            }
        });
        for (outcome, by) in [(Some(told.outcome), 1), (told.before, -1)] {
            if let (true, Some(Outcome::Delivered | Outcome::DeliveredLate)) = (self.teaches, outcome) {
                baselines.count(arm, told.place, told.hour, by, 0);
            }
        }
    }

    fn index(&mut self, probe: ProbeId, arm: ArmIx, items: &[ItemIx], recipients: usize) -> ContentIx {
        let items = in_order(items);
        let next = ContentIx::try_from(self.contents.len()).unwrap_or(ContentIx::MAX);
        let index = *self.known.entry((arm, items.clone())).or_insert(next);
        if index == next {
            self.sent += recipients as u64;
            let tallies = vec![PoolTally::default(); recipients];
            self.contents.push(Content { arm, items, first: probe, tallies, watched: false });
        }
        index
    }

    /// An item is known to pass for a recipient from now on, or no longer.
    pub fn item_changed(&mut self, arm: ArmIx, item: ItemIx, place: usize, passes: bool, baselines: &mut Baselines) {
        let Some(contents) = self.parts.remove(&(arm, item)) else { return };
        for index in &contents {
            self.change(*index, place, baselines, |tally| {
                tally.failing = tally.failing.saturating_add_signed(if passes { -1 } else { 1 });
            });
        }
        self.parts.insert((arm, item), contents);
    }

    /// Changes a tally, and with it what it adds to the baseline and to the suspects.
    fn change(&mut self, index: ContentIx, place: usize, baselines: &mut Baselines, change: impl FnOnce(&mut PoolTally)) {
        let content = &mut self.contents[index as usize];
        let arm = content.arm;
        let tally = &mut content.tallies[place];
        self.suspects -= u64::from(tally.is_suspect());
        count_losses(tally, self.teaches, -1, |hour, losses| baselines.count(arm, place, hour, losses, losses));
        change(tally);
        count_losses(tally, self.teaches, 1, |hour, losses| baselines.count(arm, place, hour, losses, losses));
        self.suspects += u64::from(tally.is_suspect());
    }
}

fn count_losses(tally: &PoolTally, teaches: bool, sign: i64, mut count: impl FnMut(Hour, i64)) {
    if teaches && !tally.drops.is_empty() && tally.were_losses() {
        for (hour, drops) in &tally.drops {
            count(*hour, sign * i64::from(*drops));
        }
    }
}

/// Counts a drop of this hour, or takes one back.
pub(crate) fn count_drop(drops: &mut DropsByHour, hour: Hour, by: i32) {
    match drops.iter().position(|(of, _)| *of == hour) {
        Some(place) => {
            drops[place].1 = drops[place].1.saturating_add_signed(by);
            if drops[place].1 == 0 {
                drops.remove(place);
            }
        }
        None if by > 0 => {
            let place = drops.partition_point(|(of, _)| *of < hour);
            drops.insert(place, (hour, by.unsigned_abs()));
        }
        None => {}
    }
}

fn in_order(items: &[ItemIx]) -> Vec<ItemIx> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items
}
