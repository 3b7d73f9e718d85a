//! Where the bytes of a journal go, and when they are safe there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that keeps bytes in the order in which they were appended.
pub trait Storage {
    /// Appends. The bytes are safe only after [`Storage::sync`].
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until everything that was appended would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file. After an error of either kind nothing is known of what the disk holds, so every later call fails as well:
/// a second `fsync` may succeed although the first one lost the pages.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
    failed: bool,
}

impl FileStorage {
    /// Makes the file, which must not exist yet, and waits until the disk knows its name.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        file.sync_all()?;
        sync_directory(path)?;
        Ok(Self { file, failed: false })
    }

    /// Opens a file to append to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self { file, failed: false })
    }

    fn once(&mut self, act: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write to this file failed, so nothing more is written to it"));
        }
        let result = act(&mut self.file);
        self.failed = result.is_err();
        result
    }
}

impl Storage for FileStorage {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.once(|file| file.write_all(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.once(|file| file.sync_data())
    }
}

/// Waits until the disk knows the names in the folder that holds `path`.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// A disk in memory that loses at a crash what was not synced. Its clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct VolatileStorage {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    bytes: Vec<u8>,
    synced: usize,
    crashed: bool,
}

impl VolatileStorage {
    /// A disk that holds these bytes, safely.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let synced = bytes.len();
        Self { disk: Arc::new(Mutex::new(Disk { bytes, synced, crashed: false })) }
    }

    /// The power goes: what was not synced is lost but for its first `torn` bytes, which happened to be on the disk
    /// already. Gives what is left. Every later call on this disk fails; the next process starts with a new one.
    #[must_use]
    pub fn crash(&self, torn: usize) -> Vec<u8> {
        let mut disk = self.lock();
        let left = disk.synced.saturating_add(torn).min(disk.bytes.len());
        disk.bytes.truncate(left);
        disk.crashed = true;
        disk.bytes.clone()
    }

    /// How many bytes would be lost if the power went now.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        let disk = self.lock();
        disk.bytes.len() - disk.synced
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // The disk is whole whenever the lock is given back, also by a thread that panicked elsewhere.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.lock();
        if disk.crashed { Err(io::Error::other("the power is gone")) } else { Ok(disk) }
    }
}

impl Storage for VolatileStorage {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.running()?.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.running()?;
        disk.synced = disk.bytes.len();
        Ok(())
    }
}
