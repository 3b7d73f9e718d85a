//! `lacuna export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lacuna_records::export::{ExportError, Exported, Form, export};
use lacuna_records::run_folder::{JOURNAL, RunFolderError};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// What to write.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna export results/quickstart/20161130T080000Z-0a1b2c3d --to ooni --out quickstart.jsonl\n\n\
                  The run is verified first: an export never says what its CSV files do not say. docs/src/exports.md tells what each form \
                  means, and what is lost in it."
)]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// The form
    #[arg(long, value_enum, value_name = "FORM")]
    to: Target,
    /// Where it goes, outside the run's folder: a new file for ooni and citizenlab, a new folder for the others
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

/// The forms, as the command line names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Target {
    /// A Parquet file for each table
    #[cfg(feature = "parquet")]
    Parquet,
    /// JSON Lines in the shape of OONI's base data format
    Ooni,
    /// CSV in the columns of Citizen Lab's keyword lists
    #[value(name = "citizenlab")]
    CitizenLab,
    /// A copy of the run with ro-crate-metadata.json (RO-Crate 1.2)
    RoCrate,
}

impl From<Target> for Form {
    fn from(target: Target) -> Self {
        match target {
            #[cfg(feature = "parquet")]
            Target::Parquet => Self::Parquet,
            Target::Ooni => Self::Ooni,
            Target::CitizenLab => Self::CitizenLab,
            Target::RoCrate => Self::RoCrate,
        }
    }
}

/// Exports a run.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { run, to, out } = arguments;
    if !run.join(JOURNAL).is_file() {
        return Err(Failure::input(RunFolderError::NotARun(run.clone())));
    }
    let Exported { files, count, notes } = export(run, (*to).into(), out).map_err(failure)?;
    let place = out.display().to_string();
    match output {
        OutputFormat::Human => {
            let what = match to {
                Target::Ooni => "measurements",
                Target::CitizenLab => "rows",
                #[cfg(feature = "parquet")]
                Target::Parquet => "files",
                Target::RoCrate => "files",
            };
            let mut lines = vec![format!("{}: {count} {what}", visible(&place))];
            lines.extend(notes.iter().map(|note| format!("note: {}", visible(note))));
            print_lines(&lines)?;
        }
        OutputFormat::Json => print_json(&json!({ "out": place, "count": count, "files": files, "notes": notes }))?,
    }
    Ok(Exit::Done)
}

fn failure(error: ExportError) -> Failure {
    match error {
        // What cannot be written is the machine's fault; all else is what was asked for.
        ExportError::Io { .. } => Failure::fault(error),
        ExportError::Damaged { .. } | ExportError::Journal(_) | ExportError::Exists(_) | ExportError::Inside(_) => {
            Failure::input(error)
        }
    }
}
