//! What can be wrong with a journal.

use std::io;
use std::path::PathBuf;

use super::MAX_LINE;
use super::header::JOURNAL_VERSION;

/// A journal that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what a journal may hold here.
    #[error("{}:{line}: {problem}", file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        problem: LineProblem,
    },
}

/// What is wrong with a line of a journal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineProblem {
    /// There is no first line, or only a part of it.
    #[error("the journal has no complete first line, so nothing was sent (start a new run)")]
    NoHeader,
    /// The first line is not that of a journal.
    #[error("this is not the first line of a Lacuna journal: {0}")]
    NotAJournal(String),
    /// A newer Lacuna wrote it.
    #[error("the journal has version {0}, this Lacuna reads up to {JOURNAL_VERSION} (use a newer Lacuna)")]
    NewerVersion(u64),
    /// The study in the first line contradicts itself.
    #[error("the study of the journal is damaged: {0}")]
    Study(String),
    /// Longer than a line may be.
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The file ends within the line.
    #[error("the file ends within this line (`lacuna run --resume` repairs it)")]
    Unfinished,
    /// It is not built as a line of a journal.
    #[error("this is not a line of a journal: it does not begin with seq, at and entry or does not end with a hash")]
    Shape,
    /// The chain is broken.
    #[error("the hash does not fit: this line or the one before it was changed")]
    Hash,
    /// Lines are missing or doubled.
    #[error("seq is {found} where {expected} should be")]
    Sequence {
        /// What should be there.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// An entry of a kind that is not known.
    #[error("`{0}` is no kind of entry")]
    Kind(String),
    /// The members of the entry are not what its kind has.
    #[error("the members are not those of `{kind}`: {detail}")]
    Members {
        /// The kind of entry.
        kind: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A name that the study does not have.
    #[error("{member} `{name}` is not one that the study of the first line has here")]
    Name {
        /// The member.
        member: &'static str,
        /// The name.
        name: String,
    },
    /// Probes are numbered in the order in which they are planned.
    #[error("probe {found} is planned where {expected} should be")]
    PlannedOutOfOrder {
        /// What should be there.
        expected: lacuna_model::ProbeId,
        /// What is there.
        found: lacuna_model::ProbeId,
    },
    /// An entry about a probe that does not exist.
    #[error("probe {0} was not planned before")]
    NotPlanned(lacuna_model::ProbeId),
    /// Searches are numbered in the order in which they are begun, and asked afterwards.
    #[error("search {0} is begun out of turn or was not begun before")]
    Search(u32),
    /// The seal does not say what the journal holds.
    #[error("the counts of the seal are not those of the entries before it")]
    Counts,
}
