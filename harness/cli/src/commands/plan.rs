//! `lacuna plan`.

use std::path::{Path, PathBuf};

use clap::Args;
use lacuna_design::ENGINE_VERSION;
use lacuna_model::Timestamp;
use lacuna_records::experiment::Experiment;
use lacuna_records::history;
use lacuna_records::lock::{self, Lock};
use lacuna_records::time_format::Day;
use lacuna_runner::allowance::sent_on;
use lacuna_runner::live::Clock;
use lacuna_runner::plan::{Plan, plan};
use serde_json::json;

use super::{load, results_of, verdicts_only};
use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};
use crate::plan_table;
use crate::table::width;
use crate::visible::visible;

/// What to plan.
#[derive(Args, Debug)]
#[command(
    after_help = "Nothing is sent: the engine of `lacuna run` runs the experiment in virtual time, on a simulated platform, \
whatever its adapter is.\n\nExample:\n  lacuna plan experiments/quickstart.toml --set decision.max-probes-per-item=16"
)]
pub struct Arguments {
    /// The experiment file (TOML)
    experiment: PathBuf,
    /// The folder of all results, for what the accounts have sent today and what earlier runs found. Default: as for `run`
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Write EXPERIMENT.lock beside the experiment: the hashes of all its files, its rules and this plan. From then on `run`
    /// refuses the experiment if anything changed, or lists what did
    #[arg(long, conflicts_with_all = ["seed", "set"])]
    lock: bool,
    /// The seed of every random choice, 0 to 2^63 - 1, in place of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Override a key of the experiment, to see what it would change; as for `run`. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Plans an experiment, and locks it if asked to.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let mut set = arguments.set.clone();
    set.extend(arguments.seed.map(|seed| format!("seed={seed}")));
    let path = &arguments.experiment;
    let mut experiment = load(path, &set)?;
    verdicts_only(path, &experiment.study, "plan")?;
    let results = arguments.results.clone().unwrap_or_else(|| results_of(path, None));
    for warning in history::apply(&results, &mut experiment.study).warnings {
        tracing::warn!("{warning}");
    }
    let now = Clock::start(Timestamp(0)).now();
    if let Some(predecessor) = experiment.predecessor.clone() {
        for warning in predecessor.apply(&mut experiment.study, now).warnings {
            tracing::warn!("{warning}");
        }
    }
    let sent_today = sent_on(&results, &experiment, Day::of(now)).map_err(Failure::input)?;
    let plan = plan(&experiment, &sent_today);
    let locked = if arguments.lock { Some(locked(path, &experiment, &plan, now)?) } else { None };
    match output {
        OutputFormat::Human => print(&plan_table::text(&plan, width()))?,
        OutputFormat::Json => {
            let mut object = serde_json::to_value(&plan).map_err(Failure::fault)?;
            object["lock"] =
                json!(locked.as_ref().map(|it| json!({ "path": it.path.display().to_string(), "sha256": it.sha256 })));
            print_json(&object)?;
        }
    }
    for warning in &plan.warnings {
        eprintln!("Warning: {}", visible(&warning.text));
    }
    if let Some(locked) = locked {
        eprintln!("{}", visible(&locked.told));
    }
    Ok(Exit::Done)
}

/// A lock that stands.
struct Locked {
    path: PathBuf,
    sha256: String,
    told: String,
}

/// Locks an experiment. A lock that still holds is left as it is: its date is what it is for.
fn locked(experiment_file: &Path, experiment: &Experiment, plan: &Plan, now: Timestamp) -> Result<Locked, Failure> {
    let path = lock::path_of(experiment_file);
    let shown = path.display().to_string();
    let before = Lock::read(&path).map_err(Failure::input)?;
    if let Some(stored) = &before
        && stored.lock.changes(experiment, &[], ENGINE_VERSION).is_empty()
    {
        let told = format!("{shown} was written on {} and still holds: it was left as it is", stored.lock.locked_at);
        return Ok(Locked { path, sha256: stored.input.sha256.clone(), told });
    }
    let expected = serde_json::to_value(plan).map_err(Failure::fault)?;
    let mut lock = Lock::new(experiment, ENGINE_VERSION, env!("CARGO_PKG_VERSION"), now, expected);
    let replaced = before.map(|stored| {
        lock.replaces = Some(stored.input.sha256);
        format!(" in place of the one of {}", stored.lock.locked_at)
    });
    lock.write(&path).map_err(Failure::input)?;
    let written = Lock::read(&path).map_err(Failure::input)?;
    let sha256 = written.map(|it| it.input.sha256).unwrap_or_default();
    let told = format!("Locked in {shown}{}: keep it with the experiment (sha256 {sha256})", replaced.unwrap_or_default());
    Ok(Locked { path, sha256, told })
}
