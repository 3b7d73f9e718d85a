//! `manifest.json`: what a run consists of, by hash.

use std::fs;
use std::path::Path;

use lacuna_inference::checks::ArmChecks;
use lacuna_model::Study;
use serde::{Deserialize, Serialize};

use super::PROJECTION_VERSION;
use super::registration::Registration;
use crate::journal::{ChainHash, Counts, Header, InputHash, JOURNAL_VERSION, Seal};
use crate::time_format::iso8601;

/// The file name.
pub const MANIFEST: &str = "manifest.json";

/// A file and what it hashes to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileHash {
    /// Its path inside the folder, with `/`.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize)]
pub(super) struct Manifest<'a> {
    #[serde(rename = "manifest")]
    kind: &'static str,
    version: u32,
    run_id: &'a str,
    experiment: &'a str,
    question: &'a str,
    adapter: &'a str,
    seed: u64,
    lacuna_version: &'a str,
    engine_version: u32,
    journal_version: u64,
    projection_version: u32,
    opened_at: String,
    sealed_at: Option<String>,
    exit_code: Option<u8>,
    counts: Counts,
    checks: Vec<Checks<'a>>,
    inputs: &'a [InputHash],
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<&'a Registration>,
    journal: JournalHash<'a>,
    files: &'a [FileHash],
}

/// How far the screen of an arm can be trusted. Shares have six decimals.
#[derive(Serialize)]
struct Checks<'a> {
    arm: &'a str,
    /// Items cleared in a pool that were sent again alone, for each recipient.
    audits: u64,
    /// Of these, the ones that are not shown to pass.
    audit_misses: u64,
    miss_rate: Option<f64>,
    /// The upper end of the one-sided 95 % interval.
    miss_rate_high: Option<f64>,
    /// Pools with an item known to be dropped, for each recipient.
    spikes: u64,
    spikes_delivered: u64,
    /// The share of sends on which a filter must act to be found with a probability of 95 %.
    lowest_enforcement: Option<f64>,
}

impl<'a> Checks<'a> {
    fn of(study: &'a Study, checks: &ArmChecks) -> Self {
        Self {
            arm: study.arm(checks.arm).id.as_str(),
            audits: checks.audits,
            audit_misses: checks.audit_misses,
            miss_rate: checks.miss_rate.map(|(rate, _)| six_decimals(rate)),
            miss_rate_high: checks.miss_rate.map(|(_, high)| six_decimals(high)),
            spikes: checks.spikes,
            spikes_delivered: checks.spikes_delivered,
            lowest_enforcement: checks.lowest_enforcement.map(six_decimals),
        }
    }
}

/// A share, rounded.
fn six_decimals(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// The journal, and the hash of its last line, on which all its lines hang.
#[derive(Serialize)]
struct JournalHash<'a> {
    path: &'a str,
    bytes: u64,
    sha256: &'a str,
    last_hash: String,
}

/// What a projection knows of the journal when it has read it to the end.
pub(super) struct JournalEnd<'a> {
    pub file: &'a FileHash,
    pub last_hash: ChainHash,
    pub counts: Counts,
    pub seal: Option<&'a Seal>,
    pub registration: Option<&'a Registration>,
}

impl<'a> Manifest<'a> {
    /// Times and counts come from the journal alone, so that the manifest is the same whenever it is derived. A run that was
    /// not sealed has no end and no exit code.
    pub fn new(header: &'a Header, journal: &'a JournalEnd<'a>, checks: &[ArmChecks], files: &'a [FileHash]) -> Self {
        let study = &header.study;
        Self {
            kind: "lacuna",
            version: 1,
            run_id: header.run_id.as_str(),
            experiment: &study.name,
            question: &study.question,
            adapter: &study.adapter,
            seed: study.seed,
            lacuna_version: &header.lacuna_version,
            engine_version: header.engine_version,
            journal_version: JOURNAL_VERSION,
            projection_version: PROJECTION_VERSION,
            opened_at: iso8601(header.opened_at),
            sealed_at: journal.seal.map(|seal| iso8601(seal.at)),
            exit_code: journal.seal.map(|seal| seal.exit_code),
            counts: journal.counts,
            checks: checks.iter().map(|checks| Checks::of(study, checks)).collect(),
            inputs: &header.inputs,
            registration: journal.registration,
            journal: JournalHash {
                path: &journal.file.path,
                bytes: journal.file.bytes,
                sha256: &journal.file.sha256,
                last_hash: journal.last_hash.to_string(),
            },
            files,
        }
    }
}

/// What a later derivation and `verify` need of a manifest that stands in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct StoredManifest {
    pub projection_version: u32,
    pub journal: StoredJournal,
    pub files: Vec<FileHash>,
}

/// No manifest is longer; its length grows with the number of contents.
const MAX_MANIFEST: u64 = 64 << 20;

impl StoredManifest {
    /// The manifest in a folder; `None` where there is none that can be read.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(MANIFEST);
        let found = fs::symlink_metadata(&path).ok()?;
        if !found.is_file() || found.len() > MAX_MANIFEST {
            return None;
        }
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}

/// What a manifest says of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct StoredJournal {
    pub bytes: u64,
    pub sha256: String,
    pub last_hash: String,
}
