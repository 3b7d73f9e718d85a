//! The log of submissions: an independent witness of what reached the platform.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use lacuna_model::Timestamp;
use serde::Serialize;

/// One submission.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) at_us: Timestamp,
    pub(super) sender: &'a str,
    pub(super) venue: &'a str,
    pub(super) client_ref: &'a str,
    pub(super) message_id: Option<&'a str>,
    pub(super) result: &'static str,
}

/// A file to which each submission is appended before its answer leaves.
pub(super) struct Witness {
    file: File,
    line: Vec<u8>,
}

impl Witness {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::options().create(true).append(true).open(path)?, line: Vec::new() })
    }

    /// Hands a line to the system in one write, so that the end of this process does not tear it.
    pub(super) fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)
    }
}
