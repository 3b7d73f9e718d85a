//! Where derived files go: into a folder, or nowhere but a comparison.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A place for derived files.
pub(crate) trait Output {
    /// Begins a file.
    fn open(&self, name: &str) -> io::Result<Box<dyn Artifact>>;
}

/// A file that is being derived.
pub(crate) trait Artifact: Write {
    /// The file is whole.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A folder. Each file is written beside its place, synced and then renamed, so that a reader sees the old file or the new
/// one and never a part.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at this path; made if it is not there.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Waits until the disk knows every name.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Output for Folder {
    fn open(&self, name: &str) -> io::Result<Box<dyn Artifact>> {
        let temporary = self.path.join(format!(".{name}.part"));
        let file = File::create(&temporary)?;
        Ok(Box::new(Pending { file: BufWriter::with_capacity(1 << 16, file), temporary, place: self.path.join(name) }))
    }
}

struct Pending {
    file: BufWriter<File>,
    temporary: PathBuf,
    place: PathBuf,
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Pending {
    /// A derivation that failed leaves nothing behind; after a rename there is nothing to remove.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Artifact for Pending {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.place)
    }
}
