//! The experiment that the repository shows first: every verdict equals the policy's truth.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use lacuna_model::{Duration, Outcome, Role, Study};
use lacuna_platform::ADAPTERS;
use lacuna_records::experiment;
use lacuna_runner::truth::Truth;

use crate::expect::{claim, unit};
use crate::invariants;
use crate::run::Run;

/// With so many seeds in a row.
const SEEDS: u64 = 20;

/// What a run may take.
const LONGEST: Duration = Duration::from_secs(30);

/// What its policy makes of messages; the rest of the outcomes is about accidents.
const OUTCOMES: [Outcome; 6] =
    [Outcome::Delivered, Outcome::DeliveredLate, Outcome::Altered, Outcome::Retracted, Outcome::Dropped, Outcome::Refused];

#[test]
fn every_verdict_is_the_truth_with_twenty_seeds_in_a_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/quickstart.toml");
    let (loaded, problems) = experiment::load(&path, ADAPTERS, &[], &|_| Ok(()));
    let loaded = loaded.unwrap_or_else(|| panic!("{problems:#?}"));
    let policy = loaded.policy.unwrap();
    let first = loaded.study.seed;
    let mut wrong = Vec::new();
    for seed in first..first + SEEDS {
        let study = Arc::new(Study { seed, ..loaded.study.clone() });
        let run = Run::drive(&study, &policy, &[]);
        let truth = Truth::new(&study, &policy);
        for record in &run.verdicts {
            let expected = truth.of(record.unit).verdict;
            if record.verdict != expected {
                wrong.push(format!("seed {seed}: {}: {expected} is true, got {}", unit(&study, record), claim(record)));
            }
        }
        wrong.extend(invariants::broken(&run).into_iter().map(|broken| format!("seed {seed}: {broken}")));
        let seen: BTreeSet<Outcome> = OUTCOMES.into_iter().filter(|outcome| run.outcomes(*outcome) > 0).collect();
        if seen.len() < OUTCOMES.len() {
            wrong.push(format!("seed {seed}: of the outcomes only {seen:?} were seen"));
        }
        if run.duration() >= LONGEST {
            wrong.push(format!("seed {seed}: it lasts {} s", run.duration().as_secs_f64()));
        }
        println!(
            "seed {seed}: {} units, {} messages, of them {} controls, {:.1} s, {} dropped outcomes",
            run.verdicts.len(),
            run.engine.progress().sent,
            run.messages(&[Role::Control]),
            run.duration().as_secs_f64(),
            run.outcomes(Outcome::Dropped),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn one_seed_gives_one_journal() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/quickstart.toml");
    let (loaded, problems) = experiment::load(&path, ADAPTERS, &[], &|_| Ok(()));
    let loaded = loaded.unwrap_or_else(|| panic!("{problems:#?}"));
    let (study, policy) = (Arc::new(loaded.study), loaded.policy.unwrap());
    let journal = || Run::drive(&study, &policy, &[]).journal();
    assert!(journal() == journal(), "two runs with one seed differ");
}
