//! What verdicts cost and how right they are, in generated studies: the table of `cargo bench -p lacuna-runner --bench verdicts`
//! with fewer items, and its targets with room for the noise that comes with that.

use std::num::NonZero;

use lacuna_model::{Pooling, StopReason};
use lacuna_runner::assessment::{ArmAssessment, Assessment, Estimate, MEASURES};
use lacuna_runner::evaluation::Evaluation;
use lacuna_runner::generated::Generated;
use lacuna_runner::repeats;

const SEED: u64 = 20_161_130;

/// Candidates of each study.
const ITEMS: u32 = 2_000;

/// Studies of each cell.
const REPEATS: u64 = 5;

/// A line of the table: loss, burst length, share blocked, pooling, and the most candidate messages an item.
///
/// What is learned while a run goes on (the loss, the share blocked, the size of pools) weighs ten times as much here as in a study
/// of 20,000 items, so pooled cells are given a quarter more than there.
const CELLS: [(f64, f64, f64, Pooling, f64); 7] = [
    (0.0, 1.0, 0.01, Pooling::Auto, 0.11 * 1.25),
    (0.01, 1.0, 0.01, Pooling::Auto, 0.11 * 1.25),
    (0.05, 1.0, 0.01, Pooling::Auto, 0.16 * 1.25),
    (0.01, 1.0, 0.1, Pooling::Auto, 0.66 * 1.25),
    (0.05, 10.0, 0.01, Pooling::Auto, 0.25 * 1.25),
    (0.01, 1.0, 0.01, Pooling::Off, 1.05),
    (0.05, 10.0, 0.01, Pooling::Off, 1.15),
];

/// Controls for each message with candidates, at most, and so many more in each run, to bring its paths to life and to its end.
const CONTROLS: f64 = 0.15;
const CONTROLS_OF_A_RUN: f64 = 50.0;

fn evaluate(generated: &Generated, repeats: u64, threads: usize) -> Evaluation {
    let (study, policy) = generated.make();
    Evaluation::of(study, &policy, repeats, NonZero::new(threads).unwrap(), || ())
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let generated = Generated { pooling: Pooling::Auto, ..Generated::new(SEED, 200) };
    assert_eq!(evaluate(&generated, 5, 1).runs, evaluate(&generated, 5, 3).runs);
}

#[test]
fn verdicts_are_right_and_cheap() {
    let mut wrong = Vec::new();
    for (loss, burst_length, prevalence, pooling, most) in CELLS {
        let mut generated = Generated { prevalence, pooling, ..Generated::new(SEED, ITEMS) };
        generated.network.loss = loss;
        generated.network.burst_length = burst_length;
        let evaluation = evaluate(&generated, REPEATS, repeats::all_cores().get());
        let whole: Vec<ArmAssessment> = evaluation.runs.iter().map(Assessment::whole).collect();
        let estimate = |name: &str| -> Estimate {
            let measure = MEASURES.iter().find(|measure| measure.name == name).unwrap();
            measure.over(&whole)
        };
        let mean = |name: &str| estimate(name).mean.unwrap();
        let (messages, controls) = (mean("candidate_messages_per_item"), mean("controls_per_candidate_message"));
        let (power, discoveries) = (estimate("power"), estimate("false_discovery_rate"));
        let cell = format!(
            "loss {loss}, bursts {burst_length}, blocked {prevalence}, {pooling:?}: {messages:.4} messages an item, {controls:.3} \
             controls a message, {} of {} false, {} of {} found, {} inconclusive",
            discoveries.count,
            discoveries.of,
            power.count,
            power.of,
            estimate("inconclusive").count,
        );
        println!("{cell}");
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{cell}: {what}"));
            }
        };
        demand(messages <= most, "too many messages");
        let sent = estimate("controls_per_candidate_message");
        let allowed = CONTROLS * sent.of as f64 + CONTROLS_OF_A_RUN * REPEATS as f64;
        demand(sent.count as f64 <= allowed, "too many controls");
        // What is asked for must lie in the interval, or what is seen be better.
        demand(discoveries.interval.is_some_and(|(low, _)| low <= 0.01), "too many false discoveries");
        demand(power.interval.is_some_and(|(_, high)| high >= 0.99), "too little power");
        for run in &evaluation.runs {
            demand(
                run.stopped == Some(StopReason::Finished),
                &format!("the run with seed {} ended: {:?}", run.seed, run.stopped),
            );
        }
    }
    assert!(wrong.is_empty(), "seed {SEED}:\n{}", wrong.join("\n"));
}

#[test]
fn intervals_of_a_leaky_filter_hold_the_truth() {
    for enforcement in [0.5, 0.05] {
        let mut generated = Generated { enforcement, prevalence: 0.5, ..Generated::new(SEED, 100) };
        generated.network.loss = 0.01;
        let (mut study, policy) = generated.make();
        study.decision.replicates = Some(30);
        let evaluation = Evaluation::of(study, &policy, 10, repeats::all_cores(), || ());
        for name in ["drop_rate_coverage", "enforcement_coverage"] {
            let measure = MEASURES.iter().find(|measure| measure.name == name).unwrap();
            let coverage = evaluation.estimate(measure, None);
            println!("enforcement {enforcement}, {name}: {} of {}", coverage.count, coverage.of);
            assert_eq!(coverage.of, 1_000, "seed {SEED}, {name}");
            // The nominal 95 % may lie at the upper end of what is seen, never above.
            assert!(coverage.interval.is_some_and(|(_, high)| high >= 0.95), "seed {SEED}, {name}: {coverage:?}");
        }
    }
}
