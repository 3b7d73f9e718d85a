//! The derived files: compared with what follows from the journal, or with the hashes in their manifest.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Check, FindingKind, VerifyReport, at, open_regular, unreadable};
use crate::projection::{
    AnalyzeError, Artifact, FileHash, MANIFEST, Options, Output, PROJECTION_VERSION, REPORT, StoredManifest, derive, hash_file,
    is_derived, table_files,
};
use crate::run_folder::{FILES, JOURNAL};

/// Derives every file anew and compares it with what stands in `folder`.
pub(super) fn compare(run: &Path, folder: &str, contents: &[FileHash], report: &mut VerifyReport) {
    let findings = Rc::default();
    let output = Comparison { run: run.to_owned(), folder: folder.to_owned(), findings: Rc::clone(&findings) };
    let guarded = table_files().any(|(_, guarded)| run.join(folder).join(guarded).exists());
    let stored = StoredManifest::read(&run.join(folder));
    let stored_report = stored.iter().flat_map(|it| &it.files).find(|it| it.path == REPORT);
    let options = Options { spreadsheet_safe: guarded, contents, files: &run.join(FILES), stored_report };
    let derived = derive(&run.join(JOURNAL), &output, &options);
    let is_by_hash = derived.as_ref().is_ok_and(|derived| derived.trusts_report);
    match derived {
        Ok(_) if is_by_hash => {
            let path = at(folder, REPORT);
            report.notes.push(format!("{path} was checked by its hash alone: a picture in it is missing or damaged in {FILES}"));
            if let Some(stored) = stored_report {
                check_hash(run, folder, stored, report);
            }
        }
        Ok(_) => {}
        Err(error @ (AnalyzeError::Journal(_) | AnalyzeError::Io { .. } | AnalyzeError::Newer { .. })) => {
            report.find(at(folder, MANIFEST), FindingKind::Damaged, format!("could not be derived: {error}"));
        }
    }
    for (file, problem) in findings.take() {
        if let Some((kind, problem)) = problem {
            report.find(&file, kind, problem);
        }
        report.check(file, Check::Rederived);
    }
}

/// Checks the files of a folder against the hashes in its manifest.
pub(super) fn check_hashes(run: &Path, folder: &str, report: &mut VerifyReport) {
    let Some(manifest) = StoredManifest::read(&run.join(folder)) else {
        report.find(at(folder, MANIFEST), FindingKind::Damaged, "cannot be read");
        return;
    };
    for stored in manifest.files.iter().filter(|it| is_derived(&it.path)) {
        check_hash(run, folder, stored, report);
    }
}

/// Checks a file of a folder against its hash in the manifest.
fn check_hash(run: &Path, folder: &str, stored: &FileHash, report: &mut VerifyReport) {
    let path = at(folder, &stored.path);
    report.check(&path, Check::Hash);
    match hash_file(&run.join(&path), &stored.path) {
        Ok(found) if found == *stored => {}
        Ok(_) => report.find(path, FindingKind::Damaged, format!("is not what {} says", at(folder, MANIFEST))),
        Err(error) => {
            let (kind, problem) = unreadable(&error);
            report.find(path, kind, problem);
        }
    }
}

/// An older projection cannot be derived any more. But if all its files are those of this projection, it is none.
pub(super) fn check_age(run: &Path, folder: &str, contents: &[FileHash], version: u32, report: &mut VerifyReport) {
    let manifest = at(folder, MANIFEST);
    let mut now = VerifyReport::default();
    compare(run, folder, contents, &mut now);
    if now.findings.iter().all(|finding| finding.file == manifest) {
        report.find(
            manifest,
            FindingKind::Damaged,
            format!("says projection {version}, but its files are of projection {PROJECTION_VERSION}"),
        );
    } else {
        report.notes.push(format!("{manifest} is of projection {version}: its files were checked by their hashes alone"));
    }
}

/// Files, and what is wrong with each.
type Compared = Rc<RefCell<Vec<(String, Option<Wrong>)>>>;

/// What is wrong with a file.
type Wrong = (FindingKind, String);

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
    problem: Option<Wrong>,
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
                        let problem = if ends {
                            format!("ends after {place} bytes, but more follows from the journal")
                        } else {
                            format!("differs at byte {place} from what follows from the journal")
                        };
                        self.problem = Some((FindingKind::Damaged, problem));
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
            let problem = format!("goes on after {} bytes, where what follows from the journal ends", self.bytes);
            self.problem = Some((FindingKind::Damaged, problem));
        }
        self.findings.borrow_mut().push((self.file, self.problem));
        Ok(())
    }
}
