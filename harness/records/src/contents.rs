//! `files/` in a run's folder: the files that were sent and received, each under the SHA-256 of its bytes.
//!
//! A file is written beside its place, synced, and then renamed: under its name it is whole or not there. What the journal names is
//! therefore stored before the journal names it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lacuna_content::sha256_hex;

use crate::corpus::read_at_most;
use crate::experiment::StudyFile;
use crate::journal::sync_directory;
use crate::run_folder::FILES;

/// The contents of a run. May be used by several threads at once.
#[derive(Debug)]
pub struct Contents {
    folder: PathBuf,
    /// The most bytes of received files.
    most_received: u64,
    /// What received files have by now; while it is locked, one thread writes.
    received: Mutex<u64>,
}

/// A file cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// What was received takes too much room.
    #[error("the received files have more than {0} bytes together")]
    Full(u64),
    /// A name that is no hash.
    #[error("`{0}` is no SHA-256")]
    Name(String),
    /// The disk says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A file of the study is not what it was when the experiment was read.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It cannot be read, or has other bytes now.
    #[error("{}: {detail}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// It cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

/// Whether a name is that of a content: 64 lower-case hexadecimal digits.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn holds(folder: &Path, sha256: &str) -> bool {
    is_name(sha256) && fs::symlink_metadata(folder.join(sha256)).is_ok_and(|found| found.is_file())
}

/// A content in the folder of contents, if it is what its name says and has this length.
pub(crate) fn read(folder: &Path, sha256: &str, length: u64) -> io::Result<Vec<u8>> {
    if !holds(folder, sha256) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no {FILES}/{sha256}")));
    }
    let mut bytes = Vec::new();
    File::open(folder.join(sha256))?.take(length.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length || sha256_hex(&bytes) != sha256 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{FILES}/{sha256} is not what its name says")));
    }
    Ok(bytes)
}

impl Contents {
    /// The contents of the run in `run`, which is locked by this process. What is there counts as received; what was written in part
    /// when a run was interrupted is removed.
    pub fn open(run: &Path, most_received: u64) -> io::Result<Self> {
        let folder = run.join(FILES);
        let mut received = 0;
        if folder.is_dir() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name();
                if name.to_str().is_some_and(|name| name.strip_prefix('.').and_then(part).is_some_and(is_name)) {
                    fs::remove_file(entry.path())?;
                } else {
                    received += entry.metadata()?.len();
                }
            }
        }
        Ok(Self { folder, most_received, received: Mutex::new(received) })
    }

    /// Copies the files of a study, before anything else is there. They do not count as received.
    pub fn copy(&self, files: &[StudyFile]) -> Result<(), CopyError> {
        for file in files {
            let wrong = |detail: String| CopyError::Source { path: file.path.clone(), detail };
            let bytes = read_at_most(&file.path, u64::MAX - 1).map_err(wrong)?;
            if sha256_hex(&bytes) != *file.sha256 {
                return Err(wrong("has changed since the experiment was read".to_owned()));
            }
            self.write(&file.sha256, &bytes)?;
        }
        if let Some(first) = files.first() {
            self.synced(&first.sha256)?;
        }
        Ok(())
    }

    /// Keeps a received file under its hash, which the caller has computed. When this returns, it is on the disk for good.
    pub fn keep(&self, sha256: &str, bytes: &[u8]) -> Result<(), KeepError> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if self.holds(sha256) {
            return Ok(());
        }
        let sum = received.saturating_add(bytes.len() as u64);
        if sum > self.most_received {
            return Err(KeepError::Full(self.most_received));
        }
        self.write(sha256, bytes)?;
        self.synced(sha256)?;
        *received = sum;
        Ok(())
    }

    /// Whether there is a content of this name.
    #[must_use]
    pub fn holds(&self, sha256: &str) -> bool {
        holds(&self.folder, sha256)
    }

    /// A content, if it is what its name says and has this length.
    pub fn read(&self, sha256: &str, length: u64) -> io::Result<Vec<u8>> {
        read(&self.folder, sha256, length)
    }

    fn write(&self, sha256: &str, bytes: &[u8]) -> Result<(), KeepError> {
        if !is_name(sha256) {
            return Err(KeepError::Name(sha256.to_owned()));
        }
        let (place, beside) = (self.folder.join(sha256), self.folder.join(format!(".{sha256}.part")));
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &place)
        };
        write().map_err(|source| {
            // Nothing of it shall be left.
            let _ = fs::remove_file(&beside);
            KeepError::Io { path: place.clone(), source }
        })
    }

    /// Waits until the disk knows the names in the folder, and the folder's own.
    fn synced(&self, sha256: &str) -> Result<(), KeepError> {
        let place = self.folder.join(sha256);
        let synced = sync_directory(&place).and_then(|()| sync_directory(&self.folder));
        synced.map_err(|source| KeepError::Io { path: place, source })
    }
}

fn part(name: &str) -> Option<&str> {
    name.strip_suffix(".part")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_whole_and_bounded() {
        let run = tempfile::tempdir().unwrap();
        let hash = |bytes: &[u8]| sha256_hex(bytes);
        let contents = Contents::open(run.path(), 10).unwrap();
        assert!(!run.path().join(FILES).exists(), "a run without files has no folder for them");
        contents.keep(&hash(b"sixsix"), b"sixsix").unwrap();
        contents.keep(&hash(b"sixsix"), b"sixsix").unwrap();
        assert!(matches!(contents.keep(&hash(b"more!"), b"more!"), Err(KeepError::Full(10))));
        contents.keep(&hash(b"four"), b"four").unwrap();
        assert_eq!(contents.read(&hash(b"four"), 4).unwrap(), b"four");
        assert!(contents.read(&hash(b"four"), 3).is_err());
        assert!(contents.read(&hash(b"more!"), 5).is_err());
        for name in ["../journal.jsonl", "", "A", &"A".repeat(64)] {
            assert!(matches!(contents.keep(name, b""), Err(KeepError::Name(_))), "{name}");
            assert!(contents.read(name, 0).is_err());
        }

        // A crash in the middle of a write, and one who changes a file.
        let torn = run.path().join(FILES).join(format!(".{}.part", hash(b"torn")));
        fs::write(&torn, b"to").unwrap();
        fs::write(run.path().join(FILES).join(hash(b"four")), b"five").unwrap();
        let again = Contents::open(run.path(), 10).unwrap();
        assert!(!torn.exists());
        assert!(again.read(&hash(b"four"), 4).is_err());
        assert!(matches!(again.keep(&hash(b"x"), b"x"), Err(KeepError::Full(10))), "what was there before counts");
    }

    #[test]
    fn a_file_that_changed_is_not_copied() {
        let (run, corpus) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = corpus.path().join("a.png");
        let file = StudyFile { sha256: sha256_hex(b"before").into(), path: path.clone() };
        let contents = Contents::open(run.path(), 0).unwrap();
        assert!(matches!(contents.copy(std::slice::from_ref(&file)), Err(CopyError::Source { .. })));
        fs::write(&path, b"after").unwrap();
        assert!(matches!(contents.copy(std::slice::from_ref(&file)), Err(CopyError::Source { .. })));
        fs::write(&path, b"before").unwrap();
        contents.copy(std::slice::from_ref(&file)).unwrap();
        assert_eq!(contents.read(&file.sha256, 6).unwrap(), b"before");
    }
}
