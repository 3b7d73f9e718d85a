//! What `lacuna diff` writes and counts.

use std::io::Write;

use jiff::fmt::temporal::DateTimePrinter;
use lacuna_model::{MatchedBy, Timestamp};

use super::log::LogRow;

/// The headers of the output.
const HEADERS: [&str; 11] = [
    "verdict",
    "sent_row",
    "received_row",
    "matched_by",
    "latency_ms",
    "sent_at",
    "received_at",
    "sent_id",
    "received_id",
    "sent_text",
    "received_text",
];

/// What is said of a row or a pair of rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DiffVerdict {
    /// It arrived as it was sent, or with the same normal form.
    Delivered,
    /// It arrived changed.
    Altered,
    /// It is not in the received log.
    Missing,
    /// It is not in the sent log.
    Unexpected,
    /// It arrived again.
    Duplicate,
}

impl DiffVerdict {
    /// As the output writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Duplicate => "duplicate",
        }
    }
}

/// How many rows each verdict has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Pairs with the same text.
    pub delivered: u64,
    /// Pairs with a changed text.
    pub altered: u64,
    /// Sent rows without a received one.
    pub missing: u64,
    /// Received rows without a sent one.
    pub unexpected: u64,
    /// Received rows that repeat a pair.
    pub duplicate: u64,
}

/// The output, row by row.
pub(super) struct Output<W: Write> {
    writer: csv::Writer<W>,
    pub counts: Counts,
}

impl<W: Write> Output<W> {
    pub fn new(out: W) -> Result<Self, csv::Error> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(out);
        writer.write_record(HEADERS)?;
        Ok(Self { writer, counts: Counts::default() })
    }

    pub fn write(
        &mut self,
        verdict: DiffVerdict,
        sent: Option<&LogRow<'_>>,
        received: Option<&LogRow<'_>>,
        matched_by: Option<MatchedBy>,
    ) -> Result<(), csv::Error> {
        let count = match verdict {
            DiffVerdict::Delivered => &mut self.counts.delivered,
            DiffVerdict::Altered => &mut self.counts.altered,
            DiffVerdict::Missing => &mut self.counts.missing,
            DiffVerdict::Unexpected => &mut self.counts.unexpected,
            DiffVerdict::Duplicate => &mut self.counts.duplicate,
        };
        *count += 1;
        let at = |row: Option<&LogRow<'_>>| row.and_then(|row| row.at);
        let row = |row: Option<&LogRow<'_>>| row.map(|row| row.row.to_string()).unwrap_or_default();
        let latency = at(sent).zip(at(received)).map(|(sent, received)| (received.0 - sent.0).div_euclid(1_000).to_string());
        self.writer.write_record([
            verdict.as_str(),
            &row(sent),
            &row(received),
            matched_by.map_or("", MatchedBy::as_str),
            &latency.unwrap_or_default(),
            &at(sent).and_then(iso).unwrap_or_default(),
            &at(received).and_then(iso).unwrap_or_default(),
            sent.and_then(|row| row.id).unwrap_or_default(),
            received.and_then(|row| row.id).unwrap_or_default(),
            sent.map_or("", |row| row.text),
            received.map_or("", |row| row.text),
        ])
    }

    pub fn finish(mut self) -> Result<Counts, csv::Error> {
        self.writer.flush()?;
        Ok(self.counts)
    }
}

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// ISO 8601, UTC, milliseconds.
fn iso(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_microsecond(at.0.div_euclid(1_000) * 1_000).ok()?;
    let mut text = String::with_capacity(24);
    PRINTER.print_timestamp(&at, &mut text).ok()?;
    Some(text)
}
