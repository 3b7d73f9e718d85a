//! What earlier runs found changes the order of questions and their cost, and no verdict.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::{ItemIx, Role, Study, Unit, Verdict};
use lacuna_records::history;
use lacuna_records::projection::{AnalyzeOptions, analyze};
use lacuna_runner::generated::Generated;
use lacuna_runner::replay::replay;

use crate::invariants;
use crate::run::Run;

const SEEDS: u64 = 5;

/// Keeps a run in a folder of results, as `lacuna run` does.
fn keep(run: &Run, results: &Path, name: &str) -> PathBuf {
    let folder = results.join(&run.study.name).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("journal.jsonl"), run.journal()).unwrap();
    analyze(&folder, AnalyzeOptions::default()).unwrap();
    folder
}

fn verdicts(run: &Run) -> BTreeMap<Unit, Verdict> {
    run.verdicts.iter().map(|record| (record.unit, record.verdict)).collect()
}

/// The candidates in the order in which they were first sent.
fn order(run: &Run) -> Vec<ItemIx> {
    let mut order: Vec<ItemIx> = Vec::new();
    for record in run.engine.evidence().probes().iter().filter(|it| it.probe.role == Role::Candidate) {
        for item in &record.probe.items {
            if !order.contains(item) {
                order.push(*item);
            }
        }
    }
    order
}

#[test]
fn history_changes_the_order_and_the_cost_and_no_verdict() {
    let (mut without, mut with) = (0, 0);
    for seed in 1..=SEEDS {
        let results = tempfile::tempdir().unwrap();
        let (study, policy) = Generated { prevalence: 0.05, ..Generated::new(seed, 300) }.make();
        let first = Run::drive(&Arc::new(study.clone()), &policy, &[]);
        keep(&first, results.path(), "20161130T080000Z-1");

        let mut informed = study.clone();
        let read = history::apply(results.path(), &mut informed);
        assert_eq!((read.inputs.len(), read.warnings.len()), (1, 0), "seed {seed}: {:?}", read.warnings);
        let second = Run::drive(&Arc::new(informed.clone()), &policy, &[]);
        assert_ne!(order(&first), order(&second), "seed {seed}: the order is the same");
        assert_eq!(verdicts(&first), verdicts(&second), "seed {seed}");
        assert_eq!(invariants::broken(&second), [""; 0], "seed {seed}");
        without += first.messages(&[Role::Candidate]);
        with += second.messages(&[Role::Candidate]);

        // The priors are part of the journaled study: a third run in the same folder changes nothing for the second.
        let folder = keep(&second, results.path(), "20161201T080000Z-1");
        let replayed = replay(&folder.join("journal.jsonl")).unwrap();
        assert_eq!(**replayed.engine.study(), informed, "seed {seed}");
        let mut later: Study = study.clone();
        history::apply(results.path(), &mut later);
        assert_ne!(later, informed, "seed {seed}");
        history::remember(&informed, &mut later);
        assert_eq!(later, informed, "seed {seed}");
    }
    println!("candidate messages of {SEEDS} runs: {without} without history, {with} with it");
    assert!(with < without, "history saved nothing: {with} messages with it, {without} without");
}

#[test]
fn a_history_that_is_wrong_costs_messages_and_no_verdict() {
    for seed in 1..=SEEDS {
        let (study, policy) = Generated { prevalence: 0.05, ..Generated::new(seed, 200) }.make();
        let first = Run::drive(&Arc::new(study.clone()), &policy, &[]);
        let mut misled = study.clone();
        for (index, item) in (0u32..).zip(&mut misled.items) {
            let blocked = first.verdicts.iter().any(|it| it.unit.item.0 == index && it.verdict == Verdict::Dropped);
            (item.prior.blocked_before, item.prior.passed_before) = if blocked { (0, 3) } else { (3, 0) };
        }
        let second = Run::drive(&Arc::new(misled), &policy, &[]);
        assert_eq!(verdicts(&first), verdicts(&second), "seed {seed}");
    }
}
