//! `lacuna compare`.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use lacuna_inference::comparison::ChangeRecord;
use lacuna_model::{ChangeKind, ChangeReason};
use lacuna_records::comparison::{COMPARISON_FOLDER_PREFIX, ComparedRun, Comparison, read};
use lacuna_records::run_folder::JOURNAL;
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
    /// Exit with 5 if anything became blocked, unblocked or changed in kind up to the newest run
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
    if is_inside_a_run(&folder) {
        return Err(Failure::input(format!(
            "{}: is inside a run's folder, where it would be no part of the run (name another --out)",
            folder.display()
        )));
    }
    let unfinished: Vec<String> = runs.iter().filter(|run| !run.is_sealed).map(|run| run.snapshot.run.to_string()).collect();
    let comparison = Comparison::of(runs.into_iter().map(|run| run.snapshot).collect()).map_err(Failure::input)?;
    comparison.write(&folder).map_err(|error| cannot_write(&folder, &error))?;
    Told { comparison: &comparison, folder: &folder, unfinished: &unfinished }.print(output)?;
    if ci {
        let Comparison { runs, changes, false_discovery_rate, .. } = &comparison;
        let changed = |it: &ChangeRecord| it.is_claimed(*false_discovery_rate);
        // The comparison stands; that its summary does not is no reason to end otherwise.
        if let Err(failure) = append_step_summary(&change_summary::of_comparison(runs, changes, changed, &unfinished, room())) {
            let _ = failure.tell();
        }
    }
    // What changed before the newest run was told when it did.
    let newest = comparison.runs.len().saturating_sub(1);
    let says = |it: &ChangeRecord| {
        it.change != ChangeKind::NotComparable
            && (it.change != ChangeKind::Undetermined || it.reason == Some(ChangeReason::NotDue))
    };
    let is_comparable = comparison.changes.iter().filter(|it| it.new == newest).any(says);
    Ok(match comparison.claimed().any(|it| it.new == newest) {
        true if fail_on_change => Exit::Changed,
        false if !is_comparable => Exit::Inconclusive,
        _ => Exit::Done,
    })
}

/// Whether a path leads into a folder that holds a journal.
fn is_inside_a_run(path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|it| it.canonicalize().ok());
    there.is_some_and(|it| it.ancestors().any(|folder| folder.join(JOURNAL).is_file()))
}

/// A folder beside a run's, not in it: what stands in a run's folder follows from its journal alone.
fn beside(run: &Path, id: &str) -> PathBuf {
    let name = format!("{COMPARISON_FOLDER_PREFIX}{id}");
    // As short as it was given, where it can be: the name of a link, or of a way round, is not that of the folder.
    let is_plain = run.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir | Component::CurDir));
    match run.parent() {
        Some(parent) if is_plain && !run.is_symlink() && !parent.as_os_str().is_empty() => parent.join(name),
        _ => run.canonicalize().ok().and_then(|run| Some(run.parent()?.join(&name))).unwrap_or_else(|| PathBuf::from(&name)),
    }
}
