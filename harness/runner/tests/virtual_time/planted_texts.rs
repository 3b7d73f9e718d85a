//! Rules planted in texts, found through the whole engine: the tables of `cargo bench -p lacuna-runner --bench isolation` with fewer
//! texts, and published rules with their exceptions.
//!
//! The published rules lie beside the repository, or where `LACUNA_SHARED` says. Their licence keeps them out of the repository, so
//! without them the tests of them have nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_inference::rules::{self, TextRecord};
use lacuna_inference::verdicts;
use lacuna_model::policy::{Network, Policy};
use lacuna_model::{Duration, Role, StopReason, Study};
use lacuna_runner::generated::Searched;
use lacuna_runner::truth::{Combination, Triggers};

#[path = "../../../inference/tests/planted/mod.rs"]
mod planted;
use planted::{Dice, Lists, Rule, Source, plant};

use crate::run::Run;
use crate::{invariants, texts};

const SEED: u64 = 20_261_122;

fn lists() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("LACUNA_SHARED").map_or_else(beside, PathBuf::from).join("data/citizenlab")
}

fn network(loss: f64, burst_length: f64) -> Network {
    let (delay_median, delay_p99) = (Duration::from_millis(20), Duration::from_millis(200));
    Network { loss, burst_length, delay_median, delay_p99, ..Network::default() }
}

/// A run, what it found, and what is wrong with it.
struct Searching {
    run: Run,
    records: Vec<TextRecord>,
    triggers: Triggers,
    wrong: Vec<String>,
}

impl Searching {
    fn of(study: Study, policy: &Policy) -> Self {
        let study = Arc::new(study);
        let run = Run::drive(&study, policy, &[]);
        let evidence = run.engine.evidence();
        let records = rules::derive(evidence, &verdicts::tallies(evidence));
        let triggers = Triggers::new(&study, policy);
        let mut wrong = invariants::broken(&run);
        wrong.extend(records.iter().flat_map(|record| texts::wrong(record, &triggers)));
        if run.engine.stopped() != Some(StopReason::Finished) {
            wrong.push(format!("it stopped: {}", run.stop_reason()));
        }
        Self { run, records, triggers, wrong }
    }

    fn certified(record: &TextRecord) -> BTreeSet<Combination> {
        let part = |range: &std::ops::Range<usize>| record.text[range.clone()].to_owned();
        let certified = record.rules.iter().filter(|rule| rule.certified);
        certified.map(|rule| rule.components.iter().map(part).collect()).collect()
    }

    /// What the texts hold and was not found.
    fn missed(&self) -> Vec<String> {
        let missed = self.records.iter().flat_map(|record| {
            let truth = self.triggers.held_by(record.arm, record.recipient, &record.text);
            let found = Self::certified(record);
            truth.difference(&found).map(|rule| format!("missed {rule:?}: {}", texts::state(record))).collect::<Vec<_>>()
        });
        missed.collect()
    }

    fn right(&self) -> usize {
        self.records.iter().map(|record| Self::certified(record).len()).sum()
    }

    fn excerpts(&self) -> usize {
        self.run.engine.evidence().probes().iter().filter(|it| it.probe.excerpt.is_some()).count()
    }

    fn texts(&self) -> usize {
        self.run.study.items_of(Role::Candidate).count()
    }
}

/// Loss, burst length, components, and the most messages a rule: a tenth more than they take.
const CELLS: [(f64, f64, usize, f64); 5] =
    [(0.0, 1.0, 1, 11.5), (0.0, 1.0, 2, 27.2), (0.01, 1.0, 2, 28.5), (0.05, 1.0, 3, 50.0), (0.05, 10.0, 2, 27.5)];

#[test]
fn a_planted_rule_is_found_in_few_messages() {
    let lists = Lists::synthetic(7);
    let source = Source::lexicon();
    let mut wrong = Vec::new();
    for (loss, burst, components, most) in CELLS {
        let mut dice = Dice::new(SEED);
        let pool: Vec<&Rule> = lists.later.iter().filter(|rule| rule.len() == components).collect();
        let rules: Vec<Rule> = (0..25).map(|_| (*dice.pick(&pool)).clone()).collect();
        let harmless = |it: &String| !rules.iter().flatten().any(|part| it.contains(part.as_str()));
        let distractors: Vec<String> = lists.components().into_iter().filter(harmless).collect();
        let texts = rules.iter().map(|rule| plant(&[rule], &distractors, 600, &source, &mut dice)).collect();
        let known = lists.earlier.clone();
        let (study, policy) = Searched { seed: SEED, texts, rules, known, network: network(loss, burst) }.make();
        let it = Searching::of(study, &policy);
        let each = it.excerpts() as f64 / it.right().max(1) as f64;
        println!("loss {loss}, bursts {burst}, {components} components: {each:.2} excerpts a rule, {} rules", it.right());
        let of_cell = it.wrong.iter().cloned().chain(it.missed());
        wrong.extend(of_cell.map(|what| format!("loss {loss}, bursts {burst}, {components} components: {what}")));
        if each > most {
            wrong.push(format!("loss {loss}, bursts {burst}, {components} components: {each:.2} messages a rule"));
        }
    }
    assert!(wrong.is_empty(), "seed {SEED}: {wrong:#?}");
}

#[test]
fn all_rules_of_texts_that_share_components_are_found() {
    let lists = Lists::synthetic(7);
    let source = Source::lexicon();
    let pool: Vec<&Rule> = lists.later.iter().filter(|rule| (2..=4).contains(&rule.len())).collect();
    let mut wrong = Vec::new();
    let (mut found, mut sent, mut asked) = (0, 0, 0);
    for (run, loss) in [(0, 0.0), (1, 0.01), (2, 0.05), (3, 0.0)] {
        let mut dice = Dice::new(SEED + run);
        let (mut written, mut rules) = (Vec::new(), BTreeSet::new());
        for _ in 0..50 {
            let count = 2 + dice.below(3);
            let mut chosen: Vec<&Rule> = vec![*dice.pick(&pool)];
            while chosen.len() < count {
                let shares = |rule: &&&Rule| !chosen.contains(*rule) && rule.iter().any(|part| chosen[0].contains(part));
                let sharing: Vec<&Rule> = pool.iter().filter(shares).copied().collect();
                chosen.push(if sharing.is_empty() || dice.below(2) == 0 { *dice.pick(&pool) } else { *dice.pick(&sharing) });
            }
            let mut text = plant(&chosen, &lists.components(), 250, &source, &mut dice);
            let named: Vec<String> = chosen.iter().flat_map(|rule| rule.iter().cloned()).collect();
            text.push_str(&plant(&chosen[..1], &named, 150, &source, &mut dice));
            written.push(text);
            rules.extend(chosen.into_iter().cloned());
        }
        let rules: Vec<Rule> = rules.into_iter().collect();
        let known = lists.earlier.clone();
        let seed = SEED + run;
        let (mut study, policy) = Searched { seed, texts: written, rules, known, network: network(loss, 1.0) }.make();
        study.isolation.as_mut().unwrap().max_messages_per_text = 2_000;
        let it = Searching::of(study, &policy);
        found += it.right();
        sent += it.excerpts();
        asked += it.texts();
        let of_run = it.wrong.iter().cloned().chain(it.missed());
        wrong.extend(of_run.map(|what| format!("seed {seed}, loss {loss}: {what}")));
    }
    println!("{found} rules in {asked} texts, {:.2} excerpts a rule", sent as f64 / found as f64);
    assert!(wrong.is_empty(), "seed {SEED}: {wrong:#?}");
}

/// The published rules of a mail service, with the combinations that lift them. The policy of the simulator knows single words as
/// exceptions: a combination of several is left to the tests of the search itself.
fn mail() -> Option<Vec<planted::Filter>> {
    let policy = planted::mail_policy(&lists().join("qqmail"));
    if policy.is_none() {
        println!("left out: there are no rules at {}", lists().join("qqmail").display());
    }
    policy
}

#[test]
fn the_published_rules_of_a_mail_service_are_found_and_told_apart() {
    let Some(filters) = mail() else { return };
    let source = Source::lexicon();
    let mut dice = Dice::new(SEED);
    let texts: Vec<String> = filters.iter().map(|it| plant(&[&it.all], &[], 300, &source, &mut dice)).collect();
    let rules: Vec<Rule> = filters.iter().map(|it| it.all.clone()).collect();
    let searched = Searched { seed: SEED, texts, rules, known: Vec::new(), network: network(0.01, 1.0) };
    let (study, mut policy) = searched.make();
    for (rule, filter) in policy.rules.iter_mut().zip(&filters) {
        rule.unless = filter.unless.iter().filter(|it| it.len() == 1).flatten().cloned().collect();
    }
    let it = Searching::of(study, &policy);
    let mut found: BTreeSet<Combination> = BTreeSet::new();
    it.records.iter().for_each(|record| found.extend(Searching::certified(record)));
    let truth: BTreeSet<Combination> =
        it.records.iter().flat_map(|record| it.triggers.held_by(record.arm, record.recipient, &record.text)).collect();
    let mut statuses: BTreeMap<String, u32> = BTreeMap::new();
    for record in &it.records {
        *statuses.entry(format!("{:?}", record.status)).or_default() += 1;
    }
    println!(
        "{} rules, {} texts blocked, {} combinations in them, {} found, {} excerpts; {statuses:?}",
        filters.len(),
        it.records.len(),
        truth.len(),
        found.len(),
        it.excerpts()
    );
    let wrong: Vec<String> = it.wrong.iter().cloned().chain(it.missed()).collect();
    assert!(wrong.is_empty(), "seed {SEED}, {} faults:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}
