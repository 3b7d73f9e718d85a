//! What `design = "exposure"` claims, through the whole engine in virtual time, from a fixed seed.
//!
//!     cargo bench -p lacuna-runner --bench exposure [-- --without=3000] [--with=500] [--loss=0.01]
//!
//! Each run has a platform of its own, which learns a hash after 5 seconds to 20 minutes (uniform in the logarithm). Messages are all that
//! were sent, controls included.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark ends loudly")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use lacuna_inference::exposure::{self, Surveillance};
use lacuna_inference::verdicts;
use lacuna_model::policy::{FileHandling, Network};
use lacuna_model::{Duration, StopReason};
use lacuna_runner::generated::ExposedFiles;
use lacuna_runner::virtual_time;

const SEED: u64 = 20_261_122;

fn argument(name: &str, default: f64) -> f64 {
    let given = std::env::args().find_map(|argument| argument.strip_prefix(&format!("--{name}=")).map(str::to_owned));
    given.map_or(default, |given| given.parse().unwrap())
}

#[expect(clippy::cast_possible_truncation, reason = "far from the limits")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

#[derive(Default)]
struct Counts {
    runs: u64,
    claims: BTreeMap<String, u64>,
    within: u64,
    messages: u64,
    pairs: u64,
    width: f64,
}

fn run(counts: &mut Counts, number: u64, surveilled: bool, handling: FileHandling, loss: f64) {
    // The golden ratio spreads the runs evenly.
    let share = (number as f64 * 0.618_033_988_749_895).fract();
    let seconds = 5.0 * (1200.0_f64 / 5.0).powf(share);
    let learns_after = Duration(whole(seconds * 1e6));
    let network =
        Network { loss, delay_median: Duration::from_millis(20), delay_p99: Duration::from_millis(200), ..Network::default() };
    let delays = [15, 30, 60, 120, 240, 480, 900, 1800].map(Duration::from_secs).to_vec();
    let files = ExposedFiles { seed: SEED + number, pairs: 40, surveilled, learns_after, handling, delays, network };
    let (study, policy) = files.make();
    let study = Arc::new(study);
    let engine = virtual_time::run(&study, &policy, &[], &mut |_, _| {});
    assert_eq!(engine.stopped(), Some(StopReason::Finished));
    let (record, trials) = exposure::derive(engine.evidence(), &verdicts::tallies(engine.evidence())).unwrap();
    counts.runs += 1;
    let reason = if let Surveillance::Inconclusive(reason) = record.claim { format!(" ({reason})") } else { String::new() };
    *counts.claims.entry(format!("{}{reason}", record.claim.as_str())).or_default() += 1;
    counts.messages += engine.evidence().probes().len() as u64;
    counts.pairs += trials.iter().filter(|trial| trial.kind == exposure::TrialKind::Exposed).count() as u64;
    if let Some((above, at_most)) = record.learning {
        counts.within += u64::from(above < learns_after && at_most.is_none_or(|at_most| learns_after <= at_most));
        counts.width += at_most.map_or(0.0, |at_most| at_most.as_secs_f64() / above.as_secs_f64().max(1.0));
    }
}

fn main() {
    let loss = argument("loss", 0.01);
    let nothing = FileHandling::default();
    let handlings = [
        ("not surveilled", false, nothing, argument("without", 3_000.0)),
        ("surveilled", true, nothing, argument("with", 500.0)),
        ("surveilled, files encoded anew", true, FileHandling { reencode: true, ..nothing }, argument("others", 200.0)),
        ("not surveilled, one file for an MD5", false, FileHandling { deduplicate: true, ..nothing }, argument("others", 200.0)),
    ];
    println!("| platform | runs | claimed | learning time in its interval | messages | pairs | CPU ms |");
    println!("|---|---|---|---|---|---|---|");
    for (name, surveilled, handling, runs) in handlings {
        let mut counts = Counts::default();
        let begun = Instant::now();
        for number in 0..u64::try_from(whole(runs)).unwrap() {
            run(&mut counts, number, surveilled, handling, loss);
        }
        let each = |total: u64| total as f64 / counts.runs as f64;
        let claims: Vec<String> = counts.claims.iter().map(|(claim, count)| format!("{count} {claim}")).collect();
        let found = counts.claims.get("surveilled").copied().unwrap_or_default();
        println!(
            "| {name} | {} | {} | {} of {found} | {:.1} | {:.1} | {:.1} |",
            counts.runs,
            claims.join(", "),
            counts.within,
            each(counts.messages),
            each(counts.pairs),
            begun.elapsed().as_secs_f64() * 1e3 / counts.runs as f64
        );
    }
}
