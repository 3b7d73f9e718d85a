//! Reading a log, row by row, with everything that is wrong in it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csv::{ByteRecord, StringRecord};
use lacuna_model::{Location, Problem, Timestamp};

use super::columns::{Column, ColumnNames, Places};
use super::time::{DateOrder, Unreadable, parse, proven_order};

/// A row of a log may have so many bytes; more is an unclosed quotation mark or no log.
const ROW_BYTES: u64 = 16 << 20;
/// So many problems of a log are told; more help nobody.
const PROBLEMS: usize = 100;

/// One row of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LogRow<'r> {
    /// Counted from 1, the header left out.
    pub row: u32,
    pub id: Option<&'r str>,
    pub text: &'r str,
    pub at: Option<Timestamp>,
    /// Sender, recipient, venue.
    pub parties: [&'r str; 3],
}

/// A record that is no row; why is among the problems.
struct Unusable;

/// A place in a log to come back to.
#[derive(Clone, Debug)]
pub(super) struct Bookmark {
    position: csv::Position,
    rows: u32,
}

/// The columns that tell channels apart, as [`LogRow::parties`] has them.
pub(super) const PARTIES: [Column; 3] = [Column::Sender, Column::Recipient, Column::Venue];

/// A log that is being read.
pub(super) struct Log {
    path: PathBuf,
    reader: csv::Reader<Limited>,
    budget: Rc<Cell<u64>>,
    record: StringRecord,
    places: Places,
    headers: Vec<String>,
    order: Option<DateOrder>,
    rows: u32,
    finished: bool,
    /// The line of the last record, if its last cell has a line break: it may be a quotation mark that is never closed.
    open_since: Option<u64>,
    problems: Vec<Problem>,
    /// A time without a zone was seen.
    pub zoneless: bool,
    /// A time without seconds was seen.
    pub coarse: bool,
}

impl Log {
    /// Opens a log and finds its columns. Nothing is returned where it cannot be read any further.
    pub fn open(path: &Path, names: &ColumnNames) -> Result<Self, Vec<Problem>> {
        let whole = |message: String, fix: &str| {
            let location = Location { file: path.to_owned(), ..Location::default() };
            vec![Problem { location, key: String::new(), message, fix: fix.to_owned() }]
        };
        let failed = |error: io::Error| whole(format!("cannot be read: {error}"), "");
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
        let start = file.fill_buf().map_err(failed)?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(whole("is in UTF-16".to_owned(), "save it as CSV in UTF-8"));
        }
        if start.starts_with(b"PK\x03\x04") {
            return Err(whole("is a spreadsheet or an archive".to_owned(), "save the sheet as CSV in UTF-8"));
        }
        let mark = if start.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
        let line = start[mark..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = likeliest_delimiter(line);
        file.seek(SeekFrom::Start(mark as u64)).map_err(failed)?;
        let budget = Rc::new(Cell::new(ROW_BYTES));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(Limited { file, start: mark as u64, budget: Rc::clone(&budget) });
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(|error| whole(format!("cannot be read: {error}"), ""))? {
            return Err(whole("is empty".to_owned(), "give it a line of headers"));
        }
        let headers: Vec<String> = record.iter().map(|header| String::from_utf8_lossy(header).trim().to_owned()).collect();
        let (places, wrong) = Places::find(&headers.iter().map(String::as_str).collect::<Vec<_>>(), names);
        if !wrong.is_empty() {
            let location = Location { file: path.to_owned(), line: 1, column: 0 };
            let problem = |(column, message, fix): (Column, String, String)| Problem {
                location: location.clone(),
                key: column.to_string(),
                message,
                fix,
            };
            return Err(wrong.into_iter().map(problem).collect());
        }
        Ok(Self {
            path: path.to_owned(),
            reader,
            budget,
            record: StringRecord::new(),
            places,
            headers,
            order: None,
            rows: 0,
            finished: false,
            open_since: None,
            problems: Vec::new(),
            zoneless: false,
            coarse: false,
        })
    }

    /// The header of a column, if the log has it.
    pub fn header(&self, column: Column) -> Option<&str> {
        self.places.get(column).and_then(|place| self.headers.get(place)).map(String::as_str)
    }

    /// The file, as the person named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many rows there were.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// The next row that can be read; the others become problems.
    pub fn next_row(&mut self) -> Option<LogRow<'_>> {
        while !self.finished {
            self.budget.set(ROW_BYTES);
            let mut record = std::mem::take(&mut self.record).into_byte_record();
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    self.finished = true;
                    self.check_end();
                    break;
                }
                Err(error) => {
                    self.finished = true;
                    let line = self.reader.position().line();
                    self.problem(line, None, format!("cannot be read: {error}"), "look for a quotation mark that is not closed");
                    break;
                }
            }
            if self.rows == u32::MAX {
                self.finished = true;
                self.problem(0, None, "has more rows than can be counted".to_owned(), "cut it");
                break;
            }
            self.rows += 1;
            if let Ok(at) = self.check(record) {
                return Some(self.row(at));
            }
        }
        None
    }

    /// The place before the next row.
    pub fn bookmark(&self) -> Bookmark {
        Bookmark { position: self.reader.position().clone(), rows: self.rows }
    }

    /// Goes back, or on, to a place of this log.
    pub fn go_to(&mut self, bookmark: &Bookmark) -> io::Result<()> {
        self.reader.seek(bookmark.position.clone()).map_err(io::Error::from)?;
        self.rows = bookmark.rows;
        self.finished = false;
        Ok(())
    }

    /// The record as a row; its parts are checked.
    fn row(&self, at: Option<Timestamp>) -> LogRow<'_> {
        let cell = |column| self.cell(column).unwrap_or_default();
        LogRow {
            row: self.rows,
            id: self.cell(Column::Id).map(str::trim).filter(|id| !id.is_empty()),
            text: cell(Column::Text),
            at,
            parties: PARTIES.map(|column| cell(column).trim()),
        }
    }

    fn cell(&self, column: Column) -> Option<&str> {
        self.places.get(column).and_then(|place| self.record.get(place))
    }

    /// The time of the record, if it has one; an error where the record cannot be used, which is a problem by then.
    fn check(&mut self, record: ByteRecord) -> Result<Option<Timestamp>, Unusable> {
        let line = record.position().map_or(0, csv::Position::line);
        let (fields, expected) = (record.len(), self.headers.len());
        self.open_since = record.iter().next_back().is_some_and(|cell| cell.contains(&b'\n')).then_some(line);
        if fields != expected {
            let message = format!("has {fields} cells where the header has {expected}");
            self.problem(line, None, message, "put cells with commas, quotation marks or line breaks in quotation marks");
            return Err(Unusable);
        }
        match StringRecord::from_byte_record(record) {
            Ok(record) => self.record = record,
            Err(error) => {
                let (place, start) = (error.utf8_error().field(), error.utf8_error().valid_up_to());
                let record = error.into_byte_record();
                let cell = record.get(place).and_then(|cell| cell.get(start..)).unwrap_or_default();
                let bytes: Vec<String> = cell.iter().take(4).map(|byte| format!("{byte:02X}")).collect();
                let key = self.headers.get(place).cloned();
                self.problem(line, key, format!("is not UTF-8 ({})", bytes.join(" ")), "save the file as CSV in UTF-8");
                return Err(Unusable);
            }
        }
        let written = self.cell(Column::At).map(str::trim).filter(|written| !written.is_empty());
        let Some(written) = written else {
            return Ok(None);
        };
        let mut result = parse(written, self.order);
        if result == Err(Unreadable::Ambiguous) {
            let written = written.to_owned();
            self.order = self.order.or_else(|| self.find_order());
            result = parse(&written, self.order);
        }
        match result {
            Ok(time) => {
                self.zoneless |= !time.zoned;
                self.coarse |= time.coarse;
                Ok(Some(time.at))
            }
            Err(why) => {
                let written = self.cell(Column::At).unwrap_or_default();
                let message = match why {
                    Unreadable::NoTimeOfDay => format!("`{written}` has no time of day"),
                    Unreadable::Ambiguous => format!("`{written}`: day or month first?"),
                    Unreadable::Unknown => format!("`{written}` is no time that is understood"),
                };
                let key = self.header(Column::At).map(str::to_owned);
                self.problem(line, key, message, "write 2026-01-31T09:05:00Z, or leave the column out with at=");
                Err(Unusable)
            }
        }
    }

    /// A quotation mark that is never closed makes all rows behind it one cell; their messages would seem not to be there.
    fn check_end(&mut self) {
        if let Some(line) = self.open_since.take()
            && quotes_are_odd(&self.path).is_ok_and(|odd| odd)
        {
            let message = "a quotation mark is opened and never closed".to_owned();
            self.problem(line, None, message, "close it; inside a quoted cell write \"\" for a quotation mark");
        }
    }

    /// Looks through the whole log for a date that says whether days or months come first.
    fn find_order(&self) -> Option<DateOrder> {
        let place = self.places.get(Column::At)?;
        let mut other =
            Self::open(&self.path, &ColumnNames::parse(&format!("text={},at=", self.header(Column::Text)?)).ok()?).ok()?;
        let mut record = ByteRecord::new();
        loop {
            other.budget.set(ROW_BYTES);
            if !other.reader.read_byte_record(&mut record).ok()? {
                return None;
            }
            let written = record.get(place).and_then(|cell| std::str::from_utf8(cell).ok());
            if let Some(order) = written.and_then(proven_order) {
                return Some(order);
            }
        }
    }

    fn problem(&mut self, line: u64, key: Option<String>, message: String, fix: &str) {
        if self.problems.len() >= PROBLEMS {
            self.finished = true;
            return;
        }
        let line = usize::try_from(line).unwrap_or(0);
        let location = Location { file: self.path.clone(), line, column: 0 };
        self.problems.push(Problem { location, key: key.unwrap_or_default(), message, fix: fix.to_owned() });
    }
}

/// Whether a file has an odd number of quotation marks.
fn quotes_are_odd(path: &Path) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut odd = false;
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(odd);
        }
        odd ^= bytes.iter().fold(false, |odd, byte| odd ^ (*byte == b'"'));
        let read = bytes.len();
        file.consume(read);
    }
}

/// The separator that the line of headers has most of: spreadsheets write semicolons where the comma is a decimal sign.
fn likeliest_delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: u8| line.split(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// A file from which only so much may be read for one row.
struct Limited {
    file: BufReader<File>,
    /// Where the text begins, behind the byte order mark.
    start: u64,
    budget: Rc<Cell<u64>>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.get();
        if left == 0 {
            return Err(io::Error::other(format!("a row of more than {} MiB", ROW_BYTES >> 20)));
        }
        let read = self.file.read(buffer)?;
        self.budget.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(offset) => self.file.seek(SeekFrom::Start(offset + self.start)).map(|offset| offset - self.start),
            SeekFrom::Current(_) | SeekFrom::End(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
