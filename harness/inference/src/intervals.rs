//! Intervals for a rate: for a number of sends that was fixed beforehand, and for one that the data decided.
//!
//! [`clopper_pearson`] covers the true rate with at least the asked confidence where the number of trials was chosen before the
//! first of them. A run that stops at the first delivery, or goes on until enough drops have come, chose the number by what it
//! saw: there only [`confidence_sequence`] covers, at all times at once, whatever rule stopped it.

use libm::{exp, log, sqrt};

use crate::beta::{ln_beta, quantile};

/// Steps of the bisection: they leave less than 1e-12 of the unit interval.
const STEPS: u32 = 42;

/// The mixture's prior is Beta(1/2, 1/2), after Jeffreys: it loses little against any rate, and least near 0 and 1, where the rates of
/// deliveries and drops are.
const PRIOR: f64 = 0.5;

/// The two-sided interval of Clopper and Pearson, Biometrika 26 (1934), for `successes` among a fixed number of `trials`.
///
/// Without a trial nothing is known: 0 to 1. More successes than trials count as all.
#[must_use]
pub fn clopper_pearson(successes: u64, trials: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence).clamp(0.0, 1.0) / 2.0;
    (lower_bound(successes, trials, tail), upper_bound(successes, trials, tail))
}

/// The rate at which so many successes or more have probability `tail`; 0 without a success.
#[must_use]
pub fn lower_bound(successes: u64, trials: u64, tail: f64) -> f64 {
    let successes = successes.min(trials);
    if successes == 0 || tail <= 0.0 {
        return 0.0;
    }
    if successes == trials {
        return exp(log(tail) / trials as f64);
    }
    quantile(tail, successes as f64, (trials - successes) as f64 + 1.0)
}

/// The rate at which so many successes or fewer have probability `tail`; 1 without a failure.
#[must_use]
pub fn upper_bound(successes: u64, trials: u64, tail: f64) -> f64 {
    let successes = successes.min(trials);
    if successes == trials || tail <= 0.0 {
        return 1.0;
    }
    if successes == 0 {
        return 1.0 - exp(log(tail) / trials as f64);
    }
    quantile(1.0 - tail, successes as f64 + 1.0, (trials - successes) as f64)
}

/// The running confidence sequence of a Bernoulli rate: with probability at least `1 - alpha` it contains the true rate after
/// every single trial, so it may be read whenever and for whatever reason the trials ended.
///
/// The mixture martingale of Robbins, Annals of Mathematical Statistics 41 (1970), with a beta prior: for the true rate p the ratio
/// `B(s + ½, f + ½) / (B(½, ½) pˢ (1 - p)ᶠ)` is a martingale that begins at 1, and by Ville's inequality reaches `1 / alpha` with
/// probability at most `alpha`. The interval holds the rates at which it has not. (Howard and others,
/// Annals of Statistics 49 (2021), give the general theory.)
#[must_use]
pub fn confidence_sequence(successes: u64, trials: u64, alpha: f64) -> (f64, f64) {
    let successes = successes.min(trials);
    if trials == 0 || alpha <= 0.0 {
        return (0.0, 1.0);
    }
    let s = successes as f64;
    let f = (trials - successes) as f64;
    // The likelihoods that are still inside: at least this.
    let least = ln_beta(s + PRIOR, f + PRIOR) - ln_beta(PRIOR, PRIOR) + log(alpha);
    if successes == 0 {
        return (0.0, 1.0 - exp(least / f));
    }
    if successes == trials {
        return (exp(least / s), 1.0);
    }
    let likelihood = |p: f64| s * log(p) + f * log(1.0 - p);
    let estimate = s / trials as f64;
    (end(0.0, estimate, least, likelihood), end(1.0, estimate, least, likelihood))
}

/// Where between `outside` and `inside` the likelihood falls below `least`, from the outside.
fn end(mut outside: f64, mut inside: f64, least: f64, likelihood: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..STEPS {
        let middle = outside.midpoint(inside);
        if likelihood(middle) >= least {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    outside
}

/// The quantile of Student's t distribution, for `p` of at least one half and a positive number of degrees of freedom.
#[must_use]
pub fn student_t(p: f64, degrees_of_freedom: f64) -> f64 {
    // The square of t relates to a beta variable: ν / (ν + t²) is Beta(ν/2, 1/2).
    let x = quantile(2.0 * (1.0 - p), degrees_of_freedom / 2.0, 0.5);
    sqrt(degrees_of_freedom * (1.0 - x) / x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The binomial probabilities of 0 to `trials` successes.
    fn binomial(trials: u64, p: f64) -> Vec<f64> {
        let mut row = vec![1.0];
        for _ in 0..trials {
            let before = |index: usize| row.get(index).copied().unwrap_or(0.0);
            row = (0..=row.len()).map(|s| before(s) * (1.0 - p) + s.checked_sub(1).map_or(0.0, before) * p).collect();
        }
        row
    }

    #[test]
    fn the_intervals_of_a_fixed_number_of_trials() {
        // Reference values: the binomial tails summed exactly and solved for the rate by bisection (Python fractions).
        for (s, n, confidence, low, high) in [
            (0, 30, 0.95, 0.0, 0.115_703_31),
            (30, 30, 0.95, 0.884_296_69, 1.0),
            (1, 30, 0.95, 0.000_843_57, 0.172_169_46),
            (15, 30, 0.95, 0.312_970_3, 0.687_029_7),
            (5, 100, 0.99, 0.010_940_33, 0.135_144_68),
            (3, 7, 0.9, 0.128_756_39, 0.774_678_42),
        ] {
            let (got_low, got_high) = clopper_pearson(s, n, confidence);
            assert!((got_low - low).abs() < 1e-6 && (got_high - high).abs() < 1e-6, "{s} of {n}: {got_low} {got_high}");
        }
        assert_eq!(clopper_pearson(0, 0, 0.95), (0.0, 1.0));
        assert_eq!(clopper_pearson(5, 3, 0.95), clopper_pearson(3, 3, 0.95));
    }

    #[test]
    fn quantiles_of_student() {
        // From any table of the distribution.
        for (p, degrees, expected) in [
            (0.975, 1.0, 12.706_205),
            (0.975, 2.0, 4.302_653),
            (0.975, 10.0, 2.228_139),
            (0.995, 3.0, 5.840_909),
            (0.95, 100.0, 1.660_234),
        ] {
            let got = student_t(p, degrees);
            assert!((got - expected).abs() < 1e-5, "{p} {degrees}: {got}");
        }
        assert!(student_t(0.5, 7.0).abs() < 1e-6);
    }

    #[test]
    fn a_fixed_number_of_trials_is_covered_exactly_computed() {
        for trials in [1, 5, 30, 120] {
            let intervals: Vec<_> = (0..=trials).map(|s| clopper_pearson(s, trials, 0.95)).collect();
            for p in (1..200).map(|it| f64::from(it) / 200.0) {
                let weights = binomial(trials, p);
                let covered: f64 =
                    weights.iter().zip(&intervals).filter(|(_, (low, high))| (*low..=*high).contains(&p)).map(|(w, _)| w).sum();
                assert!(covered >= 0.95 - 1e-9, "{trials} trials at {p}: {covered}");
            }
        }
    }

    #[test]
    fn the_sequence_covers_at_all_times_at_once() {
        // The chance to be outside at any of the first 400 trials, computed exactly: the mass of what has not been outside
        // yet is moved on trial by trial.
        let trials = 400;
        let intervals: Vec<Vec<_>> = (0..=trials).map(|n| (0..=n).map(|s| confidence_sequence(s, n, 0.05)).collect()).collect();
        for p in [0.001, 0.01, 0.05, 0.2, 0.5, 0.77, 0.95, 0.999] {
            let mut inside = vec![1.0];
            for of_n in &intervals[1..] {
                let before = |index: usize| inside.get(index).copied().unwrap_or(0.0);
                inside = (0..of_n.len())
                    .map(|s| {
                        let (low, high) = of_n[s];
                        let mass = before(s) * (1.0 - p) + s.checked_sub(1).map_or(0.0, before) * p;
                        if (low..=high).contains(&p) { mass } else { 0.0 }
                    })
                    .collect();
            }
            let covered: f64 = inside.iter().sum();
            assert!(covered >= 0.95, "at {p}: {covered}");
        }
    }

    #[test]
    fn a_fixed_interval_read_after_a_stopping_rule_would_not_cover() {
        // Why the sequence is needed: watched over 400 trials the fixed-sample interval leaves the truth far too often.
        let mut inside = vec![1.0];
        for n in 1..=400_u64 {
            let before = |index: usize| inside.get(index).copied().unwrap_or(0.0);
            inside = (0..=n)
                .zip(0_usize..)
                .map(|(successes, s)| {
                    let (low, high) = clopper_pearson(successes, n, 0.95);
                    let mass = before(s) * 0.5 + s.checked_sub(1).map_or(0.0, before) * 0.5;
                    if (low..=high).contains(&0.5) { mass } else { 0.0 }
                })
                .collect();
        }
        let covered: f64 = inside.iter().sum();
        assert!(covered < 0.85, "{covered}");
    }

    #[test]
    fn the_sequence_is_wider_than_the_interval_and_narrows() {
        let mut last = 1.0;
        for n in [10, 100, 1_000, 100_000] {
            let (low, high) = confidence_sequence(n / 10, n, 0.05);
            let (fixed_low, fixed_high) = clopper_pearson(n / 10, n, 0.95);
            assert!(low <= fixed_low && high >= fixed_high, "{n}: {low} {high}");
            assert!(high - low < last);
            last = high - low;
        }
        assert_eq!(confidence_sequence(0, 0, 0.05), (0.0, 1.0));
        assert!(confidence_sequence(1, 1, 0.05).0 > 0.0);
        let (low, high) = confidence_sequence(3, 10, 0.05);
        let mirrored = confidence_sequence(7, 10, 0.05);
        assert!((low - (1.0 - mirrored.1)).abs() < 1e-9 && (high - (1.0 - mirrored.0)).abs() < 1e-9);
    }
}
