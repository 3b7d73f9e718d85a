//! A run in the forms of others: Parquet, OONI's measurements, Citizen Lab's keyword lists, an RO-Crate.
//!
//! An export is made of the run's CSV files and of the study in its journal, and only after [`verify`](crate::verify::verify) has
//! found nothing wrong with them: it cannot say anything that they do not say. What each form means, and what is lost in it, stands
//! in `docs/src/exports.md`.

mod citizenlab;
mod ooni;
#[cfg(feature = "parquet")]
mod parquet;
mod ro_crate;
mod source;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use source::Source;

use crate::journal::JournalError;

/// The form of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A folder with a Parquet file for each table.
    #[cfg(feature = "parquet")]
    Parquet,
    /// JSON Lines in the shape of OONI's base data format: a measurement for each item, arm and recipient.
    Ooni,
    /// A table in the columns of Citizen Lab's lists of chat keywords.
    CitizenLab,
    /// A folder with a copy of the run and `ro-crate-metadata.json`.
    RoCrate,
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exported {
    /// The files, inside `out`; empty if `out` is the file.
    pub files: Vec<String>,
    /// Rows, measurements or files.
    pub count: usize,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// A run that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder is not what its journal says.
    #[error(
        "{}: {file} {problem} (an export says what an intact run says: see `lacuna verify`, and `lacuna analyze` to derive the files anew)",
        run.display()
    )]
    Damaged {
        /// The run.
        run: PathBuf,
        /// The first file that is wrong.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something stands where the export is to go.
    #[error("{}: exists already (name another --out)", .0.display())]
    Exists(PathBuf),
    /// The export would become a foreign file of the run.
    #[error("{}: is inside the run's folder, where it would be no part of the run (name another --out)", .0.display())]
    Inside(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ExportError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// Exports the run in `run` to `out`, which must not exist yet: a file for [`Form::Ooni`] and [`Form::CitizenLab`], else a folder.
pub fn export(run: &Path, form: Form, out: &Path) -> Result<Exported, ExportError> {
    check_place(run, out)?;
    let source = Source::open(run)?;
    match form {
        #[cfg(feature = "parquet")]
        Form::Parquet => {
            fs::create_dir(out).map_err(ExportError::io(out))?;
            parquet::write(&source, out)
        }
        Form::Ooni => write_file(out, |file| ooni::write(&source, file)),
        Form::CitizenLab => write_file(out, |file| citizenlab::write(&source, file)),
        Form::RoCrate => {
            fs::create_dir(out).map_err(ExportError::io(out))?;
            ro_crate::write(&source, out)
        }
    }
}

fn check_place(run: &Path, out: &Path) -> Result<(), ExportError> {
    if out.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(out.to_owned()));
    }
    let parent = out.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(ExportError::io(parent))?;
    let run = run.canonicalize().map_err(ExportError::io(run))?;
    if parent.starts_with(run) { Err(ExportError::Inside(out.to_owned())) } else { Ok(()) }
}

/// Writes beside the place and renames: what stands there in the end is whole.
fn write_file(
    out: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<Exported, ExportError>,
) -> Result<Exported, ExportError> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = out.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&part).map_err(ExportError::io(&part))?;
    let mut file = BufWriter::with_capacity(1 << 16, file);
    let written = write(&mut file).and_then(|exported| {
        let file = file.into_inner().map_err(|error| ExportError::io(&part)(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&part, out)).map_err(ExportError::io(out))?;
        Ok(exported)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
