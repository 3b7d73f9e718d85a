//! The first line of a journal.

use std::sync::Arc;

use lacuna_model::{Build, RunId, Study, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::LineProblem;
use super::names;
use super::registration::Deviation;

/// The version of the journal that this Lacuna writes, and the newest that it reads.
pub const JOURNAL_VERSION: u64 = 6;

const JOURNAL: &str = "lacuna";

/// What the first line of a journal says.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    /// The name of the run.
    pub run_id: RunId,
    /// The version of the engine that decided. Another engine may decide otherwise and cannot continue the run.
    pub engine_version: u32,
    /// The version of Lacuna that wrote it.
    pub lacuna_version: String,
    /// How that Lacuna was built; `None` in virtual time, and in journals before version 6.
    pub build: Option<Build>,
    /// What the command line changed of the experiment, `KEY=VALUE`, in the order in which it was applied; `--seed N` is `seed=N`. `None` in
    /// journals before version 6, which do not say whether there was anything.
    pub overrides: Option<Vec<String>>,
    /// When the journal was opened.
    pub opened_at: Timestamp,
    /// The whole study.
    pub study: Arc<Study>,
    /// The files that the study was made of.
    pub inputs: Vec<InputHash>,
    /// In what the experiment was not the one that had been locked, and why it was run nevertheless.
    pub deviation: Option<Deviation>,
}

/// A file that a study was made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputHash {
    /// What it is: `experiment`, `corpus`, `policy`; `lock` for the plan that it was checked against, `history` for verdicts of an
    /// earlier run.
    pub kind: String,
    /// Its path, as the experiment names it.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize)]
struct Written<'a> {
    journal: &'a str,
    version: u64,
    run_id: &'a RunId,
    engine_version: u32,
    lacuna_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<&'a Build>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overrides: Option<&'a [String]>,
    opened_at: Timestamp,
    study: &'a Study,
    inputs: &'a [InputHash],
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation: Option<&'a Deviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "journal")]
    _journal: String,
    #[serde(rename = "version")]
    _version: u64,
    run_id: RunId,
    engine_version: u32,
    lacuna_version: String,
    #[serde(default)]
    build: Option<Build>,
    #[serde(default)]
    overrides: Option<Vec<String>>,
    opened_at: Timestamp,
    study: Study,
    inputs: Vec<InputHash>,
    #[serde(default)]
    deviation: Option<Deviation>,
}

/// What every version of a journal begins with.
#[derive(Deserialize)]
struct Version {
    journal: String,
    version: u64,
}

impl Header {
    /// The line up to its hash, without the closing brace.
    pub(super) fn body(&self) -> Vec<u8> {
        let written = Written {
            journal: JOURNAL,
            version: JOURNAL_VERSION,
            run_id: &self.run_id,
            engine_version: self.engine_version,
            lacuna_version: &self.lacuna_version,
            build: self.build.as_ref(),
            overrides: self.overrides.as_deref(),
            opened_at: self.opened_at,
            study: &self.study,
            inputs: &self.inputs,
            deviation: self.deviation.as_ref(),
        };
        // Nothing in these types can fail to be written; an empty line would be refused by every reader.
        let mut body = serde_json::to_vec(&written).unwrap_or_default();
        body.pop();
        body
    }

    /// Reads a line without its hash; `object` ends with the closing brace.
    pub(super) fn parse(object: &[u8]) -> Result<Self, LineProblem> {
        let read: Read = serde_json::from_slice(object).map_err(|error| LineProblem::NotAJournal(error.to_string()))?;
        names::check(&read.study).map_err(LineProblem::Study)?;
        let Read { run_id, engine_version, lacuna_version, build, overrides, opened_at, study, inputs, deviation, .. } = read;
        let study = Arc::new(study);
        Ok(Self { run_id, engine_version, lacuna_version, build, overrides, opened_at, study, inputs, deviation })
    }

    /// Whether this Lacuna may read the journal at all; asked first, because a newer version may differ in anything else.
    /// Gives the version.
    pub(super) fn check_version(line: &[u8]) -> Result<u64, LineProblem> {
        match serde_json::from_slice::<Version>(line) {
            Ok(Version { journal, .. }) if journal != JOURNAL => Err(LineProblem::NotAJournal(format!("journal is `{journal}`"))),
            Ok(Version { version, .. }) if version > JOURNAL_VERSION => Err(LineProblem::NewerVersion(version)),
            Ok(Version { version: 0, .. }) => Err(LineProblem::NotAJournal("there never was a version 0".to_owned())),
            Ok(Version { version, .. }) => Ok(version),
            Err(error) => Err(LineProblem::NotAJournal(error.to_string())),
        }
    }
}
