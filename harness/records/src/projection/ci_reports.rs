//! What a run found, for CI services: JUnit XML and the summary of a step. They are no derived files of the run, since they say how the
//! command ended, which the journal does not know of a command that failed.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use lacuna_inference::conclusion::conclude;
use lacuna_inference::evidence::Evidence;
use lacuna_report::{Ending, junit, step_summary};

use super::analyze::AnalyzeError;
use super::derive::is_event;
use super::registration::Conduct;
use super::report_page::with_run;
use crate::journal::{JournalError, Reader};
use crate::run_folder::JOURNAL;

/// The names of JUnit files beside runs begin with this.
pub const JUNIT_PREFIX: &str = "junit-";

/// What CI services are given.
pub struct CiReports {
    /// JUnit XML.
    pub junit: String,
    /// Markdown.
    pub step_summary: String,
}

/// Tells of the run in `run`, from its journal alone, be it sealed or not, and of how the command `ending` ended. The summary has at most
/// `budget` bytes.
pub fn ci_reports(run: &Path, ending: Ending<'_>, budget: usize) -> Result<CiReports, AnalyzeError> {
    let journal = run.join(JOURNAL);
    let file = File::open(&journal).map_err(|source| JournalError::Io { file: journal.clone(), source })?;
    let mut reader = Reader::new(&journal, BufReader::with_capacity(1 << 16, file))?;
    let header = reader.header().clone();
    let mut evidence = Evidence::new(Arc::clone(&header.study));
    let mut conduct = Conduct::default();
    let mut events = Vec::new();
    let mut changes = Vec::new();
    for line in &mut reader {
        let (sequence, at, entry) = line?;
        conduct.take(&entry);
        evidence.apply(sequence, at, &entry, &mut changes);
        changes.clear();
        if is_event(&entry) {
            events.push((at, entry));
        }
    }
    let (seal, last_hash) = (reader.seal().copied(), reader.last_hash());
    let conclusion = conclude(&evidence);
    let registration = conduct.registration(&header, &evidence, &conclusion.verdicts);
    Ok(with_run(&header, seal.as_ref(), &last_hash, registration.as_ref(), &events, |run| CiReports {
        junit: junit::of_run(run, &evidence, &conclusion, ending),
        step_summary: step_summary::of_run(run, &evidence, &conclusion, ending, budget),
    }))
}
