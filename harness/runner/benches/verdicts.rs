//! What verdicts cost and how right they are, in generated studies; and what deciding costs for a million items.
//!
//! `cargo bench -p lacuna-runner --bench verdicts` prints two tables. The figures of the first follow from the seed alone, but for
//! the last column; those of the second are this machine's. Arguments behind `--`: `cells` or `size` for one of the tables,
//! `--items N` and `--repeats N` for other cells than those of the documentation.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends loudly")]

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use lacuna_design::Engine;
use lacuna_inference::verdicts;
use lacuna_model::{Entry, EntrySequence, Fact, Pooling, Role, StopReason, Study, Timestamp};
use lacuna_runner::assessment::{Estimate, MEASURES};
use lacuna_runner::evaluation::Evaluation;
use lacuna_runner::generated::Generated;
use lacuna_runner::{repeats, virtual_time};

const SEED: u64 = 20_161_130;

/// Candidates of each study.
const ITEMS: u32 = 20_000;

/// Studies of each cell.
const REPEATS: u64 = 30;

/// One cell of the first table.
struct Cell {
    name: &'static str,
    loss: f64,
    burst_length: f64,
    prevalence: f64,
    pooling: Pooling,
    /// At most so many candidate messages an item.
    target: f64,
    /// No method can do with fewer in expectation: H(π) over the capacity of the channel that a single send is.
    bound: Option<f64>,
}

const CELLS: [Cell; 7] = [
    Cell {
        name: "no loss",
        loss: 0.0,
        burst_length: 1.0,
        prevalence: 0.01,
        pooling: Pooling::Auto,
        target: 0.11,
        bound: Some(0.081),
    },
    Cell {
        name: "1 %",
        loss: 0.01,
        burst_length: 1.0,
        prevalence: 0.01,
        pooling: Pooling::Auto,
        target: 0.11,
        bound: Some(0.084),
    },
    Cell {
        name: "5 %",
        loss: 0.05,
        burst_length: 1.0,
        prevalence: 0.01,
        pooling: Pooling::Auto,
        target: 0.16,
        bound: Some(0.094),
    },
    Cell {
        name: "1 %",
        loss: 0.01,
        burst_length: 1.0,
        prevalence: 0.1,
        pooling: Pooling::Auto,
        target: 0.66,
        bound: Some(0.489),
    },
    Cell {
        name: "5 % in bursts of 10",
        loss: 0.05,
        burst_length: 10.0,
        prevalence: 0.01,
        pooling: Pooling::Auto,
        target: 0.25,
        bound: None,
    },
    Cell {
        name: "1 %, unpooled",
        loss: 0.01,
        burst_length: 1.0,
        prevalence: 0.01,
        pooling: Pooling::Off,
        target: 1.05,
        bound: None,
    },
    Cell {
        name: "5 % in bursts of 10, unpooled",
        loss: 0.05,
        burst_length: 10.0,
        prevalence: 0.01,
        pooling: Pooling::Off,
        target: 1.15,
        bound: None,
    },
];

/// Candidates, and whether they are pooled, of each line of the second table.
const SIZES: [(u32, Pooling); 6] = [
    (250_000, Pooling::Auto),
    (500_000, Pooling::Auto),
    (1_000_000, Pooling::Auto),
    (250_000, Pooling::Off),
    (500_000, Pooling::Off),
    (1_000_000, Pooling::Off),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| arguments.iter().position(|it| it == flag).and_then(|place| arguments.get(place + 1));
    let number = |flag: &str| after(flag).map(|it| it.parse::<u64>().expect("a number"));
    let asked = |table: &str| arguments.iter().any(|it| it == table);
    if let Some(place) = number("--memory") {
        memory(place);
        return;
    }
    if let Some(place) = number("--time") {
        time(place);
        return;
    }
    if asked("cells") || !asked("size") {
        let items = number("--items").map_or(ITEMS, |items| u32::try_from(items).expect("a number of items"));
        cells(items, number("--repeats").unwrap_or(REPEATS), number("--cell"));
    }
    if asked("size") || !asked("cells") {
        size();
    }
}

fn cells(items: u32, repeats: u64, only: Option<u64>) {
    println!("{repeats} studies of {items} items in each cell, seed {SEED}");
    println!(
        "| loss | blocked | candidate messages an item | target | bound | controls a candidate message | spikes an item | calibration an item | audits an item | certificates an item | false discoveries (95 %) | power (95 %) | inconclusive | s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (_, cell) in (0u64..).zip(&CELLS).filter(|(place, _)| only.is_none_or(|only| only == *place)) {
        let began = Instant::now();
        let mut generated = Generated { prevalence: cell.prevalence, pooling: cell.pooling, ..Generated::new(SEED, items) };
        generated.network.loss = cell.loss;
        generated.network.burst_length = cell.burst_length;
        let (study, policy) = generated.make();
        let evaluation = Evaluation::of(study, &policy, repeats, repeats::all_cores(), || ());
        let estimate = |name: &str| {
            let measure = MEASURES.iter().find(|measure| measure.name == name).expect("a measure");
            evaluation.estimate(measure, None)
        };
        let mean = |name: &str| estimate(name).mean.unwrap_or(f64::NAN);
        println!(
            "| {} | {:.0} % | {:.4} ± {:.4} | {} | {} | {:.3} | {:.4} | {:.4} | {:.4} | {:.4} | {} | {} | {:.2} % | {:.1} |",
            cell.name,
            cell.prevalence * 100.0,
            mean("candidate_messages_per_item"),
            estimate("candidate_messages_per_item").standard_error.unwrap_or(0.0),
            cell.target,
            cell.bound.map_or_else(|| "–".to_owned(), |bound| bound.to_string()),
            mean("controls_per_candidate_message"),
            mean("spikes_per_item"),
            mean("calibration_per_item"),
            mean("audits_per_item"),
            mean("certificates_per_item"),
            share(&estimate("false_discovery_rate")),
            share(&estimate("power")),
            mean("inconclusive") * 100.0,
            began.elapsed().as_secs_f64(),
        );
        let unfinished = evaluation.runs.iter().filter(|run| run.stopped != Some(StopReason::Finished));
        for run in unfinished {
            println!("  the run with seed {} ended: {:?}", run.seed, run.stopped);
        }
    }
}

/// The counts and their share in per cent, with its interval.
fn share(estimate: &Estimate) -> String {
    let percent = |value: f64| value * 100.0;
    let (low, high) = estimate.interval.unwrap_or((f64::NAN, f64::NAN));
    let mean = estimate.mean.unwrap_or(f64::NAN);
    format!("{} of {}: {:.2} % ({:.2} to {:.2})", estimate.count, estimate.of, percent(mean), percent(low), percent(high))
}

fn size() {
    println!();
    println!("One study, 1 % blocked, 1 % loss, seed {SEED}. Each line is two processes: one measures time, one memory.");
    println!(
        "| items | pooled | messages | engine µs an item | verdicts µs an item | both µs an item | peak MB | bytes an item |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let me = std::env::current_exe().expect("a path");
    let part = |flag: &str, place: usize| {
        let output = Command::new(&me).args([flag, &place.to_string()]).output().expect("a process");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    for (place, (items, pooling)) in SIZES.iter().enumerate() {
        let pooled = if *pooling == Pooling::Auto { "yes" } else { "no" };
        println!("| {items} | {pooled} | {} | {} |", part("--time", place), part("--memory", place));
    }
}

fn sized(place: u64) -> (Arc<Study>, lacuna_model::policy::Policy, f64) {
    let (items, pooling) = SIZES[usize::try_from(place).expect("a place")];
    let mut generated = Generated { pooling, ..Generated::new(SEED, items) };
    generated.network.loss = 0.01;
    let (study, policy) = generated.make();
    (Arc::new(study), policy, f64::from(items))
}

/// The peak of a run and its verdicts, simulator included, and what is above the study that was read.
fn memory(place: u64) {
    let (study, policy, items) = sized(place);
    let before = status("VmRSS");
    let engine = virtual_time::run(&study, &policy, &[], &mut |_, _| {});
    let records = verdicts::derive(engine.evidence());
    assert_eq!(records.len(), study.items_of(Role::Candidate).count());
    let peak = status("VmHWM");
    println!("{:.0} | {:.0}", peak / 1024.0, (peak - before) * 1024.0 / items);
}

/// Facts that wait for the second engine.
const CHUNK: usize = 100_000;

/// What the decisions cost: the facts of the run are given, in portions, to a second engine, whose processor time is taken. So
/// neither simulator nor driver is in it.
fn time(place: u64) {
    let (study, policy, items) = sized(place);
    let mut engine = Engine::new(Arc::clone(&study));
    let mut waiting: Vec<(EntrySequence, Timestamp, Fact)> = Vec::with_capacity(CHUNK);
    let (mut sequence, mut spent) = (0, 0.0);
    let mut commands = Vec::new();
    let mut decide = |waiting: &mut Vec<(EntrySequence, Timestamp, Fact)>| {
        let began = cpu_seconds();
        for (sequence, at, fact) in waiting.iter() {
            engine.handle(*sequence, *at, fact, &mut commands);
            commands.clear();
        }
        spent += cpu_seconds() - began;
        waiting.clear();
    };
    let first = virtual_time::run(&study, &policy, &[], &mut |at, entry| {
        if let Entry::Fact(fact) = entry {
            waiting.push((EntrySequence(sequence), at, fact.clone()));
            if waiting.len() == CHUNK {
                decide(&mut waiting);
            }
        }
        sequence += 1;
    });
    decide(&mut waiting);
    let (messages, expected) = (engine.progress().sent, first.progress().sent);
    assert_eq!(messages, expected, "both engines decide the same");
    drop(first);
    let began = cpu_seconds();
    let records = verdicts::derive(engine.evidence());
    let derived = cpu_seconds() - began;
    assert_eq!(records.len(), study.items_of(Role::Candidate).count());
    let micro = |seconds: f64| seconds * 1e6 / items;
    println!("{messages} | {:.1} | {:.1} | {:.1}", micro(spent), micro(derived), micro(spent + derived));
}

/// A line of `/proc/self/status`, in kB.
fn status(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|it| it.parse().ok()).unwrap_or(0.0)
}

/// The processor time of this thread, in seconds: the first field of its `schedstat`, in nanoseconds.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
