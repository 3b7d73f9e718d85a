//! Deriving the files of a run anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use lacuna_inference::conclusion::FileClaims;
use lacuna_inference::evidence::Evidence;
use lacuna_inference::rules::TextRecord;
use lacuna_inference::verdicts::VerdictRecord;

use super::PROJECTION_VERSION;
use super::derive::{Derived, Options, derive};
use super::figure_tables::FIGURES;
use super::manifest::{FileHash, MANIFEST, StoredManifest};
use super::output::Folder;
use super::registration::Registration;
use super::writer::Hashed;
use crate::journal::{Counts, Header, JournalError, Seal};
use crate::run_folder::{FILES, JOURNAL};

/// Folders of later projections begin with this.
pub(crate) const PROJECTION_FOLDER_PREFIX: &str = "derived-v";

/// What `analyze` is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AnalyzeOptions {
    /// Also write `<table>.spreadsheet.csv`, in which text that a spreadsheet would take for a formula is guarded.
    pub spreadsheet_safe: bool,
}

/// What was derived.
pub struct Analysis {
    /// The first line of the journal.
    pub header: Header,
    /// The seal; `None` if the run did not come to its end.
    pub seal: Option<Seal>,
    /// What the journal holds.
    pub counts: Counts,
    /// What became of every send.
    pub evidence: Evidence,
    /// What is claimed.
    pub verdicts: Vec<VerdictRecord>,
    /// What in texts is blocked.
    pub texts: Vec<TextRecord>,
    /// By what files are filtered.
    pub claims: FileClaims,
    /// The lock that the run was checked against, and where it departs from it.
    pub registration: Option<Registration>,
    /// Where the files were written: the run's folder, or `derived-vN` in it if an older projection stands there.
    pub folder: PathBuf,
    /// The files that stood there before and were different; without a newer Lacuna there should be none.
    pub changed: Vec<String>,
}

/// A run that cannot be analyzed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file cannot be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A newer Lacuna has derived what stands in the folder.
    #[error("{}: derived by projection {found}, this Lacuna has {PROJECTION_VERSION} (use a newer Lacuna)", file.display())]
    Newer {
        /// The manifest.
        file: PathBuf,
        /// The version there.
        found: u32,
    },
}

impl AnalyzeError {
    pub(super) fn write(file: &str, source: io::Error) -> Self {
        Self::Io { file: file.into(), source }
    }
}

/// Derives every file of the run in `run` from its journal, byte for byte as it was derived before.
pub fn analyze(run: &Path, options: AnalyzeOptions) -> Result<Analysis, AnalyzeError> {
    let target = match StoredManifest::read(run).map(|it| it.projection_version) {
        Some(found) if found > PROJECTION_VERSION => return Err(AnalyzeError::Newer { file: run.join(MANIFEST), found }),
        Some(found) if found < PROJECTION_VERSION => run.join(format!("{PROJECTION_FOLDER_PREFIX}{PROJECTION_VERSION}")),
        _ => run.to_owned(),
    };
    let failed = |source| AnalyzeError::Io { file: target.clone(), source };
    let output = Folder::new(&target).map_err(failed)?;
    let mut before = hashes(&target).map_err(failed)?;
    before.extend(inner_hashes(&target, FIGURES).map_err(failed)?.into_iter().map(|file| (file.path.clone(), file)));
    let contents = inner_hashes(run, FILES).map_err(failed)?;
    let options =
        Options { spreadsheet_safe: options.spreadsheet_safe, contents: &contents, files: &run.join(FILES), stored_report: None };
    let Derived { header, seal, counts, evidence, verdicts, texts, claims, registration, files, .. } =
        derive(&run.join(JOURNAL), &output, &options)?;
    output.sync().map_err(failed)?;
    let changed = files.into_iter().filter(|file| before.get(&file.path).is_some_and(|before| before != file));
    let changed = changed.map(|file| file.path).collect();
    Ok(Analysis { header, seal, counts, evidence, verdicts, texts, claims, registration, folder: target, changed })
}

/// The regular files in a folder, hashed.
fn hashes(folder: &Path) -> io::Result<BTreeMap<String, FileHash>> {
    let mut hashes = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Only derived files are of interest, and their names are plain.
        if let (true, Ok(name)) = (entry.file_type()?.is_file(), entry.file_name().into_string())
            && name != JOURNAL
        {
            let hash = hash_file(&entry.path(), &name)?;
            hashes.insert(name, hash);
        }
    }
    Ok(hashes)
}

/// What a file hashes to, under this name.
pub(crate) fn hash_file(path: &Path, name: &str) -> io::Result<FileHash> {
    if !fs::symlink_metadata(path)?.is_file() {
        // A link or a device could lead anywhere and never end.
        return Err(io::Error::other("is no regular file"));
    }
    let mut hashed = Hashed::new(File::open(path)?);
    io::copy(&mut hashed, &mut io::sink())?;
    Ok(hashed.finish(name).1)
}

/// The regular files in a folder inside a folder, hashed, in order; none if it is not there.
fn inner_hashes(run: &Path, inner: &str) -> io::Result<Vec<FileHash>> {
    let folder = run.join(inner);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = hashes(&folder)?.into_values();
    Ok(files.map(|file| FileHash { path: format!("{inner}/{}", file.path), ..file }).collect())
}
