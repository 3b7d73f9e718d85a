//! e-BH against its definition: every set of hypotheses is tried.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use lacuna_inference::multiplicity::{ln_threshold, q_values, rejected};
use proptest::prelude::*;

/// The greatest number of hypotheses that are all at least `total / (level × number)`, by trying every number.
fn brute_force(ln_e: &[f64], total: u64, level: f64) -> u64 {
    let least = |number: u64| (total as f64 / (level * number as f64)).ln();
    let enough = |number: &u64| ln_e.iter().filter(|ln_e| **ln_e >= least(*number) - 1e-12).count() as u64 >= *number;
    (1..=ln_e.len() as u64).filter(enough).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn the_procedure_is_its_definition(
        ln_e in prop::collection::vec(-3.0..20.0f64, 0..40), more in 0..200u64, level in 0.001..0.5f64,
    ) {
        let total = ln_e.len() as u64 + more;
        let mut descending = ln_e.clone();
        descending.sort_by(|a, b| b.total_cmp(a));
        let number = rejected(&descending, total, level);
        prop_assert_eq!(number, brute_force(&ln_e, total, level));
        // And the threshold tells the same hypotheses from the others.
        let threshold = ln_threshold(number, total, level);
        prop_assert_eq!(ln_e.iter().filter(|ln_e| **ln_e >= threshold).count() as u64, number);
    }

    #[test]
    fn a_q_value_is_the_smallest_level_that_rejects(ln_e in prop::collection::vec(-3.0..20.0f64, 1..30), more in 0..200u64) {
        let total = ln_e.len() as u64 + more;
        let is_rejected = |ln_e_of: f64, level: f64| {
            let number = brute_force(&ln_e, total, level);
            number > 0 && ln_e_of >= (total as f64 / (level * number as f64)).ln() - 1e-12
        };
        for (ln_e, q) in ln_e.iter().zip(q_values(&ln_e, total)) {
            prop_assert!((0.0..=1.0).contains(&q));
            if q < 0.999 {
                prop_assert!(is_rejected(*ln_e, q * 1.000_001), "{} at {}", ln_e, q);
            }
            prop_assert!(!is_rejected(*ln_e, q * 0.999_999), "{} below {}", ln_e, q);
        }
    }
}
