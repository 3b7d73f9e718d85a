//! Many hypotheses at once: the e-BH procedure of Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022).

use libm::{exp, log};

/// For each of these logarithms of e-values, in any order, the smallest level at which it is rejected among `total`; at most 1.
#[must_use]
pub fn q_values(ln_e: &[f64], total: u64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ln_e.len()).collect();
    order.sort_by(|a, b| ln_e[*b].total_cmp(&ln_e[*a]));
    let mut values = vec![1.0; ln_e.len()];
    let mut smallest: f64 = 1.0;
    for (rank, place) in order.into_iter().enumerate().rev() {
        smallest = smallest.min(exp(log(total as f64) - log(rank as f64 + 1.0) - ln_e[place]));
        values[place] = smallest;
    }
    values
}
