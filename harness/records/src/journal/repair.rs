//! A journal after a crash: what is whole stays, a torn tail goes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::chain::ChainHash;
use super::counts::Seal;
use super::encoder::Encoder;
use super::error::{JournalError, LineProblem};
use super::header::Header;
use super::lines::{Found, read_line};
use super::reader::Reader;

/// What a scan of a journal found.
#[derive(Debug)]
pub struct Scan {
    /// The first line.
    pub header: Header,
    /// Writes the next line.
    pub encoder: Encoder,
    /// The seal, if the last whole line is one.
    pub seal: Option<Seal>,
    /// Whole lines, the header among them.
    pub lines: u64,
    /// Their length, in bytes: where the torn tail begins.
    pub length: u64,
}

/// A journal that can be continued.
#[derive(Debug)]
pub struct Recovered {
    /// What stands in it.
    pub scan: Scan,
    /// The length of the torn tail that was cut off, in bytes; 0 if the journal was whole.
    pub truncated_bytes: u64,
}

/// Reads a journal up to its last whole line.
///
/// A tail is torn if the file ends within a line, or if only bytes follow that are no line of a journal at all: that is what
/// a crash leaves of bytes that were never synced. Where a line that is built like one of a journal follows, or is itself
/// wrong, the file was changed or its disk is broken, and that is an error.
pub fn scan(file: &Path, input: impl BufRead) -> Result<Scan, JournalError> {
    let mut reader = Reader::new(file, input)?;
    let broken = loop {
        match reader.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    let (lines, length, chain, next, counts) =
        (reader.lines(), reader.length(), reader.last_hash(), reader.next_sequence(), reader.counts());
    let seal = reader.seal().copied();
    let (header, input, line) = reader.into_parts();
    match broken {
        None | Some(JournalError::Line { problem: LineProblem::Unfinished, .. }) => {}
        Some(error @ JournalError::Line { problem: LineProblem::Shape | LineProblem::TooLong, .. }) => {
            if holds_a_line(file, input, line)? {
                return Err(error);
            }
        }
        Some(error) => return Err(error),
    }
    let encoder = Encoder::resume(&header.study, chain, next.0, counts);
    Ok(Scan { header, encoder, seal, lines, length })
}

/// Whether anything behind a broken place is built like a line of a journal.
fn holds_a_line(file: &Path, mut input: impl BufRead, mut line: Vec<u8>) -> Result<bool, JournalError> {
    loop {
        if line.starts_with(b"{\"seq\":") && ChainHash::split_line(&line).is_some() {
            return Ok(true);
        }
        match read_line(&mut input, &mut line) {
            // What is left of a line that was too long is read on as if it were lines.
            Ok(Found::Line | Found::TooLong) => {}
            Ok(Found::Unfinished | Found::Nothing) => return Ok(false),
            Err(source) => return Err(JournalError::Io { file: file.to_owned(), source }),
        }
    }
}

/// Makes a journal ready to be continued: cuts off a torn tail and waits until the disk has it.
///
/// Hold the lock of the run while calling this. Entries are read with [`Reader`] afterwards. A journal that is damaged
/// anywhere else is refused and left as it is.
pub fn recover(file: &Path) -> Result<Recovered, JournalError> {
    let failed = |source| JournalError::Io { file: file.to_owned(), source };
    let input = File::open(file).map_err(failed)?;
    let found = input.metadata().map_err(failed)?.len();
    let scan = scan(file, BufReader::with_capacity(1 << 16, input))?;
    let truncated_bytes = found.saturating_sub(scan.length);
    if truncated_bytes > 0 {
        let output = OpenOptions::new().write(true).open(file).map_err(failed)?;
        output.set_len(scan.length).map_err(failed)?;
        output.sync_all().map_err(failed)?;
    }
    Ok(Recovered { scan, truncated_bytes })
}
