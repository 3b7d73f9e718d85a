//! `lacuna analyze`.

use std::path::PathBuf;

use clap::Args;
use lacuna_records::projection::{AnalyzeOptions, analyze};
use lacuna_records::run_folder::{JOURNAL, RunFolderError};

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;
use crate::summary::Summary;

/// Which run.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna analyze results/quickstart/20161130T080000Z-0a1b2c3d --spreadsheet-safe")]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// Also write NAME.spreadsheet.csv beside each table, in which text that a spreadsheet would take for a formula is guarded
    #[arg(long)]
    spreadsheet_safe: bool,
}

/// Derives the files of a run.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    if !arguments.run.join(JOURNAL).is_file() {
        return Err(Failure::input(RunFolderError::NotARun(arguments.run.clone())));
    }
    let options = AnalyzeOptions { spreadsheet_safe: arguments.spreadsheet_safe };
    let analysis = analyze(&arguments.run, options).map_err(Failure::input)?;
    Summary::of_analysis(&analysis).print(output)?;
    for file in &analysis.changed {
        Screen::new().line(&format!("{file} was not what the journal says, and was written anew"));
    }
    Ok(Exit::Done)
}
