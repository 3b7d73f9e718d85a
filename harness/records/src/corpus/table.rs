//! Bounded reading of files, and CSV rows with their lines.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The largest `corpus.toml`, `items.csv` or list, in bytes.
const MAX_FILE_BYTES: u64 = 100_000_000;
/// The largest cell, in bytes.
pub(super) const MAX_CELL_BYTES: usize = 1_000_000;
/// The most rows.
pub(super) const MAX_ROWS: usize = 2_000_000;
/// The most cells of a row.
pub(super) const MAX_COLUMNS: usize = 1_000;

/// Reads a regular file of at most [`MAX_FILE_BYTES`]; the error is a fragment for a person.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    read_at_most(path, MAX_FILE_BYTES)
}

/// Reads a regular file of at most `most` bytes; the error is a fragment for a person.
pub(crate) fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    // Opening a named pipe would wait for ever.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err("is no regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    // A named pipe would wait for ever.
    let Ok(metadata) = file.metadata() else { return Err("is no regular file".to_owned()) };
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    let too_large = || format!("is larger than {} MB", most / 1_000_000);
    if metadata.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) { Ok(bytes) } else { Err(too_large()) }
}

/// Line and column (in Unicode scalar values) of a byte offset, both from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// One record of a CSV file.
pub(super) struct Row {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// Its cells; of a row that has more than [`MAX_COLUMNS`], one more than that.
    pub(super) cells: Vec<String>,
    /// Whether its quotes come in pairs. If not, a quote was never closed, and the record swallowed others.
    pub(super) quotes_balanced: bool,
}

/// The records of a CSV text without BOM. The `csv` crate's own line numbers are one too low behind CRLF and blank
/// lines, so lines are counted from its byte positions.
pub(super) struct Rows<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: csv::StringRecord,
    line: usize,
    counted_to: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, delimiter: u8) -> Self {
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
        Self { text, reader, record: csv::StringRecord::new(), line: 1, counted_to: 0 }
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.position().byte()).map_or(self.text.len(), |offset| offset.min(self.text.len()))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let mut start = self.offset();
        match self.reader.read_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        while bytes.get(start).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            start += 1;
        }
        self.line += newlines(&bytes[self.counted_to..start]);
        self.counted_to = start;
        let own = &bytes[start..self.offset().max(start)];
        let quotes_balanced = own.iter().fold(true, |balanced, byte| balanced ^ (*byte == b'"'));
        Some(Ok(Row {
            line: self.line,
            cells: self.record.iter().take(MAX_COLUMNS + 1).map(str::to_owned).collect(),
            quotes_balanced,
        }))
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| usize::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn lines(text: &str) -> Vec<(usize, usize)> {
        Rows::new(text, b',').map(|row| row.unwrap()).map(|row| (row.line, row.cells.len())).collect()
    }

    #[test]
    fn lines_are_those_of_an_editor_behind_crlf_blank_lines_and_cells_of_several_lines() {
        assert_eq!(lines("a,b\nc,d\n"), [(1, 2), (2, 2)]);
        assert_eq!(lines("a,b\r\nc,d\r\ne,f"), [(1, 2), (2, 2), (3, 2)]);
        assert_eq!(lines("\n\na,b\n\nc,d\n"), [(3, 2), (5, 2)]);
        assert_eq!(lines("a,\"1\n2\n3\"\nc,d\n"), [(1, 2), (4, 2)]);
        assert_eq!(lines("a,\"1\r\n2\"\r\n\r\nc,d,e\r\n"), [(1, 2), (4, 3)]);
    }

    #[test]
    fn an_open_quote_is_seen() {
        let balanced: Vec<bool> = Rows::new("a,\"b\"\"c\"\n\"d,e\nf,g\n", b',').map(|row| row.unwrap().quotes_balanced).collect();
        assert_eq!(balanced, [true, false]);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("一二\n三四五", "一二\n三四".len()), (2, 3));
        assert_eq!(line_and_column("", 7), (1, 1));
    }
}
