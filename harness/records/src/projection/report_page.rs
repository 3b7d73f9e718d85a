//! `report.html` and `figures/`: what the report's room writes of a run, put into files.

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;
use lacuna_model::{Entry, Timestamp};
use lacuna_report::pictures::Pictures;
use lacuna_report::{Deviation, Input, Report, Run, report};

use super::PROJECTION_VERSION;
use super::registration::Registration;
use crate::journal::{ChainHash, Header, Seal};

/// The page.
pub const REPORT: &str = "report.html";

/// What the report is about.
pub(super) struct Found<'a> {
    pub evidence: &'a Evidence,
    pub conclusion: &'a Conclusion,
    pub pictures: &'a Pictures,
}

/// Writes the report; nothing of it is in a file yet.
pub(super) fn of_run(
    header: &Header,
    seal: Option<&Seal>,
    last_hash: &ChainHash,
    registration: Option<&Registration>,
    events: &[(Timestamp, Entry)],
    found: &Found<'_>,
) -> Report {
    with_run(header, seal, last_hash, registration, events, |run| report(run, found.evidence, found.conclusion, found.pictures))
}

/// Gives the facts of a run as the report's room wants them.
pub(super) fn with_run<T>(
    header: &Header,
    seal: Option<&Seal>,
    last_hash: &ChainHash,
    registration: Option<&Registration>,
    events: &[(Timestamp, Entry)],
    then: impl FnOnce(&Run<'_>) -> T,
) -> T {
    let inputs: Vec<Input<'_>> =
        header.inputs.iter().map(|it| Input { kind: &it.kind, path: &it.path, sha256: &it.sha256 }).collect();
    let registration = registration.map(|it| lacuna_report::Registration {
        lock: &it.lock,
        sha256: &it.sha256,
        reason: it.reason.as_deref(),
        deviations: it
            .deviations
            .iter()
            .map(|it| Deviation { kind: it.kind.in_words(), subject: &it.subject, detail: &it.detail })
            .collect(),
    });
    let run = Run {
        id: &header.run_id,
        lacuna_version: &header.lacuna_version,
        build: header.build.as_ref(),
        overrides: header.overrides.as_deref(),
        engine_version: header.engine_version,
        projection_version: PROJECTION_VERSION,
        opened_at: header.opened_at,
        sealed_at: seal.map(|seal| seal.at),
        journal_hash: &last_hash.to_string(),
        inputs: &inputs,
        registration: registration.as_ref(),
        events,
    };
    then(&run)
}
