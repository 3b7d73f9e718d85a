//! Many units at once: the e-BH procedure of Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022).
//!
//! Of `total` hypotheses those with the R greatest e-values are rejected, R as great as possible with every one of them at least
//! `total / (level × R)`. The expected share of wrong ones among them, the false discovery rate, is then at most `level`, whatever the
//! dependence between the e-values. Only e-values above 1 can be rejected, so that the many units without a drop need not be
//! listed: they count in `total` alone.

use libm::{exp, log};

/// How many of the hypotheses with these logarithms of e-values, the greatest first, are rejected.
#[must_use]
pub fn rejected(ln_e_descending: &[f64], total: u64, level: f64) -> u64 {
    let ranked = ln_e_descending.iter().enumerate().rev().map(|(place, ln_e)| (place as u64 + 1, *ln_e));
    let mut rejectable = ranked.filter(|(rank, ln_e)| *ln_e >= ln_threshold(*rank, total, level));
    rejectable.next().map_or(0, |(rank, _)| rank)
}

/// The logarithm of the e-value that each of `rejected` rejected hypotheses must have; infinite for none.
#[must_use]
pub fn ln_threshold(rejected: u64, total: u64, level: f64) -> f64 {
    log(total as f64) - log(level) - log(rejected as f64)
}

/// For each of these logarithms of e-values, in any order, the smallest level at which it is rejected; at most 1.
#[must_use]
pub fn q_values(ln_e: &[f64], total: u64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ln_e.len()).collect();
    order.sort_by(|a, b| ln_e[*b].total_cmp(&ln_e[*a]));
    let mut values = vec![1.0; ln_e.len()];
    let mut smallest: f64 = 1.0;
    for (before, place) in order.into_iter().enumerate().rev() {
        // Rejected at a level means rejected together with all that are greater, and at any level at which a smaller one is.
        smallest = smallest.min(exp(log(total as f64) - log(before as f64 + 1.0) - ln_e[place]));
        values[place] = smallest;
    }
    values
}
