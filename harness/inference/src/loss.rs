//! How often a message that nobody blocks fails to arrive although its path was alive, and how many drops it takes to say
//! that an item is blocked.
//!
//! Model: an item that is blocked is dropped on every send; one that is not is dropped with probability p₀ (a Z-channel). A
//! delivery is then nearly proof, and only drops need repeating. p₀ is not known; it is bounded from above by what the run
//! itself saw of messages that cannot have been blocked ([`baseline`](crate::baseline)).

use libm::log;

use crate::intervals;
use crate::sequential::ln_e_of_drops;

/// The loss is never assumed to be below this, however clean the run: one in a thousand.
pub const FLOOR: f64 = 1e-3;

/// A drop is a suspicion: however rare losses are, it is asked again at least once.
pub const FEWEST_DROPS: u32 = 2;

/// The confidence of the upper bound on the loss.
pub const CONFIDENCE: f64 = 0.99;

/// No item is asked as often as this.
const MOST_DROPS: u32 = 1_000;

/// Bracketed losses among sends of messages that cannot have been blocked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LossBaseline {
    /// Sends that count: arrived, or missing inside a bracket.
    pub sends: u64,
    /// Of these, missing.
    pub losses: u64,
}

impl LossBaseline {
    /// Losses per send; `None` without a send.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.sends > 0).then(|| self.losses as f64 / self.sends as f64)
    }

    /// The upper end of the one-sided 99 % Clopper–Pearson interval, at least [`FLOOR`]; 1 without a send.
    #[must_use]
    pub fn upper_bound(self) -> f64 {
        intervals::upper_bound(self.losses, self.sends, 1.0 - CONFIDENCE).clamp(FLOOR, 1.0)
    }

    /// The lower end of the one-sided 99 % Clopper–Pearson interval; 0 without a loss.
    #[must_use]
    pub fn lower_bound(self) -> f64 {
        intervals::lower_bound(self.losses, self.sends, 1.0 - CONFIDENCE)
    }
}

impl std::ops::Add for LossBaseline {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { sends: self.sends + other.sends, losses: self.losses + other.losses }
    }
}

/// How many bracketed drops of an item it takes, all of its sends dropped, to call it dropped.
///
/// Two demands on the e-value of so many drops: 1 / `false_positive_rate`, so that an item that is not blocked is called dropped
/// with probability at most that rate; and 1 / (`false_discovery_rate` × `prevalence`), which is what the e-BH procedure asks where
/// the share `prevalence` of all units is rejected. `None` where no number of drops can be enough, because the bound on the loss is
/// (nearly) 1.
#[must_use]
pub fn required_drops(loss_upper: f64, prevalence: f64, false_positive_rate: f64, false_discovery_rate: f64) -> Option<u32> {
    let by_list = -log(false_discovery_rate) - log(prevalence.clamp(1e-9, 1.0));
    drops_to_reach(loss_upper, by_list.max(-log(false_positive_rate)))
}

/// How many drops give an e-value whose logarithm is at least `ln_threshold`; `None` where none do.
#[must_use]
pub fn drops_to_reach(loss_upper: f64, ln_threshold: f64) -> Option<u32> {
    let loss_upper = loss_upper.max(FLOOR);
    // Beyond this a drop says so little that no sensible number of them is enough.
    if loss_upper > 0.95 {
        return None;
    }
    (FEWEST_DROPS..MOST_DROPS).find(|drops| ln_e_of_drops(*drops, loss_upper) >= ln_threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(losses: u64, sends: u64) -> f64 {
        LossBaseline { sends, losses }.upper_bound()
    }

    #[test]
    fn the_bound_is_the_clopper_pearson_one() {
        // Reference values: the binomial distribution summed exactly and solved for its parameter by bisection.
        for (losses, sends, expected) in
            [(0, 100, 0.045_007_41), (1, 100, 0.064_542_73), (5, 100, 0.125_851_73), (10, 1000, 0.020_042_61)]
        {
            let got = bound(losses, sends);
            assert!((got - expected).abs() < 1e-7, "{losses} of {sends}: {got} instead of {expected}");
        }
    }

    #[test]
    fn without_knowledge_the_bound_is_one_and_nothing_can_be_claimed() {
        assert!((bound(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!((bound(3, 3) - 1.0).abs() < f64::EPSILON);
        assert_eq!(required_drops(1.0, 0.01, 1e-3, 1e-2), None);
    }

    #[test]
    fn the_bound_has_a_floor() {
        assert!((bound(0, 10_000_000) - FLOOR).abs() < f64::EPSILON);
    }

    #[test]
    fn the_numbers_of_drops_follow_the_two_demands() {
        // At the floor one drop gives ln 1000, which would do for 1e-3; but one drop never convicts.
        assert_eq!(required_drops(1e-3, 0.5, 1e-3, 1e-2), Some(2));
        assert_eq!(required_drops(1e-3, 0.01, 1e-3, 1e-2), Some(2));
        assert_eq!(required_drops(0.009, 0.01, 1e-3, 1e-2), Some(2));
        assert_eq!(required_drops(0.01, 0.1, 1e-3, 1e-2), Some(2));
        assert_eq!(required_drops(0.01, 0.01, 1e-3, 1e-2), Some(3));
        assert_eq!(required_drops(0.05, 0.01, 1e-3, 1e-2), Some(4));
        assert_eq!(required_drops(0.05, 0.1, 1e-3, 1e-2), Some(3));
        assert_eq!(required_drops(0.05, 0.5, 1e-6, 1e-2), Some(5));
    }

    #[test]
    fn more_loss_or_a_stricter_rate_never_takes_fewer_drops() {
        let mut last = 0;
        for loss in [0.001, 0.005, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9] {
            let drops = required_drops(loss, 0.05, 1e-3, 1e-2).unwrap_or(u32::MAX);
            assert!(drops >= last);
            last = drops;
        }
    }
}
