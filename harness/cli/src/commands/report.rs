//! `lacuna report`.

use std::path::PathBuf;

use clap::Args;
use lacuna_records::projection::{AnalyzeOptions, REPORT, analyze};
use lacuna_records::run_folder::{JOURNAL, RunFolderError};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// Which run.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna report results/quickstart/20161130T080000Z-0a1b2c3d\n\n\
                  The report is one of the files that follow from the journal: all of them are derived anew. `lacuna run` has \
                  written it already; this is for runs of an older Lacuna and for reports that were changed.")]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
}

/// Derives the files of a run, and names the report.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    if !arguments.run.join(JOURNAL).is_file() {
        return Err(Failure::input(RunFolderError::NotARun(arguments.run.clone())));
    }
    let analysis = analyze(&arguments.run, AnalyzeOptions::default()).map_err(Failure::input)?;
    let report = analysis.folder.join(REPORT).display().to_string();
    match output {
        OutputFormat::Human => print_lines(&[visible(&report)])?,
        OutputFormat::Json => print_json(&json!({ "report": report, "changed": analysis.changed }))?,
    }
    Ok(Exit::Done)
}
