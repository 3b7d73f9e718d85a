//! E-values against "this rate is no higher than that one", for filters that act on a part of what they match.
//!
//! The numerator is the chance of what was seen if rates were drawn from Jeffreys' prior, the denominator the greatest chance
//! that any pair of rates of the hypothesis gives it. The quotient is at most 1 on average under each of them, at any time:
//! a mixture of likelihood ratios against the truth is a martingale (Robbins, 1970), and the denominator is never smaller than the truth
//! (universal inference: Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020).
//!
//! The first account may have lost more than the second, so the hypothesis is not that the rates are equal, but that what is dropped
//! here is at most what is dropped there and a loss on top.

use libm::{lgamma, log};

/// Steps of the search for the greatest likelihood: they leave less than 1e-9 of the interval.
const STEPS: u32 = 52;

/// Half a count for each outcome, after Jeffreys.
const PRIOR: f64 = 0.5;

/// `count` times the logarithm of a chance; nothing of what was not seen.
fn part(count: u32, chance: f64) -> f64 {
    if count == 0 { 0.0 } else { f64::from(count) * log(chance) }
}

/// The chance of this sequence of outcomes, mixed over the Dirichlet prior.
fn ln_mixture(counts: &[u32]) -> f64 {
    let sum = |each: &dyn Fn(u32) -> f64| counts.iter().map(|count| each(*count)).sum::<f64>();
    let before = lgamma(PRIOR * counts.len() as f64) - counts.len() as f64 * lgamma(PRIOR);
    before + sum(&|count| lgamma(f64::from(count) + PRIOR)) - lgamma(sum(&|count| f64::from(count) + PRIOR))
}

/// The greatest value of a concave function between 0 and `end`.
fn greatest(end: f64, value: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, end);
    for _ in 0..STEPS {
        let third = (high - low) / 3.0;
        if value(low + third) < value(high - third) {
            low += third;
        } else {
            high -= third;
        }
    }
    value(f64::midpoint(low, high))
}

/// The logarithm of the e-value against "here at most the rate there, and a `loss` of what passes". Each side: dropped, arrived.
#[must_use]
pub fn two_rates_ln_e(here: [u32; 2], there: [u32; 2], loss: f64) -> f64 {
    let loss = loss.clamp(0.0, 1.0);
    let rate = |[dropped, arrived]: [u32; 2]| f64::from(dropped) / f64::from((dropped + arrived).max(1));
    let likelihood = |h: f64, t: f64| part(here[0], h) + part(here[1], 1.0 - h) + part(there[0], t) + part(there[1], 1.0 - t);
    let with_loss = |t: f64| t + (1.0 - t) * loss;
    let (h, t) = (rate(here), rate(there));
    let best = if h <= with_loss(t) { likelihood(h, t) } else { greatest(1.0, |t| likelihood(with_loss(t), t)) };
    ln_mixture(&here) + ln_mixture(&there) - best
}

/// The logarithm of the e-value for messages that both accounts should have got: against "it goes missing here alone at most
/// as often as there alone, and a `loss` of all on top".
#[must_use]
pub fn paired_ln_e(here: u32, there: u32, alike: u32, loss: f64) -> f64 {
    let loss = loss.clamp(0.0, 1.0);
    let all = f64::from((here + there + alike).max(1));
    let likelihood = |h: f64, t: f64| part(here, h) + part(there, t) + part(alike, (1.0 - h - t).max(0.0));
    let (h, t) = (f64::from(here) / all, f64::from(there) / all);
    let best = if h <= t + loss { likelihood(h, t) } else { greatest((1.0 - loss) / 2.0, |t| likelihood(t + loss, t)) };
    ln_mixture(&[here, there, alike]) - best
}

#[cfg(test)]
mod tests {
    use libm::exp;

    use super::*;

    fn choose(n: u32, k: u32) -> f64 {
        lgamma(f64::from(n) + 1.0) - lgamma(f64::from(k) + 1.0) - lgamma(f64::from(n - k) + 1.0)
    }

    #[test]
    fn two_rates_are_at_most_one_on_average_whatever_the_truth() {
        for (n, m) in [(1, 1), (4, 1), (12, 12), (30, 30)] {
            for loss in [0.001, 0.05] {
                for t in [0.0, 0.01, 0.1, 0.5, 0.9, 1.0] {
                    for h in [0.0, 0.5, 1.0].map(|share| share * (t + (1.0 - t) * loss)) {
                        let mut mean = 0.0;
                        for a in 0..=n {
                            for b in 0..=m {
                                let chance = exp(choose(n, a) + part(a, h) + part(n - a, 1.0 - h));
                                let chance = chance * exp(choose(m, b) + part(b, t) + part(m - b, 1.0 - t));
                                mean +=
                                    if chance > 0.0 { chance * exp(two_rates_ln_e([a, n - a], [b, m - b], loss)) } else { 0.0 };
                            }
                        }
                        assert!(mean <= 1.0 + 1e-9, "{n} {m} at {h} and {t}, loss {loss}: {mean}");
                    }
                }
            }
        }
    }

    #[test]
    fn pairs_are_at_most_one_on_average_whatever_the_truth() {
        let n = 20;
        for loss in [0.001, 0.05] {
            for t in [0.0, 0.02, 0.2, 0.45] {
                let h: f64 = t + loss;
                let mut mean = 0.0;
                for a in 0..=n {
                    for b in 0..=n - a {
                        let rest = n - a - b;
                        let ways = choose(n, a) + choose(n - a, b);
                        let chance = exp(ways + part(a, h) + part(b, t) + part(rest, (1.0 - h - t).max(0.0)));
                        mean += if chance > 0.0 { chance * exp(paired_ln_e(a, b, rest, loss)) } else { 0.0 };
                    }
                }
                assert!(mean <= 1.0 + 1e-9, "{t}, loss {loss}: {mean}");
            }
        }
    }

    #[test]
    fn a_filter_that_acts_on_half_is_told_from_none() {
        assert!(two_rates_ln_e([15, 15], [0, 30], 0.02) > log(1000.0));
        assert!(two_rates_ln_e([0, 30], [15, 15], 0.02) < 0.0);
        assert!(two_rates_ln_e([15, 15], [14, 16], 0.02) < 0.0);
        assert!(paired_ln_e(15, 0, 15, 0.02) > log(400.0));
        // In a screen there is no telling by rates alone: four drops here, one arrival there.
        assert!(two_rates_ln_e([4, 0], [0, 1], 0.02) < log(4.0));
    }
}
