//! Weekly runs of one list while the platform's rules change: what it costs to ask everything every week, and to ask what is due.
//!
//!     cargo bench -p lacuna-runner --bench longitudinal

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_design::{ENGINE_VERSION, generator};
use lacuna_model::policy::{Policy, Rule};
use lacuna_model::{ItemId, RunId, Study, Timestamp};
use lacuna_records::comparison::{Comparison, read};
use lacuna_records::journal::{Encoder, Header};
use lacuna_records::predecessor::Predecessor;
use lacuna_runner::generated::{Changing, ChangingRules};
use lacuna_runner::virtual_time::{run, start_of};
use rand::RngExt as _;

const SEEDS: u64 = 10;
const ITEMS: u32 = 500;
const WEEKS: u64 = 12;
const WEEK: u64 = 7 * 86_400;
/// Of what is blocked, so many are still after a week: a half-life of 30 days.
const STAYS: f64 = 0.85;
/// Of what passes, so many are blocked a week later.
const BEGINS: f64 = 0.002;

/// The rules of every week, and which items are blocked by them.
fn weeks(seed: u64, study: &Study, first: &Policy) -> Vec<(Policy, BTreeSet<ItemId>)> {
    let mut random = generator(seed, &["weeks"]);
    let candidates = &study.items[..ITEMS as usize];
    let form: Rule = first.rules[0].clone();
    let mut blocked: BTreeSet<ItemId> = first.rules.iter().map(|rule| ItemId::from(rule.id.as_str())).collect();
    let mut weeks = Vec::new();
    for week in 0..WEEKS {
        if week > 0 {
            for item in candidates {
                let is_blocked = blocked.contains(&item.id);
                if is_blocked && !random.random_bool(STAYS) {
                    blocked.remove(&item.id);
                } else if !is_blocked && random.random_bool(BEGINS) {
                    blocked.insert(item.id.clone());
                }
            }
        }
        let banned = candidates.iter().filter(|item| blocked.contains(&item.id));
        let rule = |item: &lacuna_model::Item| Rule {
            id: item.id.as_str().to_owned(),
            all: vec![item.message.as_ref().to_owned()],
            ..form.clone()
        };
        let rules = banned.map(rule).collect();
        weeks.push((Policy { rules, ..first.clone() }, blocked.clone()));
    }
    weeks
}

/// Runs one week and keeps its journal. Returns how many messages it took.
fn keep(study: &Arc<Study>, policy: &Policy, results: &Path) -> (u64, PathBuf) {
    let opened_at: Timestamp = start_of(study.seed);
    let run_id = RunId::new(format!("run-{:03}", study.seed / WEEK));
    let header = Header {
        run_id: run_id.clone(),
        engine_version: ENGINE_VERSION,
        lacuna_version: "0".to_owned(),
        build: None,
        overrides: None,
        opened_at,
        study: Arc::clone(study),
        inputs: Vec::new(),
        deviation: None,
    };
    let (mut encoder, mut bytes) = Encoder::new(&header);
    let mut last = opened_at;
    let engine = run(study, policy, &[], &mut |at, entry| {
        encoder.append(at, entry, &mut bytes);
        last = at;
    });
    encoder.seal(last, 0, &mut bytes);
    let folder = results.join(run_id.as_str());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("journal.jsonl"), bytes).unwrap();
    (engine.evidence().probes().len() as u64, folder)
}

fn main() {
    println!("| asked again | messages a weekly run | changes | found | weeks later, in the mean | claimed, and none |");
    println!("|---|---|---|---|---|---|");
    for (name, predecessor) in [
        ("everything, each run by itself", None),
        ("everything, with a predecessor", Some((0.0, 0.0))),
        ("what is due, retest-above = 0.1", Some((0.1, 0.1))),
        ("what is due, retest-above = 0.2", Some((0.2, 0.1))),
        ("what is due, retest-above = 0.3", Some((0.3, 0.1))),
    ] {
        let (mut messages, mut changes, mut found, mut late, mut wrong) = (0, 0, 0, 0, 0);
        for seed in 1..=SEEDS {
            let Changing { study, before, .. } =
                ChangingRules { new: 0, gone: 0, group_only: 0, ..ChangingRules::new(seed, ITEMS) }.make();
            let weeks = weeks(seed, &study, &before);
            let results = tempfile::tempdir().unwrap();
            let mut runs = Vec::new();
            for (week, (policy, _)) in (0..).zip(&weeks) {
                let mut study = Study { seed: seed + week * WEEK, ..study.clone() };
                if let Some((retest_above, retest_sample)) = predecessor.filter(|_| week > 0) {
                    let predecessor = Predecessor {
                        written: PathBuf::from("runs"),
                        runs: results.path().to_owned(),
                        retest_above,
                        retest_sample,
                    };
                    let now = start_of(study.seed);
                    let _ = predecessor.apply(&mut study, now);
                }
                let (sent, folder) = keep(&Arc::new(study), policy, results.path());
                messages += if week > 0 { sent } else { 0 };
                runs.push(read(&folder).unwrap().snapshot);
            }
            let comparison = Comparison::of(runs).unwrap();
            let claimed: BTreeSet<(usize, &ItemId)> = comparison.claimed().map(|it| (it.new, &it.unit.item)).collect();
            for item in study.items[..ITEMS as usize].iter().map(|item| &item.id) {
                let states: Vec<bool> = weeks.iter().map(|(_, blocked)| blocked.contains(item)).collect();
                let turns: Vec<usize> = (1..states.len()).filter(|week| states[*week] != states[week - 1]).collect();
                let mut told: Vec<usize> = claimed.iter().filter(|(_, it)| *it == item).map(|(week, _)| *week).collect();
                for (place, week) in turns.iter().enumerate() {
                    let until = turns.get(place + 1).copied().unwrap_or(states.len());
                    changes += 1;
                    if let Some(at) = told.iter().position(|it| (*week..until).contains(it)) {
                        found += 1;
                        late += told.remove(at) - week;
                    }
                }
                wrong += told.len();
            }
        }
        let runs = SEEDS * (WEEKS - 1);
        println!(
            "| {name} | {:.0} | {changes} | {:.1} % | {:.2} | {wrong} |",
            messages as f64 / runs as f64,
            100.0 * f64::from(found) / f64::from(changes),
            late as f64 / f64::from(found)
        );
    }
}
