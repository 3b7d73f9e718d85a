//! The incremental tallies against what is computed from scratch, over random outcomes and revisions.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use lacuna_inference::evidence::{Change, Evidence};
use lacuna_inference::loss::LossBaseline;
use lacuna_inference::sequential::{BlockDrops, STAKE_ON_PARTLY, ln_e_value};
use lacuna_inference::tally::Tallies;
use lacuna_model::{ArmIx, ItemIx, Outcome, ProbeId, Purpose, Role, Unit};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{CANDIDATES, CONTROLS, RECIPIENTS, at_minute, plan, study};

const ARM: ArmIx = ArmIx(0);

const OUTCOMES: [Outcome; 12] = [
    Outcome::Delivered,
    Outcome::Delivered,
    Outcome::Delivered,
    Outcome::Delivered,
    Outcome::Dropped,
    Outcome::Dropped,
    Outcome::Dropped,
    Outcome::DeliveredLate,
    Outcome::Void,
    Outcome::Altered,
    Outcome::Refused,
    Outcome::UnknownSubmission,
];

/// What became of each probe for each recipient.
type Table = BTreeMap<(ProbeId, usize), Outcome>;

fn random_probes(random: &mut ChaCha8Rng, evidence: &mut Evidence) {
    for number in 0..60 {
        let control = random.random_bool(0.3);
        let (role, from, purpose) = if control {
            (Role::Control, CONTROLS, Purpose::Bracket)
        } else {
            let purposes = [
                Purpose::Screen,
                Purpose::Screen,
                Purpose::Confirm,
                Purpose::Retest,
                Purpose::Audit,
                Purpose::Certificate,
                Purpose::Spike,
            ];
            (Role::Candidate, CANDIDATES, *purposes.choose(random).unwrap())
        };
        let few: Vec<u32> = from.collect();
        let size = if random.random_bool(0.5) { 1 } else { random.random_range(2..=3) };
        let mut items: Vec<ItemIx> = few.sample(random, size).map(|item| ItemIx(*item)).collect();
        if random.random_bool(0.5) {
            items.sort_unstable();
        }
        plan(evidence, role, purpose, items, at_minute(number * 7));
    }
}

fn tell(tallies: &mut Tallies, evidence: &Evidence, probe: ProbeId, place: usize, outcome: Outcome, before: Option<Outcome>) {
    tallies.apply(evidence, Change::Outcome { probe, recipient: RECIPIENTS[place], outcome, before });
}

#[test]
fn revised_tallies_are_those_computed_from_scratch() {
    for seed in 0..400 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let study = study();
        let mut evidence = Evidence::new(study.clone());
        random_probes(&mut random, &mut evidence);
        let mut tallies = Tallies::new(study.clone());
        let mut table = Table::new();
        for _ in 0..300 {
            let probe = ProbeId(random.random_range(0..60));
            let place = random.random_range(0..2);
            let outcome = *OUTCOMES.choose(&mut random).unwrap();
            let before = table.insert((probe, place), outcome);
            tell(&mut tallies, &evidence, probe, place, outcome, before);
            // Asking in between must not change what is answered later.
            let unit = Unit { item: ItemIx(0), arm: ARM, recipient: RECIPIENTS[place] };
            let _ = (tallies.verdict(unit), tallies.loss_bound(ARM, RECIPIENTS[place]), tallies.prevalence(ARM));
        }
        let mut fresh = Tallies::new(study.clone());
        for ((probe, place), outcome) in &table {
            tell(&mut fresh, &evidence, *probe, *place, *outcome, None);
        }
        tallies.settle();
        fresh.settle();
        assert_same(&tallies, &fresh, &evidence, seed);
        assert_as_the_definition_says(&tallies, &evidence, &table, seed);
    }
}

fn assert_same(tallies: &Tallies, fresh: &Tallies, evidence: &Evidence, seed: u64) {
    for unit in tallies.units() {
        assert_eq!(tallies.of(unit), fresh.of(unit), "seed {seed}, {unit:?}");
        assert_eq!(tallies.verdict(unit), fresh.verdict(unit), "seed {seed}, {unit:?}");
        assert_eq!(tallies.final_verdict(unit), fresh.final_verdict(unit), "seed {seed}, {unit:?}");
        assert!((tallies.ln_e_value(unit) - fresh.ln_e_value(unit)).abs() < 1e-9, "seed {seed}, {unit:?}");
    }
    for recipient in RECIPIENTS {
        assert_eq!(tallies.baseline(ARM, recipient), fresh.baseline(ARM, recipient), "seed {seed}");
        assert_eq!(tallies.controls(ARM, recipient), fresh.controls(ARM, recipient), "seed {seed}");
        for control in CONTROLS.map(ItemIx) {
            assert_eq!(tallies.control(control, ARM, recipient), fresh.control(control, ARM, recipient), "seed {seed}");
            let expelled = |tallies: &Tallies| tallies.is_expelled_for(control, ARM, recipient);
            assert_eq!(expelled(tallies), expelled(fresh), "seed {seed}");
        }
        for record in evidence.probes() {
            let items = &record.probe.items;
            assert_eq!(tallies.combination(ARM, recipient, items), fresh.combination(ARM, recipient, items), "seed {seed}");
        }
    }
    assert!((tallies.prevalence(ARM) - fresh.prevalence(ARM)).abs() < 1e-12, "seed {seed}");
    let combinations = |tallies| lacuna_inference::combinations::derive(evidence, tallies);
    assert_eq!(combinations(tallies), combinations(fresh), "seed {seed}");
}

/// The baseline and the e-values again, by looking at the whole table for each question.
fn assert_as_the_definition_says(tallies: &Tallies, evidence: &Evidence, table: &Table, seed: u64) {
    let arrived = |outcome: &Outcome| matches!(outcome, Outcome::Delivered | Outcome::DeliveredLate);
    let signalled = |outcome: &Outcome| matches!(outcome, Outcome::Refused | Outcome::Altered | Outcome::Retracted);
    for (place, recipient) in RECIPIENTS.into_iter().enumerate() {
        let told: Vec<(&lacuna_model::Probe, Outcome)> = table
            .iter()
            .filter(|((_, of), _)| *of == place)
            .map(|((probe, _), outcome)| (&evidence.probe(*probe).probe, *outcome))
            .filter(|(probe, _)| probe.purpose != Purpose::Spike)
            .collect();
        let of_items = |items: &BTreeSet<ItemIx>| -> Vec<Outcome> {
            told.iter()
                .filter(|(probe, _)| {
                    probe.role == Role::Candidate && probe.items.iter().copied().collect::<BTreeSet<_>>() == *items
                })
                .map(|(_, outcome)| *outcome)
                .collect()
        };
        let passes = |item: ItemIx| {
            let own = of_items(&BTreeSet::from([item]));
            let pooled = told.iter().any(|(probe, outcome)| {
                let in_pool = probe.role == Role::Candidate && probe.items.len() > 1 && probe.items.contains(&item);
                in_pool && *outcome == Outcome::Delivered
            });
            let own_arrived = own.iter().any(arrived);
            !own.iter().any(signalled) && (own_arrived || (pooled && !own.contains(&Outcome::Dropped)))
        };
        let mut expected = LossBaseline::default();
        for (probe, outcome) in &told {
            let counts = if probe.role == Role::Control {
                matches!(
                    outcome,
                    Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered | Outcome::Retracted | Outcome::Dropped
                )
            } else if arrived(outcome) {
                true
            } else {
                let items: BTreeSet<ItemIx> = probe.items.iter().copied().collect();
                let all = of_items(&items);
                let delivered = all.iter().any(arrived);
                let once = all.iter().filter(|it| **it == Outcome::Dropped).count() == 1;
                let pool_was_lost = items.len() > 1 && once && items.iter().all(|item| passes(*item));
                *outcome == Outcome::Dropped && !all.iter().any(signalled) && (delivered || pool_was_lost)
            };
            if counts {
                expected.sends += 1;
                expected.losses += u64::from(*outcome == Outcome::Dropped);
            }
        }
        assert_eq!(tallies.baseline(ARM, recipient), expected, "seed {seed}");
        // All within a few hours with few sends: one block, and the bound of the path is that of the block.
        let bound = tallies.loss_bound(ARM, recipient);
        for item in CANDIDATES.map(ItemIx) {
            let own = of_items(&BTreeSet::from([item]));
            let drops = u32::try_from(own.iter().filter(|it| **it == Outcome::Dropped).count()).unwrap();
            let arrivals = own.iter().filter(|it| arrived(it) || matches!(it, Outcome::Altered | Outcome::Retracted)).count();
            let block = BlockDrops { drops, loss_upper: bound };
            let ln_e = ln_e_value(&std::iter::once(block), u32::try_from(arrivals).unwrap(), bound, STAKE_ON_PARTLY);
            let unit = Unit { item, arm: ARM, recipient };
            assert!((tallies.ln_e_value(unit) - ln_e).abs() < 1e-9, "seed {seed}, {unit:?}");
        }
    }
}
