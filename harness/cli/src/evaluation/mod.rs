//! What an evaluation found, on stdout.

mod human;
mod json;

use std::path::Path;
use std::time::Duration;

use lacuna_runner::evaluation::Evaluation;

use crate::arguments::OutputFormat;
use crate::exit::Failure;
use crate::output::{print, print_json};

/// What is told of an evaluation.
pub struct Told<'a> {
    /// The runs.
    pub evaluation: &'a Evaluation,
    /// The name of the policy.
    pub policy: &'a str,
    /// How long it took on this machine.
    pub took: Duration,
    /// Where the rows are.
    pub rows: &'a Path,
    /// Where the summary is.
    pub summary: &'a Path,
}

impl Told<'_> {
    /// Prints it.
    pub fn print(&self, format: OutputFormat) -> Result<(), Failure> {
        match format {
            OutputFormat::Human => print(&human::text(self)),
            OutputFormat::Json => print_json(&json::object(self)),
        }
    }
}
