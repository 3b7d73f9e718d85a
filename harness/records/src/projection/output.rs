//! Where derived files go: into a folder, or nowhere but a comparison.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A place for derived files.
pub(crate) trait Output {
    /// Begins a file; the name may be that of a file in a folder inside, `figures/latency.svg`.
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
    /// What tells the temporary files of this process apart.
    mark: String,
    /// Folders inside that hold files.
    inner: RefCell<BTreeSet<PathBuf>>,
}

impl Folder {
    /// The folder at this path; made if it is not there.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned(), mark: String::new(), inner: RefCell::default() })
    }

    /// The same for a folder that several processes may write at the same time. What one of them leaves behind when it is killed
    /// stays there: this is none of a run's folder.
    pub(crate) fn shared(path: &Path) -> io::Result<Self> {
        Ok(Self { mark: format!(".{}", std::process::id()), ..Self::new(path)? })
    }

    /// Waits until the disk knows every name.
    pub(crate) fn sync(&self) -> io::Result<()> {
        for inner in self.inner.borrow().iter() {
            File::open(inner)?.sync_all()?;
        }
        File::open(&self.path)?.sync_all()
    }

    /// Makes a folder inside. One that is there already must be one itself: a link could lead anywhere.
    fn make(&self, inner: &Path) -> io::Result<()> {
        if self.inner.borrow().contains(inner) {
            return Ok(());
        }
        match fs::create_dir(inner) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ if fs::symlink_metadata(inner)?.is_dir() => self.inner.borrow_mut().insert(inner.to_owned()),
            _ => return Err(io::Error::other(format!("{} is no folder", inner.display()))),
        };
        Ok(())
    }
}

impl Output for Folder {
    fn open(&self, name: &str) -> io::Result<Box<dyn Artifact>> {
        let place = self.path.join(name);
        let (folder, file_name) = match name.rsplit_once('/') {
            Some((folder, file_name)) => (self.path.join(folder), file_name),
            None => (self.path.clone(), name),
        };
        if folder != self.path {
            self.make(&folder)?;
        }
        let temporary = folder.join(format!(".{file_name}{}.part", self.mark));
        // What a process left behind that was killed is not written through, if it is a link.
        let _ = fs::remove_file(&temporary);
        let file = File::create_new(&temporary)?;
        Ok(Box::new(Pending { file: BufWriter::with_capacity(1 << 16, file), temporary, place }))
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
