//! The e-value and the interval of one item in one comparison.

use lacuna_model::{ItemIx, Study};
use libm::{exp, log, sqrt};

use super::counts::{ItemCounts, MemberCounts};
use super::rates::{paired_ln_e, two_rates_ln_e};
use super::{ContrastRecord, Counted};
use crate::intervals::{clopper_pearson, confidence_sequence, student_t};

/// How often an interval may miss.
const ALPHA: f64 = 0.05;

/// A drop is a suspicion: one never convicts.
const FEWEST_DROPS: u32 = 2;

/// A difference of drop rates, the first side minus the second, and its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Difference {
    /// The difference of what was seen.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl MemberCounts {
    /// Dropped, and all, among the sends that count: the item's own, or else those in pools that arrived.
    fn counted(&self) -> (u32, u32) {
        let own = self.arrived + self.dropped;
        if own > 0 { (self.dropped, own) } else { (0, self.pooled_arrived) }
    }

    fn says_something(&self) -> bool {
        self.counted().1 > 0
    }

    /// Whether it is missing always, and more than once when it was not missing on the other side too.
    fn is_always_dropped(&self) -> bool {
        self.arrived == 0 && self.pooled_arrived == 0 && self.telling_drops >= FEWEST_DROPS
    }

    /// Whether it arrived, and what is missing beside is not too much for loss.
    fn passes(&self, ln_convicts: f64) -> bool {
        let alone = self.arrived + self.dropped > 0;
        let arrived = if alone { self.arrived } else { self.pooled_arrived };
        arrived > 0 && self.ln_e < ln_convicts
    }
}

pub fn record(study: &Study, item: ItemIx, comparison: usize, counts: &ItemCounts<'_>) -> ContrastRecord {
    let counted = counts.sides.map(|side| {
        let mut sum = Counted::default();
        for (dropped, sends) in side.iter().map(MemberCounts::counted).filter(|(_, sends)| *sends > 0) {
            sum.accounts += 1;
            sum.sends += sends;
            sum.dropped += dropped;
        }
        sum
    });
    let fixed = study.decision.replicates.is_some();
    let both = counted.iter().all(|side| side.accounts > 0);
    ContrastRecord {
        item,
        comparison,
        difference: both.then(|| difference(&counts.sides, fixed)),
        ln_e: both.then(|| ln_e(study, counts, fixed, &counted)),
        q_value: 1.0,
        counted,
    }
}

/// Half of the greater of the two directions' e-values: at most 1 on average where there is no difference.
fn ln_e(study: &Study, counts: &ItemCounts<'_>, fixed: bool, counted: &[Counted; 2]) -> f64 {
    let sizes = counts.sides.map(<[MemberCounts]>::len);
    // A region needs two accounts that say something, on each side.
    if sizes.iter().zip(counted).any(|(size, side)| *size >= 2 && side.accounts < 2) {
        return f64::NEG_INFINITY;
    }
    let direction = |blocked: usize| {
        if fixed { rates_differ(counts, blocked) } else { blocked_and_passes(study, counts, blocked) }
    };
    direction(0).max(direction(1)) - core::f64::consts::LN_2
}

/// In a screen: every account of one side is convicted, the item passes at every one of the other.
fn blocked_and_passes(study: &Study, counts: &ItemCounts<'_>, blocked: usize) -> f64 {
    let ln_convicts = -log(study.decision.false_positive_rate);
    let saying = |side: usize| counts.sides[side].iter().filter(|member| member.says_something());
    let possible =
        saying(blocked).all(MemberCounts::is_always_dropped) && saying(1 - blocked).all(|member| member.passes(ln_convicts));
    if possible { saying(blocked).map(|member| member.ln_e).fold(f64::INFINITY, f64::min) } else { f64::NEG_INFINITY }
}

/// With fixed sends: the smallest over all pairs of an account here and one there of the e-value against "here the item is dropped no more
/// often than there, but for the loss".
fn rates_differ(counts: &ItemCounts<'_>, blocked: usize) -> f64 {
    let [a, b] = counts.sides;
    let mut smallest = f64::INFINITY;
    for (nth_a, member_a) in a.iter().enumerate().filter(|(_, it)| it.says_something()) {
        for (nth_b, member_b) in b.iter().enumerate().filter(|(_, it)| it.says_something()) {
            let (here, there) = if blocked == 0 { (member_a, member_b) } else { (member_b, member_a) };
            let ln_e = if let Some(pair) = counts.pairs.get(nth_a * b.len() + nth_b) {
                let alone = [pair.only_a_dropped, pair.only_b_dropped];
                paired_ln_e(alone[blocked], alone[1 - blocked], pair.alike, here.loss)
            } else {
                two_rates_ln_e([here.dropped, here.arrived], [there.dropped, there.arrived], here.loss)
            };
            smallest = smallest.min(ln_e);
        }
    }
    smallest
}

/// The difference of the sides' mean rates.
fn difference(sides: &[&[MemberCounts]; 2], fixed: bool) -> Difference {
    let accounts = sides.iter().flat_map(|side| side.iter()).filter(|member| member.says_something()).count() as f64;
    let [a, b] = sides.map(|side| mean_rate(side, fixed, ALPHA / accounts));
    let estimate = a.mean - b.mean;
    let spread = welch(&a, &b);
    Difference {
        estimate,
        low: (a.low - b.high).min(estimate - spread).max(-1.0),
        high: (a.high - b.low).max(estimate + spread).min(1.0),
    }
}

/// One side: the mean of its accounts' rates, what their sends leave open of it, and how much the accounts differ.
struct MeanRate {
    mean: f64,
    low: f64,
    high: f64,
    accounts: f64,
    /// The variance of the mean.
    variance: f64,
}

fn mean_rate(side: &[MemberCounts], fixed: bool, alpha: f64) -> MeanRate {
    let counted = || side.iter().map(MemberCounts::counted).filter(|(_, sends)| *sends > 0);
    let accounts = counted().count() as f64;
    let rate = |(dropped, sends): (u32, u32)| f64::from(dropped) / f64::from(sends);
    let interval = |(dropped, sends): (u32, u32)| {
        let (dropped, sends) = (u64::from(dropped), u64::from(sends));
        if fixed { clopper_pearson(dropped, sends, 1.0 - alpha) } else { confidence_sequence(dropped, sends, alpha) }
    };
    let mean = counted().map(rate).sum::<f64>() / accounts;
    let squares: f64 = counted().map(|it| (rate(it) - mean) * (rate(it) - mean)).sum();
    MeanRate {
        mean,
        low: counted().map(|it| interval(it).0).sum::<f64>() / accounts,
        high: counted().map(|it| interval(it).1).sum::<f64>() / accounts,
        accounts,
        variance: if accounts > 1.0 { squares / (accounts - 1.0) / accounts } else { 0.0 },
    }
}

/// Half the width of the interval over the accounts' rates: Welch, Biometrika 34 (1947), with the degrees of freedom of Satterthwaite,
/// Biometrics Bulletin 2 (1946). 0 where a side has one account: one says nothing of how accounts differ.
fn welch(a: &MeanRate, b: &MeanRate) -> f64 {
    let variance = a.variance + b.variance;
    if a.accounts < 2.0 || b.accounts < 2.0 || variance <= 0.0 {
        return 0.0;
    }
    let of = |side: &MeanRate| side.variance * side.variance / (side.accounts - 1.0);
    let degrees_of_freedom = variance * variance / (of(a) + of(b));
    student_t(1.0 - ALPHA / 2.0, degrees_of_freedom) * sqrt(variance)
}

/// The e-value that a row shows.
impl ContrastRecord {
    /// The e-value; `None` where a side has no send that counts.
    #[must_use]
    pub fn e_value(&self) -> Option<f64> {
        self.ln_e.map(exp)
    }
}
