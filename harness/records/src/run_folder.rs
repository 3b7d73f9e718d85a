//! The folder of a run: `results/<experiment>/<run-id>/`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use lacuna_model::RunId;

use crate::journal::sync_directory;

/// The journal in a run's folder.
pub const JOURNAL: &str = "journal.jsonl";
/// The folder of contents in a run's folder.
pub const FILES: &str = "files";
/// Locked by the process that drives the run. Empty, and no part of the run.
pub const LOCK: &str = "run.lock";

/// The folder of a run, locked: no other process can drive the run while this lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The lock ends when the file is closed, also by a crash.
    _lock: File,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// The name cannot be that of a folder.
    #[error("`{0}` cannot be the name of a folder (use letters, digits, `-`, `_` and `.`)")]
    Name(String),
    /// There is a run of this name already.
    #[error("{}: exists already, and a run is never overwritten (resume it or choose another run id)", .0.display())]
    Exists(PathBuf),
    /// It holds no run.
    #[error("{}: holds no {JOURNAL}, so it is not the folder of a run", .0.display())]
    NotARun(PathBuf),
    /// Another process drives the run.
    #[error("{}: another process drives this run (wait for its end)", .0.display())]
    Busy(PathBuf),
    /// The disk says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl RunFolder {
    /// Makes the folder of a new run and locks it.
    pub fn create(results: &Path, experiment: &str, run: &RunId) -> Result<Self, RunFolderError> {
        for name in [experiment, run.as_str()] {
            if !is_plain(name) {
                return Err(RunFolderError::Name(name.to_owned()));
            }
        }
        let parent = results.join(experiment);
        let path = parent.join(run.as_str());
        let failed = |source: io::Error| RunFolderError::Io { path: path.clone(), source };
        fs::create_dir_all(&parent).map_err(failed)?;
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(RunFolderError::Exists(path)),
            Err(error) => return Err(failed(error)),
        }
        sync_directory(&path).and_then(|()| sync_directory(&parent)).map_err(failed)?;
        Self::lock(path)
    }

    /// Locks the folder of a run that was interrupted.
    pub fn open(path: &Path) -> Result<Self, RunFolderError> {
        if !path.join(JOURNAL).is_file() {
            return Err(RunFolderError::NotARun(path.to_owned()));
        }
        Self::lock(path.to_owned())
    }

    fn lock(path: PathBuf) -> Result<Self, RunFolderError> {
        let file = path.join(LOCK);
        let failed = |source| RunFolderError::Io { path: file.clone(), source };
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RunFolderError::Busy(path)),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its journal is.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }
}

/// Whether a name is one folder on every system, and no way out of its parent.
fn is_plain(name: &str) -> bool {
    let fine = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(fine)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_driven_by_one_process_and_never_overwritten() {
        let results = tempfile::tempdir().unwrap();
        let run = RunId::new("20161130T080000Z-1");
        let folder = RunFolder::create(results.path(), "example", &run).unwrap();
        assert!(folder.path().ends_with("example/20161130T080000Z-1"));
        assert!(matches!(RunFolder::create(results.path(), "example", &run), Err(RunFolderError::Exists(_))));
        assert!(matches!(RunFolder::open(folder.path()), Err(RunFolderError::NotARun(_))));
        fs::write(folder.journal(), "").unwrap();
        assert!(matches!(RunFolder::open(folder.path()), Err(RunFolderError::Busy(_))));
        let path = folder.path().to_owned();
        drop(folder);
        RunFolder::open(&path).unwrap();
    }

    #[test]
    fn a_name_is_no_way_out() {
        let results = tempfile::tempdir().unwrap();
        for name in ["", "..", ".hidden", "a/b", "a\\b", "/etc", "a\0b"] {
            let refused = RunFolder::create(results.path(), name, &RunId::new("r"));
            assert!(matches!(refused, Err(RunFolderError::Name(_))), "{name:?}");
            let refused = RunFolder::create(results.path(), "e", &RunId::new(name));
            assert!(matches!(refused, Err(RunFolderError::Name(_))), "{name:?}");
        }
    }
}
