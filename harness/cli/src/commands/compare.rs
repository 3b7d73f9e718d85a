//! `lacuna compare`.

use std::path::{Path, PathBuf};

use clap::Args;
use lacuna_inference::comparison::ChangeRecord;
use lacuna_model::ChangeKind;
use lacuna_records::comparison::{COMPARISON_FOLDER_PREFIX, ComparedRun, Comparison, read};
use lacuna_report::change_summary;

use crate::arguments::OutputFormat;
use crate::ci::{append_step_summary, room};
use crate::comparison::Told;
use crate::exit::{Exit, Failure};
use crate::output::cannot_write;
use crate::visible::visible;

/// Which runs.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna compare results/quickstart/20161130T080000Z-0a1b2c3d \\\n    results/quickstart/20161207T080000Z-4e5f6a7b\n\n\
                  Two verdicts that differ are a change only where the sends of both runs say so: each change has an e-value, and of all that \
                  is called one, the share that is none is expected to stay below the newest run's false-discovery-rate. Where two runs \
                  differ in more than time (engine, adapter, clients, arm, content, loss of controls) nothing is compared, and the reason is \
                  told. changes.csv has a row for every item, arm, recipient and newer run; lifetimes.csv the half-lives."
)]
pub struct Arguments {
    /// The folders of two runs or more. They are put in the order of time
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Exit with 5 if anything became blocked, unblocked or changed in kind
    #[arg(long)]
    fail_on_change: bool,
    /// Where changes.csv and lifetimes.csv go. Default: the folder `compare-` and the newest run's id, beside that run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// For CI services: append the table of changes in Markdown to the file that the variable `GITHUB_STEP_SUMMARY` names, if it is set
    #[arg(long)]
    ci: bool,
}

/// Compares runs.
pub fn run(arguments: Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { runs: folders, fail_on_change, out, ci } = arguments;
    let runs: Vec<ComparedRun> = folders.iter().map(|run| read(run)).collect::<Result<_, _>>().map_err(Failure::input)?;
    let names: std::collections::BTreeSet<&str> = runs.iter().map(|run| run.experiment.as_str()).collect();
    if names.len() > 1 {
        let names: Vec<String> = names.into_iter().map(visible).collect();
        return Err(Failure::input(format!(
            "these are runs of different experiments: {} (compare runs of one)",
            names.join(", ")
        )));
    }
    let newest = folders.iter().zip(&runs).max_by_key(|(_, run)| (run.snapshot.opened_at, run.snapshot.run.clone()));
    let Some((newest, last)) = newest else { return Err(Failure::input("name two runs at least")) };
    let folder = out.unwrap_or_else(|| beside(newest, last.snapshot.run.as_str()));
    let unfinished: Vec<String> = runs.iter().filter(|run| !run.is_sealed).map(|run| run.snapshot.run.to_string()).collect();
    let comparison = Comparison::of(runs.into_iter().map(|run| run.snapshot).collect()).map_err(Failure::input)?;
    comparison.write(&folder).map_err(|error| cannot_write(&folder, &error))?;
    Told { comparison: &comparison, folder: &folder, unfinished: &unfinished }.print(output)?;
    if ci {
        let Comparison { runs, changes, false_discovery_rate, .. } = &comparison;
        let changed = |it: &ChangeRecord| it.is_claimed(*false_discovery_rate);
        append_step_summary(&change_summary::of_comparison(runs, changes, changed, room()))?;
    }
    let comparable =
        comparison.changes.iter().any(|it| !matches!(it.change, ChangeKind::NotComparable | ChangeKind::Undetermined));
    Ok(match comparison.claimed().next().is_some() {
        true if fail_on_change => Exit::Changed,
        false if !comparable => Exit::Inconclusive,
        _ => Exit::Done,
    })
}

/// A folder beside a run's, not in it: what stands in a run's folder follows from its journal alone.
fn beside(run: &Path, id: &str) -> PathBuf {
    let here = std::path::absolute(run).unwrap_or_else(|_| run.to_owned());
    let name = format!("{COMPARISON_FOLDER_PREFIX}{id}");
    // As short as it was given, where it can be.
    match run.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.join(name),
        _ => here.parent().map_or_else(|| PathBuf::from(&name), |parent| parent.join(&name)),
    }
}
