//! The intervals of enforcement rates cover the truth as often as they say, loss and all.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use lacuna_inference::enforcement::{CategorySum, Rate, Sends, drop_rate, of_unit};
use lacuna_inference::loss::LossBaseline;
use lacuna_inference::tally::Tally;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

const REPLICATES: u32 = 30;

fn tally(dropped: u32, delivered: u32) -> Tally {
    Tally { probes: dropped + delivered, dropped, delivered, ..Tally::default() }
}

/// The probability of `k` hits among `n`.
fn binomial(n: u32, p: f64) -> Vec<f64> {
    let mut row = vec![1.0];
    for _ in 0..n {
        let before = |index: usize| row.get(index).copied().unwrap_or(0.0);
        row = (0..=row.len()).map(|k| before(k) * (1.0 - p) + k.checked_sub(1).map_or(0.0, before) * p).collect();
    }
    row
}

fn covers(rate: Rate, truth: f64) -> bool {
    rate.low <= truth && truth <= rate.high
}

#[test]
fn the_enforcement_of_an_item_is_covered_computed_exactly() {
    for controls in [20, 200] {
        for loss in [0.0, 0.01, 0.05, 0.2] {
            for truth in [0.0, 0.05, 0.5, 0.9, 1.0] {
                let hits = binomial(REPLICATES, truth + (1.0 - truth) * loss);
                let losses = binomial(controls, loss);
                let mut covered = 0.0;
                for (dropped, chance) in (0..).zip(&hits) {
                    for (lost, chance_of_loss) in (0..).zip(&losses) {
                        let baseline = LossBaseline { sends: u64::from(controls), losses: lost };
                        let rate = of_unit(&tally(dropped, REPLICATES - dropped), baseline, Sends::Fixed).unwrap();
                        assert!(rate.low <= rate.estimate && rate.estimate <= rate.high, "{rate:?}");
                        covered += if covers(rate, truth) { chance * chance_of_loss } else { 0.0 };
                    }
                }
                assert!(covered >= 0.95, "enforcement {truth}, loss {loss}, {controls} controls: {covered}");
            }
        }
    }
}

#[test]
fn the_enforcement_of_a_category_is_covered() {
    // Items that are alike, and items of which some are hardly and some always acted on: 1,000 runs each.
    for (name, of_items) in [("alike at 50 %", [0.5; 4]), ("alike at 5 %", [0.05; 4]), ("unlike", [0.0, 0.02, 0.5, 1.0])] {
        for loss in [0.0, 0.01, 0.05] {
            let seed = 20_161_130;
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            let (mut covered, mut drops_covered, runs) = (0, 0, 1_000);
            for _ in 0..runs {
                let mut lost = |n: u32, p: f64| (0..n).filter(|_| random.random_bool(p)).count();
                let baseline = LossBaseline { sends: 150, losses: lost(150, loss) as u64 };
                let mut sum = CategorySum::default();
                for place in 0..24 {
                    // A sample of the category, not a quarter of each kind.
                    let kind = if name == "unlike" { lost(1, 0.5) * 2 + lost(1, 0.5) } else { place % 4 };
                    let hits = lost(REPLICATES, of_items[kind] + (1.0 - of_items[kind]) * loss);
                    let dropped = u32::try_from(hits).unwrap();
                    sum.add(&tally(dropped, REPLICATES - dropped));
                }
                let truth = of_items.iter().sum::<f64>() / 4.0;
                covered += u32::from(covers(sum.enforcement(baseline).unwrap(), truth));
                drops_covered += u32::from(covers(sum.drop_rate().unwrap(), truth + (1.0 - truth) * loss));
            }
            println!("{name}, loss {loss}: {covered} and {drops_covered} of {runs}");
            assert!(covered >= 935 && drops_covered >= 930, "seed {seed}, {name}, loss {loss}: {covered}, {drops_covered}");
        }
    }
}

#[test]
fn what_the_platform_says_counts_as_acting_and_no_loss_explains_it() {
    let masked = Tally { probes: 30, altered: 30, ..Tally::default() };
    let controls = LossBaseline { sends: 500, losses: 5 };
    let rate = of_unit(&masked, controls, Sends::Fixed).unwrap();
    assert!(rate.estimate > 0.999 && rate.low > 0.85);
    let drops = drop_rate(&masked, Sends::Fixed).unwrap();
    assert!(drops.estimate < 1e-9 && drops.high < 0.12);
}

#[test]
fn without_a_send_or_a_control_little_is_said() {
    assert_eq!(of_unit(&Tally::default(), LossBaseline::default(), Sends::Fixed), None);
    assert_eq!(CategorySum::default().enforcement(LossBaseline::default()), None);
    let all = of_unit(&tally(30, 0), LossBaseline::default(), Sends::Fixed).unwrap();
    assert!(all.low < 1e-9 && all.high > 0.999);
    // One delivery of a screen: whatever acts, does not act always.
    let once = of_unit(&tally(0, 1), LossBaseline { sends: 100, losses: 0 }, Sends::Stopped).unwrap();
    assert!(once.high < 1.0 && once.high > 0.95);
}
