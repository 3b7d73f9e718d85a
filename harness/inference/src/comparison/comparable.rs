//! Whether two runs differ in time alone.

use lacuna_model::ChangeReason;
use libm::{exp, lgamma};

use super::snapshot::{ArmFacts, Party, PathKey, Snapshot};
use crate::loss::LossBaseline;

/// The probability, over all paths of a comparison, that one is called different in its loss although none is.
const FALSE_ALARM: f64 = 1e-3;

/// In what two runs differ on a path besides time; `None` if in nothing. `paths` is how many paths are looked at.
pub(super) fn incomparable(old: &Snapshot, new: &Snapshot, path: &PathKey, paths: usize) -> Option<ChangeReason> {
    let (Some(before), Some(after)) = (old.paths.get(path), new.paths.get(path)) else {
        return Some(ChangeReason::NotInBoth);
    };
    if old.engine_version != new.engine_version {
        Some(ChangeReason::EngineDiffers)
    } else if old.adapter != new.adapter {
        Some(ChangeReason::AdapterDiffers)
    } else if !is_same_arm(before, after) {
        Some(ChangeReason::ArmDiffers)
    } else if clients(before).ne(clients(after)) {
        Some(ChangeReason::ClientDiffers)
    } else if p_of_equal_loss(before.controls, after.controls) * (paths as f64) < FALSE_ALARM {
        Some(ChangeReason::ControlLossDiffers)
    } else {
        None
    }
}

fn is_same_arm(before: &ArmFacts, after: &ArmFacts) -> bool {
    let same = |a: &Party, b: &Party| a.id == b.id && a.registered_in == b.registered_in && a.located_in == b.located_in;
    before.venue == after.venue
        && same(&before.recipient, &after.recipient)
        && before.senders.len() == after.senders.len()
        && before.senders.iter().zip(&after.senders).all(|(a, b)| same(a, b))
}

fn clients(arm: &ArmFacts) -> impl Iterator<Item = Option<&str>> {
    arm.senders.iter().chain([&arm.recipient]).map(|party| party.client.as_deref())
}

/// The two-sided p-value of Fisher's exact test that both baselines have one loss: the probability, given the sums of the table, of all
/// tables that are no likelier than the one seen.
fn p_of_equal_loss(a: LossBaseline, b: LossBaseline) -> f64 {
    let (sends, losses) = (a.sends + b.sends, a.losses + b.losses);
    let choose = |n: u64, k: u64| lgamma(n as f64 + 1.0) - lgamma(k as f64 + 1.0) - lgamma((n - k) as f64 + 1.0);
    let ln_probability = |lost: u64| choose(a.sends, lost) + choose(b.sends, losses - lost) - choose(sends, losses);
    let (fewest, most) = (losses.saturating_sub(b.sends), losses.min(a.sends));
    // Rounding must not leave the table itself out.
    let seen = ln_probability(a.losses.clamp(fewest, most)) + 1e-7;
    let tables = (fewest..=most).map(ln_probability).filter(|ln| *ln <= seen);
    tables.map(exp).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fishers_exact_test_gives_the_known_values() {
        // Summed in whole numbers: tables of losses and sends, each with its binomial coefficients.
        for ((losses, sends), (others, of), expected) in [
            ((1, 10), (11, 14), 0.002_759_456),
            ((0, 35), (0, 40), 1.0),
            ((3, 300), (2, 250), 1.0),
            ((0, 300), (30, 300), 8.686_362e-10),
        ] {
            let p = p_of_equal_loss(LossBaseline { sends, losses }, LossBaseline { sends: of, losses: others });
            assert!((p / expected - 1.0).abs() < 1e-3, "{losses}/{sends}, {others}/{of}: {p:e} instead of {expected:e}");
        }
    }

    #[test]
    fn without_controls_nothing_is_known_to_differ() {
        let none = LossBaseline::default();
        assert!((p_of_equal_loss(none, LossBaseline { sends: 10, losses: 3 }) - 1.0).abs() < 1e-9);
    }
}
