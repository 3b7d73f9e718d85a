//! Messages per rule that `design = "isolate"` finds, through the whole engine in virtual time, from a fixed seed.
//!
//!     cargo bench -p lacuna-runner --bench isolation [-- cells|several] [--texts=1000] [--only=TEXT]
//!
//! Texts are those of the bench of the search itself (`lacuna-inference`): rules of published lists (where `LACUNA_SHARED` says
//! where they are; else made up), planted in neutral text with distractors. The earlier lists are given as `[corpora] rules`. A run
//! has 50 texts, each with a rule of its own; the platform drops by all of them. What is different from that bench: the loss is not
//! told but learned, drops are bracketed, all rules of a text are sought and the order is asked, rules found in one text are
//! tried in the next, and the texts are convicted themselves.
//!
//! `one rule`: excerpts up to the one by which a rule was found, counted from the beginning of its search, in texts of one rule.
//! `a rule`: all excerpts for each right rule. `all`: with the sends of the whole texts. Targets are for the first of these.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark ends loudly")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use lacuna_inference::{rules, verdicts};
use lacuna_model::policy::Network;
use lacuna_model::{Duration, Purpose, Role, StopReason};
use lacuna_runner::generated::Searched;
use lacuna_runner::truth::Triggers;
use lacuna_runner::{repeats, virtual_time};

#[path = "../../inference/tests/planted/mod.rs"]
mod planted;
use planted::{Dice, Lists, Rule, Source, plant};

const SEED: u64 = 20_261_122;

/// Texts of a run.
const A_RUN: usize = 50;

struct Cell {
    loss: f64,
    burst: f64,
    characters: usize,
    components: usize,
    /// At most so many messages a rule; component-aware binary splitting.
    reference: [Option<f64>; 2],
}

const fn cell(loss: f64, burst: f64, characters: usize, components: usize, reference: [Option<f64>; 2]) -> Cell {
    Cell { loss, burst, characters, components, reference }
}

const CELLS: [Cell; 14] = [
    cell(0.0, 1.0, 1000, 1, [Some(15.0), Some(15.9)]),
    cell(0.0, 1.0, 1000, 2, [Some(24.0), Some(27.8)]),
    cell(0.0, 1.0, 1000, 3, [Some(33.0), Some(43.2)]),
    cell(0.01, 1.0, 1000, 1, [None, Some(23.0)]),
    cell(0.01, 1.0, 1000, 2, [Some(26.0), Some(40.6)]),
    cell(0.01, 1.0, 1000, 3, [Some(35.0), Some(61.8)]),
    cell(0.05, 1.0, 1000, 1, [None, Some(31.0)]),
    cell(0.05, 1.0, 1000, 2, [Some(30.0), Some(54.7)]),
    cell(0.05, 1.0, 1000, 3, [Some(40.0), Some(80.3)]),
    cell(0.01, 10.0, 1000, 2, [Some(26.0), None]),
    cell(0.01, 10.0, 1000, 3, [Some(35.0), None]),
    cell(0.05, 10.0, 1000, 2, [Some(30.0), None]),
    cell(0.05, 10.0, 1000, 3, [Some(40.0), None]),
    cell(0.0, 1.0, 5000, 2, [Some(29.0), Some(32.4)]),
];

fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(&format!("--{name}=")).map(str::to_owned))
}

fn is_asked(name: &str) -> bool {
    let names = ["cells", "several"];
    let asked: Vec<String> = std::env::args().filter(|argument| names.contains(&argument.as_str())).collect();
    asked.is_empty() || asked.iter().any(|it| it == name)
}

/// What runs gave.
#[derive(Clone, Default)]
struct Counts {
    texts: u64,
    right: u64,
    wrong: u64,
    uncertified: u64,
    missed: u64,
    undecided: u64,
    not_searched: u64,
    unfinished: u64,
    excerpts: u64,
    wholes: u64,
    controls: u64,
    rounds_of_first: u64,
    firsts: u64,
    hours: f64,
    purposes: BTreeMap<Purpose, u64>,
}

impl Counts {
    fn add(mut self, other: Self) -> Self {
        self.texts += other.texts;
        self.right += other.right;
        self.wrong += other.wrong;
        self.uncertified += other.uncertified;
        self.missed += other.missed;
        self.undecided += other.undecided;
        self.not_searched += other.not_searched;
        self.unfinished += other.unfinished;
        self.excerpts += other.excerpts;
        self.wholes += other.wholes;
        self.controls += other.controls;
        self.rounds_of_first += other.rounds_of_first;
        self.firsts += other.firsts;
        self.hours += other.hours;
        for (purpose, count) in other.purposes {
            *self.purposes.entry(purpose).or_default() += count;
        }
        self
    }
}

fn main() {
    let folder = std::env::var_os("LACUNA_SHARED").map(PathBuf::from).map(|shared| shared.join("data/citizenlab"));
    let lists = folder.and_then(|folder| Lists::published(&folder)).unwrap_or_else(|| Lists::synthetic(7));
    let texts: usize = argument("texts").and_then(|texts| texts.parse().ok()).unwrap_or(1000);
    let only = argument("only").unwrap_or_default();
    println!("rules: {}; {texts} texts a cell in runs of {A_RUN}; seed {SEED}", lists.origin);
    println!(
        "{:>5} {:>5} {:>6} {:>4} | {:>8} {:>7} {:>7} {:>8} | {:>5} {:>5} {:>5} {:>6} {:>9} {:>7} | {:>7} {:>7} {:>6} | {:>7} {:>5}",
        "loss",
        "burst",
        "length",
        "comp",
        "one rule",
        "a rule",
        "all",
        "controls",
        "right",
        "wrong",
        "open",
        "missed",
        "undecided",
        "skipped",
        "hours",
        "stopped",
        "s",
        "at most",
        "CABS"
    );
    let setting = Setting { source: Source::lexicon(), distractors: lists.components(), lists, texts };
    if is_asked("cells") {
        for cell in &CELLS {
            let label = format!("{}/{}/{}/{}", cell.loss, cell.burst, cell.characters, cell.components);
            if label.contains(&only) {
                setting.print(cell, |run| setting.one_rule(cell, run));
            }
        }
    }
    if is_asked("several") {
        for loss in [0.0, 0.01, 0.05] {
            let cell = cell(loss, 1.0, 1000, 0, [None, None]);
            let several = Setting { texts: texts.div_ceil(5), ..setting.clone() };
            several.print(&cell, |run| several.several(run));
        }
    }
}

#[derive(Clone)]
struct Setting {
    lists: Lists,
    source: Source,
    distractors: Vec<String>,
    texts: usize,
}

impl Setting {
    /// Texts with one rule each.
    fn one_rule(&self, cell: &Cell, run: u64) -> (Vec<String>, Vec<Rule>) {
        let mut dice = Dice::new(repeats::seed_of(SEED, run));
        let pool: Vec<&Rule> = self.lists.later.iter().filter(|rule| rule.len() == cell.components).collect();
        let rules: Vec<Rule> = (0..A_RUN).map(|_| (*dice.pick(&pool)).clone()).collect();
        let distractors = self.harmless(&rules);
        let texts = rules.iter().map(|rule| plant(&[rule], &distractors, cell.characters, &self.source, &mut dice)).collect();
        (texts, rules)
    }

    /// Texts with repeated components and two to four rules that share some.
    fn several(&self, run: u64) -> (Vec<String>, Vec<Rule>) {
        let mut dice = Dice::new(repeats::seed_of(SEED, run));
        let pool: Vec<&Rule> = self.lists.later.iter().filter(|rule| (2..=4).contains(&rule.len())).collect();
        let (mut texts, mut rules) = (Vec::new(), Vec::new());
        for _ in 0..A_RUN {
            let count = 2 + dice.below(3);
            let mut chosen: Vec<&Rule> = vec![*dice.pick(&pool)];
            while chosen.len() < count {
                let shares = |rule: &&&Rule| !chosen.contains(*rule) && rule.iter().any(|part| chosen[0].contains(part));
                let sharing: Vec<&Rule> = pool.iter().filter(shares).copied().collect();
                chosen.push(if sharing.is_empty() || dice.below(2) == 0 { *dice.pick(&pool) } else { *dice.pick(&sharing) });
            }
            let mut text = plant(&chosen, &self.distractors, 700, &self.source, &mut dice);
            let named: Vec<String> = chosen.iter().flat_map(|rule| rule.iter().cloned()).collect();
            text.push_str(&plant(&chosen[..1], &named, 300, &self.source, &mut dice));
            texts.push(text);
            rules.extend(chosen.into_iter().cloned());
        }
        (texts, rules)
    }

    /// Distractors that hold no component of these rules: what is planted is what is there.
    fn harmless(&self, rules: &[Rule]) -> Vec<String> {
        let holds = |distractor: &&String| !rules.iter().flatten().any(|part| distractor.contains(part.as_str()));
        self.distractors.iter().filter(holds).cloned().collect()
    }

    fn print(&self, cell: &Cell, make: impl Fn(u64) -> (Vec<String>, Vec<Rule>) + Sync) {
        let began = Instant::now();
        let runs = self.texts.div_ceil(A_RUN) as u64;
        let one = |run| {
            let (texts, rules) = make(run);
            self.run(cell, repeats::seed_of(SEED, run), texts, rules)
        };
        let all = repeats::map(runs, repeats::all_cores(), one).into_iter().fold(Counts::default(), Counts::add);
        let each = |count: u64| count as f64 / all.right.max(1) as f64;
        let shown = |value: Option<f64>| value.map(|value| format!("{value:.1}")).unwrap_or_default();
        println!(
            "{:>5} {:>5} {:>6} {:>4} | {:>8.2} {:>7.2} {:>7.2} {:>8.2} | {:>5} {:>5} {:>5} {:>6} {:>9} {:>7} | {:>7.2} {:>7} {:>6.1} | {:>7} {:>5}",
            cell.loss,
            cell.burst,
            cell.characters,
            cell.components,
            all.rounds_of_first as f64 / all.firsts.max(1) as f64,
            each(all.excerpts),
            each(all.excerpts + all.wholes),
            each(all.controls),
            all.right,
            all.wrong,
            all.uncertified,
            all.missed,
            all.undecided,
            all.not_searched,
            all.hours,
            all.unfinished,
            began.elapsed().as_secs_f64(),
            shown(cell.reference[0]),
            shown(cell.reference[1]),
        );
        let purposes: Vec<String> =
            all.purposes.iter().map(|(purpose, count)| format!("{purpose} {:.2}", *count as f64 / all.texts as f64)).collect();
        println!("      a text: {}", purposes.join(", "));
    }

    fn run(&self, cell: &Cell, seed: u64, texts: Vec<String>, planted: Vec<Rule>) -> Counts {
        let network = Network {
            loss: cell.loss,
            burst_length: cell.burst,
            delay_median: Duration::from_millis(20),
            delay_p99: Duration::from_millis(200),
            ..Network::default()
        };
        let known = self.lists.earlier.clone();
        let (study, policy) = Searched { seed, texts, rules: planted, known, network }.make();
        let study = Arc::new(study);
        let mut ended = virtual_time::start_of(seed);
        let engine = virtual_time::run(&study, &policy, &[], &mut |at, _| ended = at);
        let evidence = engine.evidence();
        let triggers = Triggers::new(&study, &policy);
        let mut counts = Counts {
            texts: study.items_of(Role::Candidate).count() as u64,
            unfinished: u64::from(engine.stopped() != Some(StopReason::Finished)),
            hours: (ended - virtual_time::start_of(seed)).as_secs_f64() / 3600.0,
            ..Counts::default()
        };
        for record in evidence.probes() {
            match (record.probe.role, &record.probe.excerpt) {
                (Role::Control, _) => counts.controls += 1,
                (_, Some(_)) => {
                    counts.excerpts += 1;
                    *counts.purposes.entry(record.probe.purpose).or_default() += 1;
                }
                (_, None) => counts.wholes += 1,
            }
        }
        let records = rules::derive(evidence, &verdicts::tallies(evidence));
        counts.not_searched = counts.texts - (records.len() as u64).min(counts.texts);
        for record in &records {
            counts.undecided += u64::from(record.window.is_some());
            let mut truth = triggers.held_by(record.arm, record.recipient, &record.text);
            let mut sure = 0;
            for rule in &record.rules {
                let components: Vec<&str> = rule.components.iter().map(|range| &record.text[range.clone()]).collect();
                if !rule.certified {
                    counts.uncertified += 1;
                } else if triggers.is_minimal(record.arm, record.recipient, &components) {
                    counts.right += 1;
                    sure += 1;
                } else {
                    counts.wrong += 1;
                    println!(
                        "wrong, seed {seed}: {components:?} ({}/{} alone); the text holds {truth:?}",
                        rule.blocked_alone, rule.alone
                    );
                }
                truth.remove(&components.into_iter().map(str::to_owned).collect());
            }
            if let ([rule], 1) = (record.rules.as_slice(), sure) {
                counts.firsts += 1;
                counts.rounds_of_first += u64::from(rule.rounds);
            }
            counts.missed += truth.len() as u64;
        }
        counts
    }
}
