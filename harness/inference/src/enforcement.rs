//! How often a filter acts: for a fixed number of sends an item (`[decision] replicates`), the drop rate and the *enforcement*, the
//! share of sends on which the platform acts, with the loss taken out.
//!
//! A message that the filter lets through can still be lost, so that a share h = q + (1 - q) p of the sends of an item is
//! hit, where q is the enforcement and p the loss; q = (h - p) / (1 - p). Both h and p are known from counts only. Their intervals are
//! chosen so that the chances to miss add up to 5 % (Bonferroni): 4 % for h, 1 % for p, because a loss is learned from many
//! controls and an item from few sends. As q grows with h and falls with p, its ends come from opposite ends of the two, and
//! the interval covers q with at least 95 %, whatever the numbers.
//!
//! The loss is that of the controls alone. An item that arrived at least once says nothing about the loss here: a filter that
//! acts on half of its sends lets such items through too.

use std::collections::BTreeMap;

use lacuna_model::{AccountIx, ArmIx, Role, Study};
use libm::sqrt;

use crate::intervals::{clopper_pearson, confidence_sequence, student_t};
use crate::loss::LossBaseline;
use crate::tally::{Tallies, Tally};

/// How often an interval may miss.
pub const ALPHA: f64 = 0.05;

/// The part of it for the loss.
const ALPHA_LOSS: f64 = 0.01;

/// A rate and its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// The share that was seen.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How the number of sends came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sends {
    /// Fixed beforehand.
    Fixed,
    /// Ended by what was seen: intervals are confidence sequences.
    Stopped,
}

impl Sends {
    /// What the study asks for.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        if study.decision.replicates.is_some() { Self::Fixed } else { Self::Stopped }
    }

    fn interval(self, successes: u64, trials: u64, alpha: f64) -> (f64, f64) {
        match self {
            Self::Fixed => clopper_pearson(successes, trials, 1.0 - alpha),
            Self::Stopped => confidence_sequence(successes, trials, alpha),
        }
    }
}

/// What was missing among an item's own sends that could have arrived; `None` without one.
#[must_use]
pub fn drop_rate(tally: &Tally, sends: Sends) -> Option<Rate> {
    let arrivable = arrivable(tally);
    rate(tally.dropped, arrivable, sends, ALPHA)
}

fn arrivable(tally: &Tally) -> u32 {
    tally.passed() + tally.altered + tally.retracted + tally.dropped
}

fn rate(hits: u32, trials: u32, sends: Sends, alpha: f64) -> Option<Rate> {
    let (low, high) = sends.interval(u64::from(hits), u64::from(trials), alpha);
    (trials > 0).then(|| Rate { estimate: f64::from(hits) / f64::from(trials), low, high })
}

/// The sends of an item on which the platform acted, or seems to have: dropped, refused, altered or retracted.
fn acted(tally: &Tally) -> u32 {
    tally.dropped + tally.refused + tally.altered + tally.retracted
}

/// The enforcement for one item, arm and recipient, from its own sends and from the controls there; `None` without a send that counts.
#[must_use]
pub fn of_unit(tally: &Tally, controls: LossBaseline, sends: Sends) -> Option<Rate> {
    let hits = rate(acted(tally), tally.counted(), sends, ALPHA - ALPHA_LOSS)?;
    Some(without_loss(hits, loss(controls)))
}

/// The loss among the controls. How many are sent depends on what arrives, so the interval is a confidence sequence.
fn loss(controls: LossBaseline) -> Rate {
    let (low, high) = confidence_sequence(controls.losses, controls.sends, ALPHA_LOSS);
    Rate { estimate: controls.rate().unwrap_or(0.0), low, high }
}

/// Takes the loss out of the share of sends that was hit.
fn without_loss(hits: Rate, loss: Rate) -> Rate {
    let acting = |hit: f64, lost: f64| if lost < 1.0 { ((hit - lost) / (1.0 - lost)).clamp(0.0, 1.0) } else { 0.0 };
    Rate { estimate: acting(hits.estimate, loss.estimate), low: acting(hits.low, loss.high), high: acting(hits.high, loss.low) }
}

/// The candidates of one category, on one arm, for one recipient: one row of `enforcement.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct EnforcementRecord {
    /// As the corpora give it; may be empty.
    pub category: String,
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// Items with a send that counts.
    pub items: u64,
    /// Their own sends that count.
    pub sends: u64,
    /// Of these, dropped.
    pub dropped: u64,
    /// Of these, dropped, refused, altered or retracted.
    pub acted: u64,
    /// Mean over the items of what was missing among the sends that could have arrived; `None` without one.
    pub drop_rate: Option<Rate>,
    /// Mean over the items of the share of sends on which the platform acts.
    pub enforcement: Option<Rate>,
}

/// What the items of one category add up to.
#[derive(Clone, Default, Debug)]
pub struct CategorySum {
    sends: u64,
    dropped: u64,
    acted: u64,
    arrivable: u64,
    /// Per item: dropped among what could have arrived, acted on among what counts.
    drop_rates: Vec<f64>,
    hit_rates: Vec<f64>,
}

impl CategorySum {
    /// Adds one item.
    pub fn add(&mut self, tally: &Tally) {
        let (counted, arrivable) = (tally.counted(), arrivable(tally));
        if counted > 0 {
            self.sends += u64::from(counted);
            self.dropped += u64::from(tally.dropped);
            self.acted += u64::from(acted(tally));
            self.hit_rates.push(f64::from(acted(tally)) / f64::from(counted));
        }
        if arrivable > 0 {
            self.arrivable += u64::from(arrivable);
            self.drop_rates.push(f64::from(tally.dropped) / f64::from(arrivable));
        }
    }

    /// The mean of the items' drop rates.
    #[must_use]
    pub fn drop_rate(&self) -> Option<Rate> {
        clustered(&self.drop_rates, self.dropped, self.arrivable, ALPHA)
    }

    /// The mean of the items' enforcement.
    #[must_use]
    pub fn enforcement(&self, controls: LossBaseline) -> Option<Rate> {
        let hits = clustered(&self.hit_rates, self.acted, self.sends, ALPHA - ALPHA_LOSS)?;
        Some(without_loss(hits, loss(controls)))
    }
}

/// Every category, arm and recipient, in this order; nothing where the number of sends was not fixed beforehand, because what a screen
/// sends again is what was dropped, and a mean over that is no rate of the platform.
#[must_use]
pub fn derive(study: &Study, tallies: &Tallies) -> Vec<EnforcementRecord> {
    let mut sums: BTreeMap<(&str, ArmIx, usize), (AccountIx, CategorySum)> = BTreeMap::new();
    if Sends::of(study) == Sends::Stopped {
        return Vec::new();
    }
    for unit in tallies.units() {
        let item = study.item(unit.item);
        if item.role != Role::Candidate {
            continue;
        }
        let place = study.arm(unit.arm).recipients.iter().position(|it| *it == unit.recipient).unwrap_or_default();
        let key = (item.category.as_str(), unit.arm, place);
        let (_, sum) = sums.entry(key).or_insert_with(|| (unit.recipient, CategorySum::default()));
        sum.add(&tallies.of(unit));
    }
    let record = |((category, arm, _), (recipient, sum)): ((&str, ArmIx, usize), (AccountIx, CategorySum))| EnforcementRecord {
        category: category.to_owned(),
        arm,
        recipient,
        items: sum.hit_rates.len() as u64,
        sends: sum.sends,
        dropped: sum.dropped,
        acted: sum.acted,
        drop_rate: sum.drop_rate(),
        enforcement: sum.enforcement(tallies.controls(arm, recipient)),
    };
    sums.into_iter().map(record).collect()
}

/// The mean of the items' rates, with an interval for a category of which these items are a sample.
///
/// Sends of one item are no independent witnesses of its category, so the interval is Student's over the items' rates. Where the
/// rates hardly differ (all items at 0 of 30) that is too narrow to say anything of the sends, and it is widened to the
/// interval that all sends together would give if the items were alike.
fn clustered(rates: &[f64], hits: u64, sends: u64, alpha: f64) -> Option<Rate> {
    let items = rates.len() as f64;
    let estimate = rates.iter().sum::<f64>() / items;
    let (low, high) = clopper_pearson(hits, sends, 1.0 - alpha);
    let spread = match rates.len() {
        0 => return None,
        // One item says nothing of how items differ: the interval is that of the item.
        1 => 0.0,
        _ => {
            let variance = rates.iter().map(|rate| (rate - estimate) * (rate - estimate)).sum::<f64>() / (items - 1.0);
            student_t(1.0 - alpha / 2.0, items - 1.0) * sqrt(variance / items)
        }
    };
    Some(Rate { estimate, low: low.min(estimate - spread).max(0.0), high: high.max(estimate + spread).min(1.0) })
}
