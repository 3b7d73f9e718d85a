//! `<experiment>.lock`: what was planned before anything was sent (a pre-registration), beside the experiment file.
//!
//! One JSON object. It holds the hashes of everything that the experiment is made of, the rules as they were in force (defaults
//! included), the versions that decide, when it was written, and what the plan expected. A lock that replaces another names
//! its hash, so that a history of locks can be kept beside the experiment.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lacuna_content::sha256_hex;
use lacuna_model::study::{DecisionRule, DesignKind, ExposureRule, MechanismRule, Pacing, Safety, Watch};
use lacuna_model::{Duration, Study, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::{Experiment, InputKind};
use crate::journal::{Change, InputHash, sync_directory};
use crate::projection::PROJECTION_VERSION;
use crate::time_format::iso8601;

/// What `inputs` of a journal call the lock that a run was checked against.
pub const LOCK_INPUT: &str = "lock";

const LOCK: &str = "lacuna";
const VERSION: u32 = 1;
/// The rules that are lengths of time.
const LENGTHS: [&str; 5] = ["grace", "late", "min_gap", "confirm_after", "cool_off"];
/// No lock is longer.
const MAX_LOCK: u64 = 16 << 20;

/// What was locked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    #[serde(rename = "lock")]
    kind: String,
    version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The question in the researcher's words.
    pub question: String,
    /// When it was locked.
    pub locked_at: String,
    /// The hash of the lock that this one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The version of Lacuna that locked it.
    pub lacuna_version: String,
    /// The version of the engine that will decide what is sent.
    pub engine_version: u32,
    /// The version of what is derived from a run.
    pub projection_version: u32,
    /// The files: experiment, policy, corpora.
    pub inputs: Vec<InputHash>,
    /// The seed.
    pub seed: u64,
    /// The design. Locks from before there were several are of a screen.
    #[serde(default = "screen")]
    pub design: DesignKind,
    /// What is asked about texts that do not arrive; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<LockedIsolation>,
    /// How files are asked about; `None` where no design does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<MechanismRule>,
    /// What is exposed where; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureRule>,
    /// `[decision]`
    pub decision: DecisionRule,
    /// `[watch]`
    pub watch: Watch,
    /// `[pacing]`
    pub pacing: Pacing,
    /// `[safety]`
    pub safety: Safety,
    /// What the plan expected of the run.
    pub expected: Value,
}

/// The rules by which something is isolated. Which rules are known beforehand is no part of them: those of lists are held by
/// the hashes of their corpora, and those of earlier runs steer the order of questions only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedIsolation {
    /// The most messages about one text, for one recipient.
    pub max_messages_per_text: u32,
}

fn isolation_of(study: &Study) -> Option<LockedIsolation> {
    study.isolation.as_ref().map(|rule| LockedIsolation { max_messages_per_text: rule.max_messages_per_text })
}

const fn screen() -> DesignKind {
    DesignKind::Screen
}

/// A lock as it stands in its file.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredLock {
    /// What was locked.
    pub lock: Lock,
    /// The file and its hash.
    pub input: InputHash,
}

/// A lock that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The disk says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no lock that this Lacuna can read.
    #[error("{}: {detail} (lock the experiment anew, or move the file away)", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

/// Where the lock of an experiment file stands.
#[must_use]
pub fn path_of(experiment: &Path) -> PathBuf {
    experiment.with_extension("lock")
}

impl Lock {
    /// Locks an experiment as it is.
    #[must_use]
    pub fn new(experiment: &Experiment, engine_version: u32, lacuna_version: &str, at: Timestamp, expected: Value) -> Self {
        let study = &experiment.study;
        Self {
            kind: LOCK.to_owned(),
            version: VERSION,
            experiment: study.name.clone(),
            question: study.question.clone(),
            locked_at: iso8601(at),
            replaces: None,
            lacuna_version: lacuna_version.to_owned(),
            engine_version,
            projection_version: PROJECTION_VERSION,
            inputs: inputs_of(experiment),
            seed: study.seed,
            design: study.design,
            isolation: isolation_of(study),
            mechanism: study.mechanism.clone(),
            exposure: study.exposure.clone(),
            decision: study.decision.clone(),
            watch: study.watch.clone(),
            pacing: study.pacing.clone(),
            safety: study.safety.clone(),
            expected,
        }
    }

    /// Everything in which an experiment, as it is about to be run, is not what was locked. What the command line overrides
    /// (`--set`, `--seed`) is a change even if it has no effect.
    #[must_use]
    pub fn changes(&self, experiment: &Experiment, overrides: &[String], engine_version: u32) -> Vec<Change> {
        let mut changes = changed_inputs(&self.inputs, &inputs_of(experiment));
        let change = |what: &str, locked: String, found: String| Change { what: what.to_owned(), locked, found };
        changes.extend(overrides.iter().map(|it| change(&format!("--set {it}"), String::new(), "overridden".to_owned())));
        let (locked, found) = (self.rules(), rules_of(&experiment.study));
        for (key, now) in &found {
            let before = locked.iter().find(|(it, _)| it == key).map(|(_, before)| before);
            if before != Some(now) {
                changes.push(change(key, before.cloned().unwrap_or_default(), now.clone()));
            }
        }
        let gone = locked.into_iter().filter(|(key, _)| !found.iter().any(|(it, _)| it == key));
        changes.extend(gone.map(|(key, before)| change(&key, before, String::new())));
        let versions = [
            ("the engine", self.engine_version, engine_version),
            ("the projection", self.projection_version, PROJECTION_VERSION),
        ];
        let differing = versions.into_iter().filter(|(_, locked, found)| locked != found);
        changes
            .extend(differing.map(|(what, locked, found)| change(what, format!("version {locked}"), format!("version {found}"))));
        changes
    }

    fn rules(&self) -> Vec<(String, String)> {
        let mut rules = of_design(self.design, self.isolation);
        rules.extend(of_files(self.mechanism.as_ref(), self.exposure.as_ref()));
        rules.extend(flat(self.seed, &self.decision, &self.watch, &self.pacing, &self.safety));
        rules
    }

    /// Writes it beside the experiment; a lock that stands there is replaced at once or not at all.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let part = path.with_extension("lock.part");
        let write = || {
            let mut file = fs::File::create(&part)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&part, path)?;
            sync_directory(path)
        };
        write().map_err(failed)
    }

    /// Reads the lock at `path`; `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<StoredLock>, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let damaged = |detail: String| LockError::Damaged { path: path.to_owned(), detail };
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if !found.is_file() || found.len() > MAX_LOCK {
            return Err(damaged("this is no lock".to_owned()));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(format!("this is no lock: {error}")))?;
        if value["lock"] != LOCK || value["version"] != VERSION {
            return Err(damaged(format!("this is no lock of version {VERSION}")));
        }
        let lock = serde_json::from_value(value).map_err(|error| damaged(format!("this is no lock: {error}")))?;
        let input = InputHash { kind: LOCK_INPUT.to_owned(), path: file_name(path), sha256: sha256_hex(&bytes) };
        Ok(Some(StoredLock { lock, input }))
    }
}

/// The files of an experiment. The experiment file goes by its name alone: from where it was named says nothing about it.
#[must_use]
pub fn inputs_of(experiment: &Experiment) -> Vec<InputHash> {
    let inputs = experiment.inputs.iter().map(|input| InputHash {
        kind: input.kind.as_str().to_owned(),
        path: if input.kind == InputKind::Experiment { file_name(&input.path) } else { input.path.display().to_string() },
        sha256: input.sha256.clone(),
    });
    inputs.collect()
}

/// In what two lists of files differ. An experiment file that was renamed is the same file.
#[must_use]
pub fn changed_inputs(locked: &[InputHash], found: &[InputHash]) -> Vec<Change> {
    let experiment = InputKind::Experiment.as_str();
    let same = |a: &InputHash, b: &InputHash| a.kind == b.kind && (a.path == b.path || a.kind == experiment);
    let change = |input: &InputHash, locked: Option<&InputHash>, found: Option<&InputHash>| Change {
        what: format!("{} {}", input.kind, input.path),
        locked: locked.map(|it| it.sha256.clone()).unwrap_or_default(),
        found: found.map(|it| it.sha256.clone()).unwrap_or_default(),
    };
    let mut changes = Vec::new();
    for before in locked {
        let now = found.iter().find(|it| same(it, before));
        if now.is_none_or(|now| now.sha256 != before.sha256) {
            changes.push(change(before, Some(before), now));
        }
    }
    let new = found.iter().filter(|now| !locked.iter().any(|before| same(before, now)));
    changes.extend(new.map(|now| change(now, None, Some(now))));
    changes
}

fn rules_of(study: &Study) -> Vec<(String, String)> {
    let mut rules = of_design(study.design, isolation_of(study));
    rules.extend(of_files(study.mechanism.as_ref(), study.exposure.as_ref()));
    rules.extend(flat(study.seed, &study.decision, &study.watch, &study.pacing, &study.safety));
    rules
}

/// The design and what it isolates, under the keys of an experiment.
fn of_design(design: DesignKind, isolation: Option<LockedIsolation>) -> Vec<(String, String)> {
    let mut rules = vec![("design".to_owned(), design.as_str().to_owned())];
    if design == DesignKind::Screen {
        rules.push(("then.isolate".to_owned(), isolation.is_some().to_string()));
    }
    rules.extend(isolation.map(|it| ("decision.max-messages-per-text".to_owned(), it.max_messages_per_text.to_string())));
    rules
}

/// How files are asked about, under the keys of an experiment.
fn of_files(mechanism: Option<&MechanismRule>, exposure: Option<&ExposureRule>) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    let mut rule = |key: &str, value: String| rules.push((key.to_owned(), value));
    if let Some(MechanismRule { wait, max_messages_per_item }) = mechanism {
        rule("mechanism.wait", wait.to_string());
        rule("mechanism.max-messages-per-item", max_messages_per_item.to_string());
    }
    if let Some(ExposureRule { outside, inside, delays, max_pairs }) = exposure {
        // The arms themselves are held by the hash of the experiment.
        rule("exposure.outside", format!("arm {}", outside.0));
        rule("exposure.inside", format!("arm {}", inside.0));
        rule("exposure.delays", delays.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        rule("exposure.max-pairs", max_pairs.to_string());
    }
    rules
}

/// Seed and rules as `table.key` and value, to be compared and shown.
fn flat(seed: u64, decision: &DecisionRule, watch: &Watch, pacing: &Pacing, safety: &Safety) -> Vec<(String, String)> {
    let tables = [
        ("decision", serde_json::to_value(decision)),
        ("watch", serde_json::to_value(watch)),
        ("pacing", serde_json::to_value(pacing)),
        ("safety", serde_json::to_value(safety)),
    ];
    let mut flat = vec![("seed".to_owned(), seed.to_string())];
    for (table, written) in tables {
        let Ok(Value::Object(members)) = written else { continue };
        let shown = |(key, value): (String, Value)| {
            let length = value.as_i64().filter(|_| LENGTHS.contains(&key.as_str()));
            let value = match &value {
                Value::Null => "auto".to_owned(),
                Value::String(word) => word.clone(),
                other => length.map_or_else(|| other.to_string(), |it| Duration(it).to_string()),
            };
            (format!("{table}.{}", key.replace('_', "-")), value)
        };
        flat.extend(members.into_iter().map(shown));
    }
    flat
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
