//! Whether a run's folder is what its journal says, byte for byte.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use lacuna_model::{Entry, Fact, Observation};
use serde::Serialize;

use crate::contents::is_name;
use crate::journal::{JournalError, Reader};
use crate::projection::{
    AnalyzeError, Artifact, FIGURES, FileHash, MANIFEST, Options, Output, PROJECTION_FOLDER_PREFIX, PROJECTION_VERSION, REPORT,
    StoredManifest, derive, hash_file, is_derived, table_files,
};
use crate::run_folder::{FILES, JOURNAL, LOCK};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Files that were compared or hashed.
    pub checked: BTreeSet<String>,
    /// What is wrong; empty if the run is what its journal says.
    pub findings: Vec<Finding>,
    /// What could be checked only in part, and why.
    pub notes: Vec<String>,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Finding {
    /// The file, inside the run's folder, with `/`.
    pub file: String,
    /// What is wrong with it, a lower-case fragment.
    pub problem: String,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, file: impl Into<String>, problem: impl Into<String>) {
        self.findings.push(Finding { file: file.into(), problem: problem.into() });
    }
}

/// Checks the journal's chain and seal, derives every file anew and compares it with the one that stands there, checks the
/// contents against their hashes, and looks for files that are missing or do not belong there. A file that cannot be read
/// is a finding like any other.
#[must_use]
pub fn verify(run: &Path) -> VerifyReport {
    let mut report = VerifyReport::default();
    let stored = StoredManifest::read(run);
    let contents: Vec<FileHash> = stored.iter().flat_map(|it| &it.files).filter(|it| is_content(&it.path)).cloned().collect();
    let folders = belongings(run, &contents, &mut report);
    let contents = check_contents(run, contents, &mut report);

    let readable = check_journal(run, stored.as_ref(), &mut report);
    for folder in std::iter::once(String::new()).chain(folders) {
        let version = StoredManifest::read(&run.join(&folder)).map_or(PROJECTION_VERSION, |it| it.projection_version);
        if version > PROJECTION_VERSION {
            report.find(at(&folder, MANIFEST), format!("is of projection {version} (use a newer Lacuna)"));
        }
        if readable && version == PROJECTION_VERSION {
            compare(run, &folder, &contents, &mut report);
        } else {
            check_hashes(run, &folder, &mut report);
        }
        if readable && version < PROJECTION_VERSION {
            check_age(run, &folder, &contents, version, &mut report);
        }
    }
    report.findings.sort();
    report.findings.dedup();
    report
}

fn at(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// Whether a path that a manifest states is one of a content: a plain name in `files/`, and no way out of it.
fn is_content(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, name)| folder == FILES && !name.starts_with('.') && !name.contains(['/', '\\']))
}

/// Looks for what does not belong into the folder; gives the folders of other projections.
fn belongings(run: &Path, contents: &[FileHash], report: &mut VerifyReport) -> Vec<String> {
    let mut folders = Vec::new();
    for (name, is_folder) in names(run, "", report) {
        if is_folder && name.starts_with(PROJECTION_FOLDER_PREFIX) {
            for (inner, is_folder) in names(run, &name, report) {
                if is_folder && inner == FIGURES {
                    figures(run, &name, report);
                } else if is_folder || !is_derived(&inner) {
                    report.find(at(&name, &inner), "is no part of a run");
                }
            }
            folders.push(name);
        } else if is_folder && name == FIGURES {
            figures(run, "", report);
        } else if is_folder && name == FILES {
            for (inner, is_folder) in names(run, FILES, report) {
                let path = at(FILES, &inner);
                if is_folder || !contents.iter().any(|it| it.path == path) {
                    if hash_file(&run.join(&path), &path).is_ok_and(|found| is_whole(&found)) {
                        report.find(MANIFEST, format!("does not name {path}"));
                    }
                    report.find(path, format!("is not named in {MANIFEST}"));
                }
            }
        } else if is_folder || !(is_derived(&name) || name == JOURNAL || name == LOCK) {
            report.find(name, "is no part of a run");
        }
    }
    folders.sort();
    folders
}

/// Looks for what does not belong among the figures of a projection.
fn figures(run: &Path, folder: &str, report: &mut VerifyReport) {
    for (inner, is_folder) in names(run, &at(folder, FIGURES), report) {
        let path = at(FIGURES, &inner);
        if is_folder || !is_derived(&path) {
            report.find(at(folder, &path), "is no part of a run");
        }
    }
}

/// The names in a folder, and whether each is a folder itself. Anything but files and folders is a finding.
fn names(run: &Path, folder: &str, report: &mut VerifyReport) -> Vec<(String, bool)> {
    let entries = match fs::read_dir(run.join(folder)) {
        Ok(entries) => entries,
        Err(error) => {
            report.find(folder, error.to_string());
            return Vec::new();
        }
    };
    let mut names = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_file() || kind.is_dir() => names.push((name, kind.is_dir())),
            _ => report.find(at(folder, &name), "is neither a file nor a folder"),
        }
    }
    names
}

/// Whether a content is what its name says: contents are named by their own hash.
fn is_whole(content: &FileHash) -> bool {
    Path::new(&content.path).file_stem().is_some_and(|stem| stem == content.sha256.as_str())
}

/// Checks the contents that the manifest names; gives what a manifest should say of them.
fn check_contents(run: &Path, contents: Vec<FileHash>, report: &mut VerifyReport) -> Vec<FileHash> {
    let check = |stored: FileHash| {
        report.checked.insert(stored.path.clone());
        match hash_file(&run.join(&stored.path), &stored.path) {
            Ok(found) if is_whole(&found) => return found,
            Ok(_) => report.find(&stored.path, "is not what its name says"),
            Err(error) => report.find(&stored.path, unreadable(&error)),
        }
        stored
    };
    contents.into_iter().map(check).collect()
}

fn unreadable(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound { "is missing".to_owned() } else { format!("cannot be read: {error}") }
}

/// Opens what is a file, directly or through a link: a pipe would wait for ever, and a device may never end.
fn open_regular(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("is no regular file")) }
}

/// Reads the journal to its end; says whether that was possible.
fn check_journal(run: &Path, stored: Option<&StoredManifest>, report: &mut VerifyReport) -> bool {
    report.checked.insert(JOURNAL.to_owned());
    let journal = run.join(JOURNAL);
    let mut named = BTreeSet::new();
    let mut read = || -> Result<_, JournalError> {
        let input = open_regular(&journal).map_err(|source| JournalError::Io { file: journal.clone(), source })?;
        let mut reader = Reader::new(&journal, BufReader::with_capacity(1 << 16, input))?;
        let items = reader.header().study.items.iter().filter_map(|item| item.file.as_ref());
        named.extend(items.map(|file| Arc::clone(&file.facts.sha256)));
        for line in reader.by_ref() {
            if let (_, _, Entry::Fact(Fact::Observed(Observation { file: Some(file), .. }))) = line? {
                named.insert(file.facts.sha256);
            }
        }
        Ok((reader.seal().is_some(), reader.last_hash().to_string()))
    };
    let read = read();
    for sha256 in named {
        let file = at(FILES, &sha256);
        if !is_name(&sha256) {
            report.find(JOURNAL, format!("names a file `{}`, which is no SHA-256", sha256.escape_debug()));
        } else if !fs::symlink_metadata(run.join(&file)).is_ok_and(|found| found.is_file()) {
            report.find(file, format!("is missing, but {JOURNAL} names it"));
        }
    }
    match read {
        Ok((sealed, last_hash)) => {
            if !sealed {
                report.find(JOURNAL, "ends without a seal: the run did not come to its end, or its end was cut off");
            }
            // The manifest itself may be the one that was changed, but hardly in all three places at once.
            if let (Some(stored), Ok(found)) = (stored, hash_file(&journal, JOURNAL))
                && stored.journal.bytes != found.bytes
                && stored.journal.sha256 != found.sha256
                && stored.journal.last_hash != last_hash
            {
                report.find(JOURNAL, format!("is not the journal from which {MANIFEST} was derived"));
            }
            true
        }
        Err(JournalError::Line { line, problem, .. }) => {
            report.find(JOURNAL, format!("line {line}: {problem}"));
            false
        }
        Err(JournalError::Io { source, .. }) => {
            report.find(JOURNAL, unreadable(&source));
            false
        }
    }
}

/// Derives every file anew and compares it with what stands in `folder`.
fn compare(run: &Path, folder: &str, contents: &[FileHash], report: &mut VerifyReport) {
    let findings = Rc::default();
    let output = Comparison { run: run.to_owned(), folder: folder.to_owned(), findings: Rc::clone(&findings) };
    let guarded = table_files().any(|(_, guarded)| run.join(folder).join(guarded).exists());
    let stored = StoredManifest::read(&run.join(folder));
    let stored_report = stored.iter().flat_map(|it| &it.files).find(|it| it.path == REPORT);
    let options = Options { spreadsheet_safe: guarded, contents, files: &run.join(FILES), stored_report };
    match derive(&run.join(JOURNAL), &output, &options) {
        Ok(derived) if !derived.trusts_report => {}
        Ok(_) => {
            let path = at(folder, REPORT);
            report.notes.push(format!("{path} was checked by its hash alone: a picture in it is missing or damaged in {FILES}"));
            if let Some(stored) = stored_report {
                check_hash(run, folder, stored, report);
            }
        }
        Err(error @ (AnalyzeError::Journal(_) | AnalyzeError::Io { .. } | AnalyzeError::Newer { .. })) => {
            report.find(at(folder, MANIFEST), format!("could not be derived: {error}"));
        }
    }
    for (file, problem) in findings.take() {
        if let Some(problem) = problem {
            report.find(&file, problem);
        }
        report.checked.insert(file);
    }
}

/// Checks the files of a folder against the hashes in its manifest.
fn check_hashes(run: &Path, folder: &str, report: &mut VerifyReport) {
    let Some(manifest) = StoredManifest::read(&run.join(folder)) else {
        report.find(at(folder, MANIFEST), "cannot be read");
        return;
    };
    for stored in manifest.files.iter().filter(|it| is_derived(&it.path)) {
        check_hash(run, folder, stored, report);
    }
}

/// Checks a file of a folder against its hash in the manifest.
fn check_hash(run: &Path, folder: &str, stored: &FileHash, report: &mut VerifyReport) {
    let path = at(folder, &stored.path);
    report.checked.insert(path.clone());
    match hash_file(&run.join(&path), &stored.path) {
        Ok(found) if found == *stored => {}
        Ok(_) => report.find(path, format!("is not what {} says", at(folder, MANIFEST))),
        Err(error) => report.find(path, unreadable(&error)),
    }
}

/// An older projection cannot be derived any more. But if all its files are those of this projection, it is none.
fn check_age(run: &Path, folder: &str, contents: &[FileHash], version: u32, report: &mut VerifyReport) {
    let manifest = at(folder, MANIFEST);
    let mut now = VerifyReport::default();
    compare(run, folder, contents, &mut now);
    if now.findings.iter().all(|finding| finding.file == manifest) {
        report.find(manifest, format!("says projection {version}, but its files are of projection {PROJECTION_VERSION}"));
    } else {
        report.notes.push(format!("{manifest} is of projection {version}: its files were checked by their hashes alone"));
    }
}

/// Files, and what is wrong with each.
type Compared = Rc<RefCell<Vec<(String, Option<String>)>>>;

/// Takes derived files and compares them with those in a folder; nothing is written.
struct Comparison {
    run: PathBuf,
    folder: String,
    findings: Compared,
}

impl Output for Comparison {
    fn open(&self, name: &str) -> io::Result<Box<dyn Artifact>> {
        let file = at(&self.folder, name);
        let (stored, problem) = match open_regular(&self.run.join(&file)) {
            Ok(stored) => (Some(BufReader::with_capacity(1 << 16, stored)), None),
            Err(error) => (None, Some(unreadable(&error))),
        };
        let findings = Rc::clone(&self.findings);
        Ok(Box::new(Compare { file, stored, problem, bytes: 0, buffer: Vec::new(), findings }))
    }
}

/// One file that is being compared.
struct Compare {
    file: String,
    stored: Option<BufReader<File>>,
    /// The first thing that is wrong; nothing is compared behind it.
    problem: Option<String>,
    /// Compared so far.
    bytes: u64,
    buffer: Vec<u8>,
    findings: Compared,
}

impl Write for Compare {
    fn write(&mut self, derived: &[u8]) -> io::Result<usize> {
        if let (Some(stored), None) = (&mut self.stored, &self.problem) {
            self.buffer.clear();
            match stored.take(derived.len() as u64).read_to_end(&mut self.buffer) {
                Ok(_) => {
                    let same = derived.iter().zip(&self.buffer).take_while(|(a, b)| a == b).count();
                    if same < derived.len() {
                        let place = self.bytes + same as u64;
                        let ends = same == self.buffer.len();
                        self.problem = Some(if ends {
                            format!("ends after {place} bytes, but more follows from the journal")
                        } else {
                            format!("differs at byte {place} from what follows from the journal")
                        });
                    }
                }
                Err(error) => self.problem = Some(unreadable(&error)),
            }
        }
        self.bytes += derived.len() as u64;
        Ok(derived.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Artifact for Compare {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if let (Some(stored), None) = (&mut self.stored, &self.problem)
            && stored.read(&mut [0])? > 0
        {
            self.problem = Some(format!("goes on after {} bytes, where what follows from the journal ends", self.bytes));
        }
        self.findings.borrow_mut().push((self.file, self.problem));
        Ok(())
    }
}
