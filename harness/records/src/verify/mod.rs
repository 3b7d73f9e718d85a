//! Whether a run's folder is what its journal says, byte for byte.
//!
//! Four kinds of checks, and each file says which it went through ([`Check`]): the journal's chain and its seal; files that
//! follow from the journal are derived anew and compared; contents, and files of an older projection, are hashed.

mod belongings;
mod chain;
mod derived;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;

use lacuna_model::RunId;
use serde::Serialize;

use crate::projection::{FileHash, MANIFEST, PROJECTION_VERSION, StoredManifest};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// The run; `None` if the journal has no first line that can be read.
    pub run: Option<RunFacts>,
    /// The files that were looked at, and how.
    pub checked: BTreeMap<String, BTreeSet<Check>>,
    /// What is wrong; empty if the run is what its journal says.
    pub findings: Vec<Finding>,
    /// What could be checked only in part, and why.
    pub notes: Vec<String>,
}

/// What a journal says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RunFacts {
    /// The run.
    pub run_id: RunId,
    /// The version of Lacuna that wrote it.
    pub lacuna_version: String,
    /// The version of the engine that decided.
    pub engine_version: u32,
    /// The version of the journal.
    pub journal_version: u64,
    /// The hash of the last line that could be read: all lines hang on it.
    pub last_hash: String,
    /// Whether the run came to its end.
    pub sealed: bool,
}

/// How a file was checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Each line holds the hash of all before it.
    Chain,
    /// The last line counts what stands before it, and the run's end.
    Seal,
    /// It was derived from the journal anew and compared byte for byte.
    Rederived,
    /// It was hashed, and the hash compared with its name or with the manifest.
    Hash,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Finding {
    /// The file, inside the run's folder, with `/`.
    pub file: String,
    /// What kind of thing.
    pub kind: FindingKind,
    /// What is wrong with it, a lower-case fragment.
    pub problem: String,
}

/// What can be wrong with a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It is not what it was.
    Damaged,
    /// It is not there.
    Missing,
    /// It does not belong there.
    Foreign,
    /// This Lacuna, or this user, cannot read it, so that nothing is known of it.
    Unverifiable,
}

/// The answer in a word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyVerdict {
    /// Every file is what it should be.
    Intact,
    /// Nothing is wrong as far as one can see, but something could not be checked.
    Unverifiable,
    /// Something is wrong.
    Damaged,
}

/// A file with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileReport<'a> {
    /// Its path inside the run's folder, with `/`.
    pub file: &'a str,
    /// What is wrong with it; `None` if nothing is. The worst, if several things are.
    pub status: Option<FindingKind>,
    /// How it was checked.
    pub checks: Vec<Check>,
    /// What is wrong, lower-case fragments.
    pub problems: Vec<&'a str>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The answer in a word.
    #[must_use]
    pub fn verdict(&self) -> VerifyVerdict {
        if self.is_clean() {
            VerifyVerdict::Intact
        } else if self.findings.iter().all(|finding| finding.kind == FindingKind::Unverifiable) {
            VerifyVerdict::Unverifiable
        } else {
            VerifyVerdict::Damaged
        }
    }

    /// Every file that was checked, is missing or does not belong there, in order.
    #[must_use]
    pub fn files(&self) -> Vec<FileReport<'_>> {
        let mut files: BTreeMap<&str, FileReport<'_>> = BTreeMap::new();
        let empty = |file| FileReport { file, status: None, checks: Vec::new(), problems: Vec::new() };
        for (file, checks) in &self.checked {
            files.entry(file).or_insert_with(|| empty(file)).checks.extend(checks);
        }
        for Finding { file, kind, problem } in &self.findings {
            let entry = files.entry(file).or_insert_with(|| empty(file));
            entry.status = Some(entry.status.map_or(*kind, |before| before.min(*kind)));
            entry.problems.push(problem);
        }
        files.into_values().collect()
    }

    fn find(&mut self, file: impl Into<String>, kind: FindingKind, problem: impl Into<String>) {
        self.findings.push(Finding { file: file.into(), kind, problem: problem.into() });
    }

    fn check(&mut self, file: impl Into<String>, check: Check) {
        self.checked.entry(file.into()).or_default().insert(check);
    }
}

/// Checks the journal's chain and seal, derives every file anew and compares it with the one that stands there, checks the
/// contents against their hashes, and looks for files that are missing or do not belong there. A file that cannot be read
/// is a finding like any other.
#[must_use]
pub fn verify(run: &Path) -> VerifyReport {
    let mut report = VerifyReport::default();
    let stored = StoredManifest::read(run);
    let contents: Vec<FileHash> =
        stored.iter().flat_map(|it| &it.files).filter(|it| belongings::is_content(&it.path)).cloned().collect();
    let folders = belongings::look(run, &contents, &mut report);
    let contents = belongings::check_contents(run, contents, &mut report);

    let readable = chain::check(run, stored.as_ref(), &mut report);
    for folder in std::iter::once(String::new()).chain(folders) {
        let version = StoredManifest::read(&run.join(&folder)).map_or(PROJECTION_VERSION, |it| it.projection_version);
        if version > PROJECTION_VERSION {
            let problem = format!("is of projection {version}, this Lacuna has {PROJECTION_VERSION} (use a newer Lacuna)");
            report.find(at(&folder, MANIFEST), FindingKind::Unverifiable, problem);
        }
        if readable && version == PROJECTION_VERSION {
            derived::compare(run, &folder, &contents, &mut report);
        } else {
            derived::check_hashes(run, &folder, &mut report);
        }
        if readable && version < PROJECTION_VERSION {
            derived::check_age(run, &folder, &contents, version, &mut report);
        }
    }
    report.findings.sort();
    report.findings.dedup();
    report
}

/// The path of a file in a folder of the run; the run's own folder has no name.
fn at(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// What is told of a file that cannot be read.
fn unreadable(error: &io::Error) -> (FindingKind, String) {
    match error.kind() {
        io::ErrorKind::NotFound => (FindingKind::Missing, "is missing".to_owned()),
        io::ErrorKind::PermissionDenied => (FindingKind::Unverifiable, format!("cannot be read: {error}")),
        _ => (FindingKind::Damaged, format!("cannot be read: {error}")),
    }
}

/// Opens what is a file, directly or through a link: a pipe would wait for ever, and a device may never end.
fn open_regular(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("is no regular file")) }
}
