//! The comparison of logs in which every message has an id: in little memory, whatever their size.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

use hashbrown::HashTable;
use lacuna_content::normal_form;
use lacuna_model::{MatchedBy, Timestamp};

use super::columns::ColumnNames;
use super::compare::{DiffError, Parties, check};
use super::log::{Bookmark, Log, LogRow};
use super::output::{Counts, DiffVerdict, Output};

/// A place to come back to is kept for every so many received rows.
const BOOKMARK_ROWS: u32 = 1_024;
/// In [`Arrivals::rows`]: the received text is not the sent one, letter for letter.
const OTHER_TEXT: u32 = 1 << 31;

/// What is known of a message without its text: 96 bits of a keyed hash of its id and channel, 32 of one of its text. Two of ten
/// million messages have the same 96 bits with a probability below 1e-14, and nobody who does not know the keys can
/// make such a pair. Equal text bits for a changed text come once in four thousand million changed texts.
type Print = [u64; 2];

struct Printer([RandomState; 3]);

impl Printer {
    fn new() -> Self {
        Self(std::array::from_fn(|_| RandomState::new()))
    }

    fn print(&self, id: &str, channel: [&str; 3], text: &str) -> Print {
        let key = (channel, id);
        let [first, second, third] = &self.0;
        [first.hash_one(key), second.hash_one(key) >> 32 << 32 | third.hash_one(text) >> 32]
    }
}

/// The message is the same.
fn same_message(one: Print, other: Print) -> bool {
    one[0] == other[0] && one[1] >> 32 == other[1] >> 32
}

/// The text is the same too.
fn same_text(one: Print, other: Print) -> bool {
    one[1] & 0xFFFF_FFFF == other[1] & 0xFFFF_FFFF
}

/// What arrived of each sent row.
#[derive(Default)]
struct Arrivals {
    /// The number of the received row, 0 if there is none, and [`OTHER_TEXT`].
    rows: Vec<u32>,
    /// Its time; `i64::MIN` if it has none.
    at: Vec<i64>,
    /// Sent row, counted from 0, and received row.
    duplicates: Vec<(u32, u32)>,
    /// Received rows.
    unexpected: Vec<u32>,
    bookmarks: Vec<Bookmark>,
}

/// Compares two logs just opened. `None`, with nothing written, where that cannot be done by ids alone: a row has none, the
/// sent log has one twice, or no id is in both logs.
pub(super) fn compare_by_id(
    sent: &mut Log,
    received: &mut Log,
    sent_columns: &ColumnNames,
    received_columns: &ColumnNames,
    out: impl Write,
) -> Result<Option<Counts>, DiffError> {
    let printer = Printer::new();
    let mut parties = [Parties::of(sent, received), Parties::of(sent, received)];
    let Some(prints) = read_sent(sent, &printer, &mut parties[0]) else {
        return Ok(None);
    };
    let Some(arrivals) = read_received(received, &printer, &mut parties[1], &prints) else {
        return Ok(None);
    };
    drop(prints);
    check(sent, received, &parties)?;
    write(sent.path(), received.path(), sent_columns, received_columns, arrivals, out).map(Some)
}

/// The sent messages: their prints, and a table of their places in the list.
struct Prints {
    list: Vec<Print>,
    places: HashTable<u32>,
}

impl Prints {
    fn find(&self, print: Print) -> Option<u32> {
        self.places
            .find(print[0], |place| self.list.get(*place as usize).is_some_and(|known| same_message(*known, print)))
            .copied()
    }
}

fn read_sent(sent: &mut Log, printer: &Printer, parties: &mut Parties) -> Option<Prints> {
    let mut prints = Prints { list: Vec::new(), places: HashTable::new() };
    while let Some(row) = sent.next_row() {
        let print = printer.print(row.id?, parties.compared(row.parties), row.text);
        if prints.find(print).is_some() || row.row >= OTHER_TEXT {
            return None;
        }
        let Prints { list, places } = &mut prints;
        let place = u32::try_from(list.len()).ok()?;
        list.push(print);
        places.insert_unique(print[0], place, |place| list[*place as usize][0]);
    }
    Some(prints)
}

fn read_received(received: &mut Log, printer: &Printer, parties: &mut Parties, prints: &Prints) -> Option<Arrivals> {
    let mut arrivals =
        Arrivals { rows: vec![0; prints.list.len()], at: vec![i64::MIN; prints.list.len()], ..Arrivals::default() };
    let mut common = false;
    loop {
        if received.rows().is_multiple_of(BOOKMARK_ROWS) {
            arrivals.bookmarks.push(received.bookmark());
        }
        let Some(row) = received.next_row() else { break };
        let print = printer.print(row.id?, parties.compared(row.parties), row.text);
        if row.row >= OTHER_TEXT {
            return None;
        }
        let Some(place) = prints.find(print) else {
            arrivals.unexpected.push(row.row);
            continue;
        };
        common = true;
        let index = place as usize;
        if arrivals.rows[index] == 0 {
            let other = if same_text(prints.list[index], print) { 0 } else { OTHER_TEXT };
            arrivals.rows[index] = row.row | other;
            arrivals.at[index] = row.at.map_or(i64::MIN, |at| at.0);
        } else {
            arrivals.duplicates.push((place, row.row));
        }
    }
    arrivals.duplicates.sort_unstable();
    common.then_some(arrivals)
}

fn write(
    sent: &Path,
    received: &Path,
    sent_columns: &ColumnNames,
    received_columns: &ColumnNames,
    arrivals: Arrivals,
    out: impl Write,
) -> Result<Counts, DiffError> {
    let mut sent = Log::open(sent, sent_columns).map_err(DiffError::Input)?;
    let mut texts =
        Texts { log: Log::open(received, received_columns).map_err(DiffError::Input)?, bookmarks: arrivals.bookmarks };
    let mut duplicates = arrivals.duplicates.into_iter().peekable();
    let mut output = Output::new(out)?;
    for ((place, arrival), at) in (0_u32..).zip(arrivals.rows).zip(arrivals.at) {
        let row = sent.next_row().ok_or_else(changed)?;
        if arrival == 0 {
            output.write(DiffVerdict::Missing, Some(&row), None, None)?;
        } else if arrival & OTHER_TEXT == 0 {
            let at = Some(Timestamp(at)).filter(|at| at.0 != i64::MIN);
            let same = LogRow { row: arrival, at, ..row };
            output.write(DiffVerdict::Delivered, Some(&row), Some(&same), Some(MatchedBy::PlatformId))?;
        } else {
            let other = texts.row(arrival & !OTHER_TEXT)?;
            let altered = normal_form(row.text) != normal_form(other.text);
            let verdict = if altered { DiffVerdict::Altered } else { DiffVerdict::Delivered };
            output.write(verdict, Some(&row), Some(&other), Some(MatchedBy::PlatformId))?;
        }
        while let Some((_, number)) = duplicates.next_if(|(to, _)| *to == place) {
            let again = texts.row(number)?;
            output.write(DiffVerdict::Duplicate, Some(&row), Some(&again), Some(MatchedBy::PlatformId))?;
        }
    }
    for number in arrivals.unexpected {
        let row = texts.row(number)?;
        output.write(DiffVerdict::Unexpected, None, Some(&row), None)?;
    }
    Ok(output.finish()?)
}

/// The received log by row numbers: reading on where the row is near, else from the bookmark before it.
struct Texts {
    log: Log,
    bookmarks: Vec<Bookmark>,
}

impl Texts {
    fn row(&mut self, number: u32) -> Result<LogRow<'_>, DiffError> {
        let ahead = number.checked_sub(self.log.rows() + 1);
        if ahead.is_none_or(|rows| rows >= BOOKMARK_ROWS) {
            let bookmark = self.bookmarks.get((number.saturating_sub(1) / BOOKMARK_ROWS) as usize).ok_or_else(changed)?;
            self.log.go_to(bookmark)?;
        }
        while self.log.rows() + 1 < number {
            self.log.next_row().ok_or_else(changed)?;
        }
        self.log.next_row().filter(|row| row.row == number).ok_or_else(changed)
    }
}

fn changed() -> DiffError {
    DiffError::Output(io::Error::other("a log changed while it was compared"))
}
