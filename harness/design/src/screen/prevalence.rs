//! How large a share of the items is blocked, as far as the answers so far tell: it sets the size of the pools.

use libm::{exp, log, log1p};

/// Shares are looked at on a grid, equally spaced in their logarithm.
const STEPS: usize = 48;
const LEAST: f64 = 1e-4;
const MOST: f64 = 0.6;

/// A posterior over the share of items that are blocked, under a prior that is flat in its logarithm.
#[derive(Clone, Debug)]
pub(super) struct Prevalence {
    /// ln(1 - share) at each step of the grid.
    ln_pass: Vec<f64>,
    ln_share: Vec<f64>,
    ln_weight: Vec<f64>,
    mean: f64,
}

impl Prevalence {
    pub fn new() -> Self {
        let (least, most) = (log(LEAST), log(MOST));
        let ln_share: Vec<f64> = (0..STEPS).map(|step| least + (most - least) * step as f64 / (STEPS - 1) as f64).collect();
        let mut prevalence = Self {
            ln_pass: ln_share.iter().map(|ln_share| log1p(-exp(*ln_share))).collect(),
            ln_weight: vec![0.0; STEPS],
            ln_share,
            mean: 0.0,
        };
        prevalence.settle();
        prevalence
    }

    /// The geometric mean of the posterior.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// A set of `size` items, about which nothing was known, was caught or passed.
    pub fn observe(&mut self, size: f64, caught: bool) {
        for (weight, ln_pass) in self.ln_weight.iter_mut().zip(&self.ln_pass) {
            *weight += if caught { ln_some(size * ln_pass) } else { size * ln_pass };
        }
        self.settle();
    }

    /// Of a set of `whole` items that was caught, a part of `part` items was caught or passed.
    pub fn observe_part(&mut self, part: f64, whole: f64, caught: bool) {
        for (weight, ln_pass) in self.ln_weight.iter_mut().zip(&self.ln_pass) {
            let given = ln_some(whole * ln_pass);
            *weight +=
                if caught { ln_some(part * ln_pass) - given } else { part * ln_pass + ln_some((whole - part) * ln_pass) - given };
        }
        self.settle();
    }

    fn settle(&mut self) {
        let most = self.ln_weight.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut of_logs) = (0.0, 0.0);
        for (weight, ln_share) in self.ln_weight.iter_mut().zip(&self.ln_share) {
            // Kept relative to the largest, so that long runs do not wear the numbers out.
            *weight -= most;
            let share = exp(*weight);
            sum += share;
            of_logs += share * ln_share;
        }
        self.mean = exp(of_logs / sum);
    }
}

/// ln(1 - exp(x)) for a negative x: the chance that some item is blocked, from the logarithm of the chance that none is.
fn ln_some(x: f64) -> f64 {
    log(-libm::expm1(x)).max(-700.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_from_pools_what_single_sends_would_tell() {
        let mut prevalence = Prevalence::new();
        // One in a hundred is blocked: half of the sets of 69 pass.
        for _ in 0..200 {
            prevalence.observe(69.0, true);
            prevalence.observe(69.0, false);
        }
        assert!((prevalence.mean() - 0.01).abs() < 0.001, "{}", prevalence.mean());
    }

    #[test]
    fn a_part_of_a_set_that_was_caught_tells_as_much_as_it_can() {
        let mut prevalence = Prevalence::new();
        // Where nearly nothing is blocked a set that was caught holds one that is, on either side alike.
        for _ in 0..500 {
            prevalence.observe(10.0, true);
            for _ in 0..99 {
                prevalence.observe(10.0, false);
            }
            prevalence.observe_part(5.0, 10.0, true);
            prevalence.observe_part(5.0, 10.0, false);
        }
        assert!((prevalence.mean() - 0.001).abs() < 0.0002, "{}", prevalence.mean());
    }
}
