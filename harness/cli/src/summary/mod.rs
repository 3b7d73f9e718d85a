//! What a run found, on stdout.

mod files;
mod human;
mod json;
mod texts;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_inference::conclusion::FileClaims;
use lacuna_inference::rules::TextRecord;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{AccountIx, ArmIx, ItemIx, Role, Study, Verdict};
use lacuna_records::projection::{Analysis, Registration};
use lacuna_runner::run::{RunEnd, RunSummary};

use crate::arguments::OutputFormat;
use crate::exit::Failure;
use crate::output::{print, print_json};
use crate::table::width;

/// What is told of a run.
pub struct Summary {
    run_id: String,
    folder: PathBuf,
    study: Arc<Study>,
    /// How it ended; `None` for a run that did not come to an end yet.
    end: Option<&'static str>,
    exit_code: Option<u8>,
    /// Why nothing more was sent; `None` where only the folder is known.
    stop_reason: Option<&'static str>,
    candidates_sent: u64,
    controls_sent: u64,
    /// How long the run took, in seconds; of a run that was resumed, its last part.
    took: Option<f64>,
    matrix: Vec<Line>,
    findings: Vec<Finding>,
    /// What in texts is blocked.
    texts: Vec<TextRecord>,
    /// By what files are filtered.
    claims: FileClaims,
    /// The lock that the run was checked against, and where it departs from it.
    registration: Option<Registration>,
}

/// Verdicts of one arm for one recipient.
struct Line {
    arm: ArmIx,
    recipient: AccountIx,
    /// In the order of [`Verdict::ALL`].
    counts: [u64; Verdict::ALL.len()],
    /// Lost controls among those that count.
    control_loss: Option<f64>,
}

/// One item that does not simply arrive.
struct Finding {
    item: ItemIx,
    arm: ArmIx,
    recipient: AccountIx,
    verdict: Verdict,
}

impl Summary {
    /// Of a run that has just ended.
    pub fn of_run(run: &RunSummary) -> Self {
        let (matrix, findings) = tables(&run.study, &run.verdicts);
        Self {
            run_id: run.run_id.to_string(),
            folder: run.folder.clone(),
            study: Arc::clone(&run.study),
            end: Some(name_of(run.end)),
            exit_code: Some(run.end.exit_code()),
            stop_reason: Some(run.reason.as_str()),
            candidates_sent: run.progress.sent.saturating_sub(run.progress.controls),
            controls_sent: run.progress.controls,
            took: Some(run.took.as_secs_f64()),
            matrix,
            findings,
            texts: run.texts.clone(),
            claims: run.claims.clone(),
            registration: run.registration.clone(),
        }
    }

    /// Of a run that was analyzed.
    pub fn of_analysis(analysis: &Analysis) -> Self {
        let study = &analysis.header.study;
        let (matrix, findings) = tables(study, &analysis.verdicts);
        let exit_code = analysis.seal.as_ref().map(|seal| seal.exit_code);
        let ends = [RunEnd::Done, RunEnd::Inconclusive, RunEnd::Safety, RunEnd::Interrupted];
        let end = ends.into_iter().find(|end| Some(end.exit_code()) == exit_code);
        let sent = analysis.evidence.probes().iter().filter(|record| record.started_at.is_some());
        let (controls, candidates) = sent.fold((0, 0), |(controls, candidates), record| match record.probe.role {
            Role::Control => (controls + 1, candidates),
            Role::Candidate | Role::Canary => (controls, candidates + 1),
        });
        Self {
            run_id: analysis.header.run_id.to_string(),
            folder: analysis.folder.clone(),
            study: Arc::clone(study),
            end: end.map(name_of),
            exit_code,
            stop_reason: None,
            candidates_sent: candidates,
            controls_sent: controls,
            took: None,
            matrix,
            findings,
            texts: analysis.texts.clone(),
            claims: analysis.claims.clone(),
            registration: analysis.registration.clone(),
        }
    }

    /// Prints it.
    pub fn print(&self, format: OutputFormat) -> Result<(), Failure> {
        match format {
            OutputFormat::Human => print(&human::text(self, width())),
            OutputFormat::Json => print_json(&json::object(self)),
        }
    }

    fn folder(&self) -> &Path {
        &self.folder
    }
}

/// One word for machines; people get more of them.
const fn name_of(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Done => "done",
        RunEnd::Inconclusive => "inconclusive",
        RunEnd::Safety => "safety",
        RunEnd::Interrupted => "interrupted",
    }
}

/// A line for each arm and recipient, in the order of the experiment, and the findings, in the order of the items.
fn tables(study: &Study, verdicts: &[VerdictRecord]) -> (Vec<Line>, Vec<Finding>) {
    let mut matrix: Vec<Line> = (0u16..)
        .map(ArmIx)
        .zip(&study.arms)
        .flat_map(|(arm, it)| it.recipients.iter().map(move |recipient| (arm, *recipient)))
        .map(|(arm, recipient)| Line { arm, recipient, counts: [0; Verdict::ALL.len()], control_loss: None })
        .collect();
    let mut findings = Vec::new();
    for record in verdicts {
        let unit = record.unit;
        if let Some(line) = matrix.iter_mut().find(|line| line.arm == unit.arm && line.recipient == unit.recipient) {
            if let Some(place) = Verdict::ALL.iter().position(|verdict| *verdict == record.verdict) {
                line.counts[place] += 1;
            }
            line.control_loss = record.control_loss_rate;
        }
        if !matches!(record.verdict, Verdict::Delivered | Verdict::Inconclusive) {
            findings.push(Finding { item: unit.item, arm: unit.arm, recipient: unit.recipient, verdict: record.verdict });
        }
    }
    (matrix, findings)
}
