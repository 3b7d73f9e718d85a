//! How long rules live: the half-life of being blocked, and of being let through.
//!
//! A unit is seen at the times of its runs alone. If it was blocked in one and is not in the next, the rule ended somewhere in between; if it is
//! blocked still, it has outlived the interval. Endings are taken to come at a constant rate (the exponential model of survival analysis),
//! so that intervals of one unit count one by one, and a run that left the unit out leaves one longer interval. The rate is the one of
//! greatest likelihood, its interval those rates whose likelihood is at most exp(1.92) times smaller (95 %, Wilks, Annals of
//! Mathematical Statistics 9 (1938)); both are given as half-lives, ln 2 ÷ rate. Units of one path are counted, never those of several paths
//! together: one rule would be counted once for each.

use std::collections::BTreeMap;

use lacuna_model::{ChangeKind, Verdict};
use libm::{exp, expm1, log};

use super::changes::ChangeRecord;
use super::observed::Observed;
use super::snapshot::{PathKey, Snapshot};

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// Half the 95 % quantile of χ² with one degree of freedom.
const FALL: f64 = 1.920_729;

/// Units of one path, of one category or of all, that were in one state: how many left it, and after how long.
#[derive(Clone, PartialEq, Debug)]
pub struct Lifetime {
    /// The arm and the recipient.
    pub path: PathKey,
    /// `None` for all categories.
    pub category: Option<String>,
    /// What ends it: [`ChangeKind::Unblocked`] for units that were blocked, [`ChangeKind::Blocked`] for those that were delivered.
    pub ended_by: ChangeKind,
    /// Intervals between two runs at whose beginning a unit was in the state.
    pub intervals: u64,
    /// Of these, the ones at whose end it was not.
    pub ended: u64,
    /// The sum of the intervals, in days.
    pub days: f64,
    /// The half-life in days; `None` where no interval ended the state, or all did.
    pub half_life_days: Option<f64>,
    /// The lower end of its 95 % interval; `None` where it is 0.
    pub half_life_days_low: Option<f64>,
    /// The upper end; `None` where there is none.
    pub half_life_days_high: Option<f64>,
}

/// Length in days, and whether the state ended in it.
type Interval = (f64, bool);

/// The lifetimes of all paths and categories, from the changes of the same runs, claimed at this level. What is not claimed to have changed, and is not the same either,
/// is left out.
#[must_use]
pub fn lifetimes(runs: &[Snapshot], changes: &[ChangeRecord], level: f64) -> Vec<Lifetime> {
    let mut groups: BTreeMap<(PathKey, Option<String>, ChangeKind), Vec<Interval>> = BTreeMap::new();
    for record in changes {
        let (Some(before), Some(after)) = (runs[record.old].units.get(&record.unit), runs[record.new].units.get(&record.unit))
        else {
            continue;
        };
        let is_blocked = |unit: &Observed| unit.state().is_some_and(|state| state != Verdict::Delivered);
        let was_blocked = is_blocked(before);
        let ended = match record.apparent().filter(|_| record.is_claimed(level)) {
            // Blocked in another way is blocked.
            Some(ChangeKind::ChangedKind) if was_blocked && is_blocked(after) => false,
            Some(ChangeKind::Blocked | ChangeKind::Unblocked) => true,
            None if record.change == ChangeKind::Unchanged => false,
            _ => continue,
        };
        let (Some(from), Some(to)) = (before.last_sent_at, after.first_sent_at) else { continue };
        let days = (to - from).as_secs_f64() / SECONDS_OF_A_DAY;
        if days <= 0.0 {
            continue;
        }
        let ended_by = if was_blocked { ChangeKind::Unblocked } else { ChangeKind::Blocked };
        let category =
            runs[record.new].items.get(&record.unit.item).map(|item| item.category.clone()).filter(|it| !it.is_empty());
        for category in [None].into_iter().chain(category.map(Some)) {
            groups.entry((record.unit.path.clone(), category, ended_by)).or_default().push((days, ended));
        }
    }
    let lifetime = |((path, category, ended_by), intervals): ((PathKey, Option<String>, ChangeKind), Vec<Interval>)| {
        let fit = Fit::of(&intervals);
        let half_life = |rate: f64| core::f64::consts::LN_2 / rate;
        Lifetime {
            path,
            category,
            ended_by,
            intervals: intervals.len() as u64,
            ended: intervals.iter().filter(|(_, ended)| *ended).count() as u64,
            days: intervals.iter().map(|(days, _)| days).sum(),
            half_life_days: fit.rate.map(half_life),
            half_life_days_low: fit.high.map(half_life),
            half_life_days_high: fit.low.map(half_life),
        }
    };
    groups.into_iter().map(lifetime).collect()
}

/// A rate per day and the ends of its interval; `None` for 0 and for infinity.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Fit {
    rate: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

impl Fit {
    fn of(intervals: &[Interval]) -> Self {
        let survived: f64 = intervals.iter().filter(|(_, ended)| !ended).map(|(days, _)| days).sum();
        let some_ended = intervals.iter().any(|(_, ended)| *ended);
        // ln of the likelihood of a rate: exp(-rate × days) of outliving, 1 - exp(-rate × days) of ending.
        let ln_likelihood = |rate: f64| {
            let ends = intervals.iter().filter(|(_, ended)| *ended).map(|(days, _)| log(-expm1(-rate * days)));
            ends.sum::<f64>() - rate * survived
        };
        // It falls without an ending, rises without an outliving, and has one maximum else.
        let slope = |rate: f64| {
            let ends = intervals.iter().filter(|(_, ended)| *ended).map(|(days, _)| days / expm1((rate * days).min(700.0)));
            ends.sum::<f64>() - survived
        };
        let rate = (some_ended && survived > 0.0).then(|| falls_below(|rate| slope(rate) > 0.0));
        let greatest = match rate {
            Some(rate) => ln_likelihood(rate),
            // The limit at 0 or at infinity: certainty.
            None => 0.0,
        };
        let far = |rate: f64| ln_likelihood(rate) < greatest - FALL;
        let low = some_ended.then(|| falls_below(|at| rate.is_none_or(|rate| at < rate) && far(at)));
        let high = (survived > 0.0).then(|| falls_below(|at| rate.is_some_and(|rate| at <= rate) || !far(at)));
        Self { rate, low, high }
    }
}

/// Where a condition that holds up to some rate ends to hold: between 1e-9 and 1e9 a day, by bisection of the logarithm.
fn falls_below(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut above) = (log(1e-9), log(1e9));
    for _ in 0..80 {
        let middle = f64::midpoint(below, above);
        if holds(exp(middle)) {
            below = middle;
        } else {
            above = middle;
        }
    }
    exp(below)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn close(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got / expected - 1.0).abs() < 1e-6, "{got} instead of {expected}");
    }

    #[test]
    fn equal_intervals_give_the_binomial_estimate() {
        // 20 of 100 ended within a week: 1 - exp(-7 rate) = 0.2.
        let intervals: Vec<Interval> = (0..100).map(|n| (7.0, n < 20)).collect();
        let fit = Fit::of(&intervals);
        close(fit.rate, -log(0.8) / 7.0);
        // The likelihood interval of the share: 0.2 is the estimate, and the ends solve 20 ln s + 80 ln(1 - s) = greatest - 1.92.
        let share = |rate: f64| -expm1(-7.0 * rate);
        let ln = |share: f64| 20.0 * log(share) + 80.0 * log(1.0 - share);
        for end in [fit.low, fit.high] {
            let distance = ln(0.2) - ln(share(end.unwrap()));
            assert!((distance - FALL).abs() < 1e-6, "{distance}");
        }
        assert!(fit.low < fit.rate && fit.rate < fit.high);
    }

    #[test]
    fn without_an_ending_there_is_only_a_lower_bound_and_without_an_outliving_only_an_upper() {
        let none = Fit::of(&[(10.0, false), (20.0, false)]);
        assert_eq!((none.rate, none.low), (None, None));
        close(none.high, FALL / 30.0);
        let all = Fit::of(&[(10.0, true), (10.0, true)]);
        assert_eq!((all.rate, all.high), (None, None));
        // 2 ln(1 - exp(-10 rate)) = -1.92.
        close(all.low, -log(1.0 - exp(-FALL / 2.0)) / 10.0);
    }
}
