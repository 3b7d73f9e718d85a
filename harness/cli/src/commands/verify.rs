//! `lacuna verify`.

use std::path::PathBuf;

use clap::Args;
use lacuna_records::verify::{Finding, verify};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// Which run.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna verify results/quickstart/20161130T080000Z-0a1b2c3d\n\n\
                  The exit code is 2 if anything was found: then the folder is not what its journal says.")]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
}

/// Checks a run's folder.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    if !arguments.run.is_dir() {
        return Err(Failure::input(format!("{}: is no folder", arguments.run.display())));
    }
    let report = verify(&arguments.run);
    match output {
        OutputFormat::Human => {
            let finding = |it: &Finding| format!("{}: {}", visible(&it.file), visible(&it.problem));
            let mut lines: Vec<String> = report.findings.iter().map(finding).collect();
            lines.extend(report.notes.iter().map(|note| format!("note: {}", visible(note))));
            let checked = report.checked.len();
            lines.push(match report.findings.len() {
                0 => format!("{checked} files checked: all is as the journal says"),
                1 => format!("{checked} files checked, 1 finding"),
                count => format!("{checked} files checked, {count} findings"),
            });
            print_lines(&lines)?;
        }
        OutputFormat::Json => {
            let clean = report.is_clean();
            print_json(
                &json!({ "clean": clean, "checked": report.checked, "findings": report.findings, "notes": report.notes }),
            )?;
        }
    }
    Ok(if report.is_clean() { Exit::Done } else { Exit::Input })
}
