//! What may stand in a run's folder, and the contents in `files/`.

use std::fs;
use std::path::Path;

use super::{Check, FindingKind, VerifyReport, at, unreadable};
use crate::projection::{FIGURES, FileHash, MANIFEST, PROJECTION_FOLDER_PREFIX, hash_file, is_derived};
use crate::run_folder::{FILES, JOURNAL, LOCK};

/// Whether a path that a manifest states is one of a content: a plain name in `files/`, and no way out of it.
pub(super) fn is_content(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, name)| folder == FILES && !name.starts_with('.') && !name.contains(['/', '\\']))
}

/// Looks for what does not belong into the folder; gives the folders of other projections.
pub(super) fn look(run: &Path, contents: &[FileHash], report: &mut VerifyReport) -> Vec<String> {
    let mut folders = Vec::new();
    for (name, is_folder) in names(run, "", report) {
        if is_folder && name.starts_with(PROJECTION_FOLDER_PREFIX) {
            for (inner, is_folder) in names(run, &name, report) {
                if is_folder && inner == FIGURES {
                    figures(run, &name, report);
                } else if is_folder || !is_derived(&inner) {
                    report.find(at(&name, &inner), FindingKind::Foreign, "is no part of a run");
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
                        report.find(MANIFEST, FindingKind::Damaged, format!("does not name {path}"));
                    }
                    report.find(path, FindingKind::Foreign, format!("is not named in {MANIFEST}"));
                }
            }
        } else if is_folder || !(is_derived(&name) || name == JOURNAL || name == LOCK) {
            report.find(name, FindingKind::Foreign, "is no part of a run");
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
            report.find(at(folder, &path), FindingKind::Foreign, "is no part of a run");
        }
    }
}

/// The names in a folder, and whether each is a folder itself. Anything but files and folders is a finding.
fn names(run: &Path, folder: &str, report: &mut VerifyReport) -> Vec<(String, bool)> {
    let entries = match fs::read_dir(run.join(folder)) {
        Ok(entries) => entries,
        Err(error) => {
            let (kind, problem) = unreadable(&error);
            report.find(folder, kind, problem);
            return Vec::new();
        }
    };
    let mut names = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_file() || kind.is_dir() => names.push((name, kind.is_dir())),
            _ => report.find(at(folder, &name), FindingKind::Foreign, "is neither a file nor a folder"),
        }
    }
    names
}

/// Whether a content is what its name says: contents are named by their own hash.
fn is_whole(content: &FileHash) -> bool {
    Path::new(&content.path).file_stem().is_some_and(|stem| stem == content.sha256.as_str())
}

/// Checks the contents that the manifest names; gives what a manifest should say of them.
pub(super) fn check_contents(run: &Path, contents: Vec<FileHash>, report: &mut VerifyReport) -> Vec<FileHash> {
    let check = |stored: FileHash| {
        report.check(&stored.path, Check::Hash);
        match hash_file(&run.join(&stored.path), &stored.path) {
            Ok(found) if is_whole(&found) => return found,
            Ok(_) => report.find(&stored.path, FindingKind::Damaged, "is not what its name says"),
            Err(error) => {
                let (kind, problem) = unreadable(&error);
                report.find(&stored.path, kind, problem);
            }
        }
        stored
    };
    contents.into_iter().map(check).collect()
}
