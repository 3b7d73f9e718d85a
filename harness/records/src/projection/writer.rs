//! Rows to CSV, hashed while they are written.

use std::io::{self, Read, Write};

use lacuna_model::RunId;
use sha2::{Digest, Sha256};

use super::SCHEMA_VERSION;
use super::cell::Cell;
use super::manifest::FileHash;
use super::output::{Artifact, Output};
use super::table::Table;

/// Passes bytes on, counts them and hashes them.
pub(crate) struct Hashed<T> {
    inner: T,
    sha256: Sha256,
    bytes: u64,
}

impl<T> Hashed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, sha256: Sha256::new(), bytes: 0 }
    }

    /// What passed, under this name.
    pub(crate) fn finish(self, path: &str) -> (T, FileHash) {
        let sha256 = self.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        (self.inner, FileHash { path: path.to_owned(), bytes: self.bytes, sha256 })
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.passed(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed(&buffer[..read]);
        Ok(read)
    }
}

type Csv = csv::Writer<Hashed<Box<dyn Artifact>>>;

/// Writes one table, and its guarded copy where one is asked for.
pub(crate) struct TableWriter<R> {
    table: Table<R>,
    schema_version: String,
    run_id: RunId,
    exact: Csv,
    guarded: Option<(String, Csv)>,
}

/// The name of a table's guarded copy.
pub(super) fn guarded_file(table: &str) -> String {
    format!("{table}.spreadsheet.csv")
}

fn csv(output: &dyn Output, name: &str) -> io::Result<Csv> {
    Ok(csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Hashed::new(output.open(name)?)))
}

impl<R> TableWriter<R> {
    pub fn new(table: Table<R>, run_id: &RunId, output: &dyn Output, guarded: bool) -> io::Result<Self> {
        let mut exact = csv(output, &table.file())?;
        exact.write_record(table.header())?;
        let guarded = if guarded {
            let name = guarded_file(table.name);
            let mut copy = csv(output, &name)?;
            copy.write_record(table.header())?;
            Some((name, copy))
        } else {
            None
        };
        Ok(Self { table, schema_version: SCHEMA_VERSION.to_string(), run_id: run_id.clone(), exact, guarded })
    }

    pub fn row(&mut self, row: &R) -> io::Result<()> {
        self.exact.write_field(&self.schema_version)?;
        self.exact.write_field(self.run_id.as_str())?;
        if let Some((_, copy)) = &mut self.guarded {
            copy.write_field(&self.schema_version)?;
            copy.write_field(&*Cell::text(self.run_id.as_str()).guarded())?;
        }
        for column in &self.table.columns {
            let cell = (column.cell)(row);
            self.exact.write_field(cell.as_str())?;
            if let Some((_, copy)) = &mut self.guarded {
                copy.write_field(&*cell.guarded())?;
            }
        }
        self.exact.write_record(None::<&[u8]>)?;
        if let Some((_, copy)) = &mut self.guarded {
            copy.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        self.table.file()
    }

    /// The table and what its file hashes to.
    pub fn finish(self) -> io::Result<(Table<R>, FileHash)> {
        let file = close(self.exact, &self.table.file())?;
        if let Some((name, copy)) = self.guarded {
            close(copy, &name)?;
        }
        Ok((self.table, file))
    }
}

fn close(csv: Csv, name: &str) -> io::Result<FileHash> {
    let hashed = csv.into_inner().map_err(|error| io::Error::new(error.error().kind(), error.to_string()))?;
    let (artifact, file) = hashed.finish(name);
    artifact.finish()?;
    Ok(file)
}
