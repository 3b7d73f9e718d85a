//! The comparison.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use lacuna_inference::matching::{Pairing, ReceivedRow, SentRow, match_logs};
use lacuna_model::{Duration, Location, Problem, Timestamp};

use super::by_id::compare_by_id;
use super::columns::{Column, ColumnNames};
use super::log::{Log, LogRow, PARTIES};
use super::output::{Counts, DiffVerdict, Output};

/// How much earlier than it was sent a message may have been received: the clocks of two machines differ.
const TOLERANCE: Duration = Duration::from_secs(2);
/// And how much where one of the logs has times without seconds.
const COARSE_TOLERANCE: Duration = Duration::from_secs(62);

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The logs cannot be used; everything that is wrong with them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Input(Vec<Problem>),
    /// The answer cannot be written.
    #[error("cannot write the comparison: {0}")]
    Output(#[from] io::Error),
}

impl From<csv::Error> for DiffError {
    fn from(error: csv::Error) -> Self {
        Self::Output(error.into())
    }
}

/// What was compared, and how it came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Rows of the sent log.
    pub sent_rows: u32,
    /// Rows of the received log.
    pub received_rows: u32,
    /// Rows of the answer by verdict.
    pub counts: Counts,
    /// Which column of each log was taken for what; `None` where the log has none.
    pub columns: Vec<(Column, Option<String>, Option<String>)>,
    /// What a reader should know: columns that were not compared, times that were taken as UTC.
    pub notes: Vec<String>,
}

/// Lays two logs beside each other and writes the answer as CSV.
///
/// Rows are matched by [`match_logs`]: by id, then by content. A message may have been received up to 2 s before it was sent
/// (62 s where one of the logs has times without seconds). Sender, recipient and venue keep messages apart where both
/// logs have them. A time without a zone is UTC, and a note says so. Where every row
/// of both logs has an id, and one of the sent log no other row there, some 35 bytes a sent row are kept in memory and no
/// text; else both logs are.
///
/// The answer has the sent rows in their order, each followed by the duplicates of it, then the unexpected rows. Nothing is
/// written where something is wrong with the logs.
pub fn diff(
    sent: &Path,
    received: &Path,
    sent_columns: &ColumnNames,
    received_columns: &ColumnNames,
    mut out: impl Write,
) -> Result<Summary, DiffError> {
    let (mut sent, mut received) = match (Log::open(sent, sent_columns), Log::open(received, received_columns)) {
        (Ok(sent), Ok(received)) => (sent, received),
        (sent, received) => {
            let problems = sent.err().into_iter().chain(received.err()).flatten();
            return Err(DiffError::Input(problems.collect()));
        }
    };
    if let Some(counts) = compare_by_id(&mut sent, &mut received, sent_columns, received_columns, &mut out)? {
        return Ok(summary(&sent, &received, counts));
    }
    let mut sent = Log::open(sent.path(), sent_columns).map_err(DiffError::Input)?;
    let mut received = Log::open(received.path(), received_columns).map_err(DiffError::Input)?;
    let mut parties = [Parties::of(&sent, &received), Parties::of(&sent, &received)];
    let mut channels = Channels::default();
    let sent_rows = read(&mut sent, &mut parties[0], &mut channels);
    let received_rows = read(&mut received, &mut parties[1], &mut channels);
    check(&sent, &received, &parties)?;
    let tolerance = if sent.coarse || received.coarse { COARSE_TOLERANCE } else { TOLERANCE };
    let (counts, strays) = write(&sent_rows, &received_rows, tolerance, out)?;
    let mut summary = summary(&sent, &received, counts);
    summary.notes.extend(strays);
    Ok(summary)
}

/// Everything that is wrong with two logs that were read.
pub(super) fn check(sent: &Log, received: &Log, parties: &[Parties; 2]) -> Result<(), DiffError> {
    let mut problems: Vec<Problem> = sent.problems().iter().chain(received.problems()).cloned().collect();
    if problems.is_empty() {
        problems = disagreements(sent, received, parties);
    }
    if problems.is_empty() { Ok(()) } else { Err(DiffError::Input(problems)) }
}

fn summary(sent: &Log, received: &Log, counts: Counts) -> Summary {
    let columns: Vec<(Column, Option<String>, Option<String>)> = Column::ALL
        .into_iter()
        .map(|column| (column, sent.header(column).map(str::to_owned), received.header(column).map(str::to_owned)))
        .collect();
    let mut notes = Vec::new();
    for (name, log) in [("sent", sent), ("received", received)] {
        if log.zoneless {
            notes.push(format!("times without a zone in the {name} log were taken as UTC"));
        }
    }
    for (column, in_sent, in_received) in &columns {
        if in_sent.is_some() != in_received.is_some() {
            let name = if in_sent.is_some() { "sent" } else { "received" };
            notes.push(format!("only the {name} log has a column for `{column}`: it was not compared"));
        }
    }
    Summary { sent_rows: sent.rows(), received_rows: received.rows(), counts, columns, notes }
}

/// Numbers for what keeps messages apart.
#[derive(Default)]
struct Channels(HashMap<[Box<str>; 3], u32>);

impl Channels {
    fn number(&mut self, parties: [&str; 3]) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(parties.map(Box::from)).or_insert(next)
    }
}

/// A row that is kept.
struct Kept {
    row: u32,
    id: Option<Box<str>>,
    text: Box<str>,
    at: Option<Timestamp>,
    channel: u32,
}

impl Kept {
    fn as_row(&self) -> LogRow<'_> {
        LogRow { row: self.row, id: self.id.as_deref(), text: &self.text, at: self.at, parties: [""; 3] }
    }
}

fn read(log: &mut Log, parties: &mut Parties, channels: &mut Channels) -> Vec<Kept> {
    let mut rows = Vec::new();
    while let Some(row) = log.next_row() {
        let channel = channels.number(parties.compared(row.parties));
        rows.push(Kept { row: row.row, id: row.id.map(Box::from), text: row.text.into(), at: row.at, channel });
    }
    rows
}

/// What tells the messages of a log apart.
pub(super) struct Parties {
    /// Which of the columns both logs have.
    compared: [bool; 3],
    /// What the columns of this log have in them.
    values: [BTreeSet<String>; 3],
}

impl Parties {
    pub fn of(sent: &Log, received: &Log) -> Self {
        let compared = PARTIES.map(|column| sent.header(column).is_some() && received.header(column).is_some());
        Self { compared, values: Default::default() }
    }

    /// Takes note of a row's cells, and leaves of them what is compared.
    pub fn compared<'r>(&mut self, mut cells: [&'r str; 3]) -> [&'r str; 3] {
        for ((cell, known), compared) in cells.iter_mut().zip(&mut self.values).zip(self.compared) {
            if !known.contains(*cell) {
                known.insert((*cell).to_owned());
            }
            if !compared {
                *cell = "";
            }
        }
        cells
    }
}

/// Two logs that name their people and places differently have nothing in common, and a log of several recipients cannot be
/// laid beside one that does not say for whom a message was: both would be taken for censorship.
fn disagreements(sent: &Log, received: &Log, parties: &[Parties; 2]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, column) in PARTIES.into_iter().enumerate() {
        let [ours, theirs] = [&parties[0].values[place], &parties[1].values[place]];
        let problem = |message: String, fix: String| Problem {
            location: Location { file: received.path().to_owned(), line: 1, column: 0 },
            key: received.header(column).unwrap_or_default().to_owned(),
            message,
            fix,
        };
        let both = sent.header(column).is_some() && received.header(column).is_some();
        if both && ours.is_disjoint(theirs) && !ours.is_empty() && !theirs.is_empty() {
            let example = |values: &BTreeSet<String>| values.iter().next().map(|value| format!("`{value}`")).unwrap_or_default();
            let message = format!("no {column} is in both logs, as {} and {}", example(ours), example(theirs));
            problems.push(problem(message, format!("write them alike, or leave the column out with {column}= for both logs")));
        }
        if column == Column::Recipient && sent.header(column).is_none() && theirs.len() > 1 {
            let message = format!("there are {} recipients, and the sent log does not say to whom a message went", theirs.len());
            problems.push(problem(message, "compare the log of one recipient at a time".to_owned()));
        }
    }
    problems
}

/// Says how many texts are both missing and unexpected: wrong clocks and unlike names look like censorship.
fn stray_note(missing: &[&str], unexpected: &HashSet<&str>) -> Option<String> {
    let count = missing.iter().filter(|text| unexpected.contains(**text)).count();
    (count > 0).then(|| {
        format!(
            "{count} missing {} the text of an unexpected one: compare the clocks and time zones of the logs (a message is \
             not received before it is sent), and their names of senders, recipients and venues",
            if count == 1 { "row has" } else { "rows have" }
        )
    })
}

/// Writes the answer; gives its counts, and what a reader should know of it.
fn write(sent: &[Kept], received: &[Kept], tolerance: Duration, out: impl Write) -> Result<(Counts, Option<String>), DiffError> {
    let sent_rows: Vec<SentRow<'_>> =
        sent.iter().map(|row| SentRow { id: row.id.as_deref(), text: &row.text, at: row.at, channel: row.channel }).collect();
    let received_rows: Vec<ReceivedRow<'_>> = received
        .iter()
        .map(|row| ReceivedRow { id: row.id.as_deref(), text: &row.text, at: row.at, channel: row.channel })
        .collect();
    let mut output = Output::new(out)?;
    let (mut missing, mut unexpected) = (Vec::new(), HashSet::new());
    for pairing in match_logs(&sent_rows, &received_rows, tolerance) {
        let (verdict, sent_place, received_place, matched_by) = match pairing {
            Pairing::Pair { sent, received, matched_by, altered } => {
                let verdict = if altered { DiffVerdict::Altered } else { DiffVerdict::Delivered };
                (verdict, Some(sent), Some(received), Some(matched_by))
            }
            Pairing::Duplicate { sent, received, matched_by } => {
                (DiffVerdict::Duplicate, Some(sent), Some(received), Some(matched_by))
            }
            Pairing::Missing { sent } => (DiffVerdict::Missing, Some(sent), None, None),
            Pairing::Unexpected { received } => (DiffVerdict::Unexpected, None, Some(received), None),
        };
        match (sent_place, received_place) {
            (Some(place), None) => missing.push(&*sent[place].text),
            (None, Some(place)) => _ = unexpected.insert(&*received[place].text),
            _ => {}
        }
        let sent_row = sent_place.map(|place| sent[place].as_row());
        let received_row = received_place.map(|place| received[place].as_row());
        output.write(verdict, sent_row.as_ref(), received_row.as_ref(), matched_by)?;
    }
    Ok((output.finish()?, stray_note(&missing, &unexpected)))
}
