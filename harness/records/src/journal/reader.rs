//! A journal, read line by line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use lacuna_model::{Deadline, Decision, Entry, EntrySequence, Fact, Probe, ProbeId, Timestamp};

use super::MAX_LINE;
use super::chain::ChainHash;
use super::counts::{Counts, Seal};
use super::decoder::{Content, Decoder};
use super::error::{JournalError, LineProblem};
use super::header::Header;
use crate::lines::{Found, read_line};

/// Reads a journal and checks it while it reads: the chain, the numbers, that every name is in the study, that probes are
/// planned in order and before anything else is said of them, and that each seal counts right. Holds one line in memory.
///
/// As an iterator it gives the entries; seals are kept aside for [`Reader::seal`]. It ends after the first error.
#[derive(Debug)]
pub struct Reader<R> {
    file: PathBuf,
    input: R,
    header: Header,
    version: u64,
    decoder: Decoder,
    line: Vec<u8>,
    /// Lines read and found right, the header among them.
    lines: u64,
    /// Their length, in bytes.
    length: u64,
    chain: ChainHash,
    counts: Counts,
    /// Searches begun.
    searches: u32,
    seal: Option<Seal>,
    failed: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a journal and reads its first line.
    pub fn open(file: &Path) -> Result<Self, JournalError> {
        let input = File::open(file).map_err(|source| JournalError::Io { file: file.to_owned(), source })?;
        Self::new(file, BufReader::with_capacity(1 << 16, input))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line of a journal from anywhere; `file` is how errors name it.
    pub fn new(file: &Path, mut input: R) -> Result<Self, JournalError> {
        let refuse = |problem| JournalError::Line { file: file.to_owned(), line: 1, problem };
        let mut line = Vec::new();
        let found =
            read_line(&mut input, &mut line, MAX_LINE).map_err(|source| JournalError::Io { file: file.to_owned(), source })?;
        match found {
            Found::Line => {}
            Found::Unfinished | Found::Nothing => return Err(refuse(LineProblem::NoHeader)),
            Found::TooLong => return Err(refuse(LineProblem::TooLong)),
        }
        let version = Header::check_version(&line).map_err(refuse)?;
        let (body, stated) = ChainHash::split_line(&line).ok_or(LineProblem::Shape).map_err(refuse)?;
        let chain = ChainHash::START.link(body);
        if chain != stated {
            return Err(refuse(LineProblem::Hash));
        }
        let length = line.len() as u64 + 1;
        let body_length = body.len();
        line.truncate(body_length);
        line.push(b'}');
        let header = Header::parse(&line).map_err(refuse)?;
        let decoder = Decoder::new(&header.study);
        Ok(Self {
            file: file.to_owned(),
            input,
            header,
            version,
            decoder,
            line,
            lines: 1,
            length,
            chain,
            counts: Counts::default(),
            searches: 0,
            seal: None,
            failed: false,
        })
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the journal.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The seal, if the last line that was read is one: after the last entry, whether the run came to its end.
    #[must_use]
    pub fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// What was read so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The hash of the last line that was read.
    #[must_use]
    pub fn last_hash(&self) -> ChainHash {
        self.chain
    }

    /// The number of the next line behind the header.
    #[must_use]
    pub fn next_sequence(&self) -> EntrySequence {
        EntrySequence(self.lines - 1)
    }

    /// What it reads from.
    pub(crate) fn into_input(self) -> R {
        self.input
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn into_parts(self) -> (Header, R, Vec<u8>) {
        (self.header, self.input, self.line)
    }

    fn refuse(&self, problem: LineProblem) -> JournalError {
        JournalError::Line { file: self.file.clone(), line: self.lines + 1, problem }
    }

    fn next_entry(&mut self) -> Result<Option<(EntrySequence, Timestamp, Entry)>, JournalError> {
        loop {
            let found = read_line(&mut self.input, &mut self.line, MAX_LINE)
                .map_err(|source| JournalError::Io { file: self.file.clone(), source })?;
            match found {
                Found::Line => {}
                Found::Nothing => return Ok(None),
                Found::Unfinished => return Err(self.refuse(LineProblem::Unfinished)),
                Found::TooLong => return Err(self.refuse(LineProblem::TooLong)),
            }
            if let Some(entry) = self.take_line().map_err(|problem| self.refuse(problem))? {
                return Ok(Some(entry));
            }
        }
    }

    /// Takes the line in the buffer; `None` for a seal.
    fn take_line(&mut self) -> Result<Option<(EntrySequence, Timestamp, Entry)>, LineProblem> {
        let (body, stated) = ChainHash::split_line(&self.line).ok_or(LineProblem::Shape)?;
        let chain = self.chain.link(body);
        if chain != stated {
            return Err(LineProblem::Hash);
        }
        let (found, at, content) = self.decoder.decode(body)?;
        let expected = self.lines - 1;
        if found != expected {
            return Err(LineProblem::Sequence { expected, found });
        }
        let entry = match content {
            Content::Entry(entry) => {
                check_probes(&entry, self.counts.planned)?;
                self.check_searches(&entry)?;
                self.counts.add(&entry);
                self.seal = None;
                Some((EntrySequence(found), at, entry))
            }
            Content::Seal(seal) => {
                if seal.counts != self.counts {
                    return Err(LineProblem::Counts);
                }
                self.seal = Some(seal);
                None
            }
        };
        self.chain = chain;
        self.lines += 1;
        self.length += self.line.len() as u64 + 1;
        Ok(entry)
    }

    /// Neither have those of searches.
    fn check_searches(&mut self, entry: &Entry) -> Result<(), LineProblem> {
        match entry {
            Entry::Decision(Decision::SearchBegun(plan)) if plan.search.0 == self.searches => self.searches += 1,
            Entry::Decision(Decision::SearchBegun(plan)) => return Err(LineProblem::Search(plan.search.0)),
            Entry::Decision(Decision::ProbePlanned(Probe { excerpt: Some(excerpt), .. }))
                if excerpt.search.0 >= self.searches =>
            {
                return Err(LineProblem::Search(excerpt.search.0));
            }
            _ => {}
        }
        Ok(())
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<(EntrySequence, Timestamp, Entry), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_entry().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// Whoever folds a journal may keep probes in a table: their numbers have no holes.
fn check_probes(entry: &Entry, planned: u64) -> Result<(), LineProblem> {
    let about = match entry {
        Entry::Decision(Decision::ProbePlanned(probe)) if probe.id.0 == planned => return Ok(()),
        Entry::Decision(Decision::ProbePlanned(probe)) => {
            return Err(LineProblem::PlannedOutOfOrder { expected: ProbeId(planned), found: probe.id });
        }
        Entry::Fact(
            Fact::SendStarted { probe, .. }
            | Fact::SendResult { probe, .. }
            | Fact::DeadlinePassed(Deadline::Grace { probe, .. } | Deadline::Settle { probe, .. }),
        ) => *probe,
        _ => return Ok(()),
    };
    if about.0 < planned { Ok(()) } else { Err(LineProblem::NotPlanned(about)) }
}
