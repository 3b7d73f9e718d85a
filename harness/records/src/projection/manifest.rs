//! `manifest.json`: what a run consists of, by hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lacuna_inference::checks::ArmChecks;
use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::{Build, Entry, Fact, ItemIx, Study, Timestamp};
use serde::{Deserialize, Serialize};

use super::PROJECTION_VERSION;
use super::methods::{self, AccountFacts, ArmFacts, CorpusFacts, Design};
use super::registration::Registration;
use super::rule_tables::rule_id;
use crate::journal::{ChainHash, Counts, Header, InputHash, Seal};
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
    design: Design,
    accounts: Vec<AccountFacts<'a>>,
    arms: Vec<ArmFacts<'a>>,
    corpora: BTreeMap<&'a str, CorpusFacts<'a>>,
    seed: u64,
    lacuna_version: &'a str,
    /// How it was built; null in virtual time, and in runs before version 6 of the journal.
    build: Option<&'a Build>,
    /// What the command line changed of the experiment, `KEY=VALUE`; null where the journal does not say.
    overrides: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resumed: Vec<Resumed<'a>>,
    engine_version: u32,
    journal_version: u64,
    projection_version: u32,
    opened_at: String,
    sealed_at: Option<String>,
    exit_code: Option<u8>,
    counts: Counts,
    verdicts: BTreeMap<&'static str, u64>,
    checks: Vec<Checks<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<Isolation>,
    inputs: &'a [InputHash],
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<&'a Registration>,
    journal: JournalHash<'a>,
    files: &'a [FileHash],
}

/// With what an interrupted run was gone on with: it need not be the build that began it.
#[derive(Serialize)]
struct Resumed<'a> {
    epoch: u32,
    at: String,
    lacuna_version: Option<&'a str>,
    build: Option<&'a Build>,
    overrides: Option<&'a [String]>,
}

impl<'a> Resumed<'a> {
    fn all(events: &'a [(Timestamp, Entry)]) -> Vec<Self> {
        let resumed = events.iter().filter_map(|(at, entry)| match entry {
            Entry::Fact(Fact::EpochOpened { epoch: epoch @ 1.., resumed_by, .. }) => {
                let by = resumed_by.as_deref();
                Some(Self {
                    epoch: *epoch,
                    at: iso8601(*at),
                    lacuna_version: by.map(|by| by.lacuna_version.as_str()),
                    build: by.and_then(|by| by.build.as_ref()),
                    overrides: by.map(|by| by.overrides.as_slice()),
                })
            }
            _ => None,
        });
        resumed.collect()
    }
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

/// How the words to blame were looked for, and how far that came. A text is counted for each arm and recipient for which it
/// is blocked.
#[derive(Serialize)]
struct Isolation {
    /// The most messages about one text, for one recipient.
    max_messages_per_text: u32,
    /// Rules that were known beforehand, from lists and earlier runs.
    known_rules: usize,
    /// Texts that are blocked, combinations of items included.
    texts: usize,
    /// Of these, searched.
    searched: usize,
    /// Of these, all rules found and certified.
    decided: usize,
    /// Texts that are blocked in which something is left open, or not certified, or that were not searched.
    undecided: usize,
    /// Rules found in texts, a rule counted in each of them.
    rules: usize,
    /// Of these, certified.
    rules_certified: usize,
    /// Certified rules, each counted once.
    different_rules_certified: usize,
    messages: SumAndMean,
    rounds: SumAndMean,
}

/// Over the texts that were searched.
#[derive(Serialize)]
struct SumAndMean {
    sum: u64,
    /// `None` if nothing was searched. Six decimals.
    mean: Option<f64>,
}

impl SumAndMean {
    fn of(counts: impl ExactSizeIterator<Item = u32>) -> Self {
        let number = counts.len();
        let sum: u64 = counts.map(u64::from).sum();
        Self { sum, mean: (number > 0).then(|| six_decimals(sum as f64 / number as f64)) }
    }
}

impl Isolation {
    /// `None` if nothing was to be isolated.
    fn of(study: &Study, texts: &[TextRecord]) -> Option<Self> {
        let asked = study.isolation.as_ref()?;
        let searched: Vec<&TextRecord> = texts.iter().filter(|text| text.status.is_some()).collect();
        let decided = texts.iter().filter(|text| text.is_complete()).count();
        let rules = || texts.iter().flat_map(|text| text.rules.iter().map(move |rule| (text, rule)));
        let certified = || rules().filter(|(_, rule)| rule.certified);
        let id = |(text, rule): (&TextRecord, &RuleRecord)| {
            rule_id(rule.components.iter().filter_map(|range| text.text.get(range.clone())))
        };
        Some(Self {
            max_messages_per_text: asked.max_messages_per_text,
            known_rules: asked.rules.len(),
            texts: texts.len(),
            searched: searched.len(),
            decided,
            undecided: texts.len() - decided,
            rules: rules().count(),
            rules_certified: certified().count(),
            different_rules_certified: certified().map(id).collect::<BTreeSet<_>>().len(),
            messages: SumAndMean::of(searched.iter().map(|text| text.messages)),
            rounds: SumAndMean::of(searched.iter().map(|text| text.rounds)),
        })
    }
}

/// A number, rounded.
pub(super) fn six_decimals(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
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
    pub version: u64,
    pub last_hash: ChainHash,
    pub counts: Counts,
    pub seal: Option<&'a Seal>,
    pub registration: Option<&'a Registration>,
    /// Entries about the run as a whole.
    pub events: &'a [(Timestamp, Entry)],
    /// The items that a message carried.
    pub sent: &'a BTreeSet<ItemIx>,
}

impl<'a> Manifest<'a> {
    /// Times and counts come from the journal alone, so that the manifest is the same whenever it is derived. A run that was
    /// not sealed has no end and no exit code.
    pub fn new(header: &'a Header, journal: &'a JournalEnd<'a>, claims: &Conclusion, files: &'a [FileHash]) -> Self {
        let study = &header.study;
        Self {
            kind: "lacuna",
            version: 1,
            run_id: header.run_id.as_str(),
            experiment: &study.name,
            question: &study.question,
            adapter: &study.adapter,
            design: Design::of(study),
            accounts: AccountFacts::all(study),
            arms: ArmFacts::all(study, claims),
            corpora: CorpusFacts::all(study, journal.sent),
            seed: study.seed,
            lacuna_version: &header.lacuna_version,
            build: header.build.as_ref(),
            overrides: header.overrides.as_deref(),
            resumed: Resumed::all(journal.events),
            engine_version: header.engine_version,
            journal_version: journal.version,
            projection_version: PROJECTION_VERSION,
            opened_at: iso8601(header.opened_at),
            sealed_at: journal.seal.map(|seal| iso8601(seal.at)),
            exit_code: journal.seal.map(|seal| seal.exit_code),
            counts: journal.counts,
            verdicts: methods::verdicts(claims),
            checks: claims.checks.iter().map(|checks| Checks::of(study, checks)).collect(),
            isolation: Isolation::of(study, &claims.texts),
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
