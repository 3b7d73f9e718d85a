//! Resuming is replaying: the journal's facts are fed to a fresh engine, and its decisions must be those that were journaled.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use lacuna_design::{Command, ENGINE_VERSION, Engine};
use lacuna_model::{Cursor, Decision, Entry, EntrySequence, Fact, StopReason, Timestamp};
use lacuna_records::journal::{JournalError, Reader};
use serde::Serialize;

/// An engine brought to where a journal ends.
pub struct Replayed {
    /// The engine.
    pub engine: Engine,
    /// Decisions that follow from the journal's facts but were not written before the process ended: nothing of them left.
    pub unwritten: Vec<Decision>,
    /// The number of the next epoch.
    pub next_epoch: u32,
    /// How far each account's stream was read.
    pub cursors: Vec<Option<Cursor>>,
    /// The stamp of the last entry.
    pub last_at: Timestamp,
}

/// A journal that cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It was written by another engine, whose decisions this one would not repeat.
    #[error(
        "the run was begun by engine version {began}, this Lacuna has version {ENGINE_VERSION} (resume it with the Lacuna that began it)"
    )]
    Version {
        /// The version that began the run.
        began: u32,
    },
    /// A decision differs from the replayed one.
    #[error(
        "entry {}: the journal says {journaled}, the replay of its facts says {replayed} (such a journal cannot be resumed)",
        sequence.0
    )]
    Divergence {
        /// Where.
        sequence: EntrySequence,
        /// What stands there.
        journaled: String,
        /// What should stand there.
        replayed: String,
    },
    /// The run has come to its end.
    #[error("the run is complete: it stopped because of `{}` and was sealed", .0.as_str())]
    Complete(StopReason),
}

/// Replays a journal to go on behind its end. It must be whole: see `lacuna_records::journal::recover`.
pub fn replay(journal: &Path) -> Result<Replayed, ReplayError> {
    let (state, is_sealed) = fold(journal)?;
    if let (Some(reason), true) = (state.engine.stopped(), is_sealed)
        && reason != StopReason::Requested
    {
        return Err(ReplayError::Complete(reason));
    }
    Ok(Replayed {
        engine: state.engine,
        unwritten: state.expected.into(),
        next_epoch: state.next_epoch,
        cursors: state.cursors,
        last_at: state.last_at,
    })
}

/// What of a journal was found to be as this engine would have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Retraced {
    /// Decisions that were taken again.
    pub decisions: u64,
    /// Facts that they rest on.
    pub facts: u64,
}

/// Replays a journal to see whether each decision in it follows from the facts before it. One that is sealed must hold every
/// decision that follows; one that is not may lack the last.
pub fn retrace(journal: &Path) -> Result<Retraced, ReplayError> {
    let (state, is_sealed) = fold(journal)?;
    match state.expected.front() {
        Some(missing) if is_sealed => Err(ReplayError::Divergence {
            sequence: state.next_sequence,
            journaled: "nothing".to_owned(),
            replayed: format!("{missing:?}"),
        }),
        _ => Ok(state.retraced),
    }
}

/// Feeds a journal to a fresh engine; says whether it ends with a seal.
fn fold(journal: &Path) -> Result<(Replay, bool), ReplayError> {
    let mut reader = Reader::open(journal)?;
    let header = reader.header();
    if header.engine_version != ENGINE_VERSION {
        return Err(ReplayError::Version { began: header.engine_version });
    }
    let study = Arc::clone(&header.study);
    let mut state = Replay {
        cursors: vec![None; study.accounts.len()],
        engine: Engine::new(study),
        expected: VecDeque::new(),
        commands: Vec::new(),
        next_epoch: 0,
        last_at: Timestamp(0),
        next_sequence: EntrySequence(0),
        retraced: Retraced { decisions: 0, facts: 0 },
    };
    for entry in &mut reader {
        let (sequence, at, entry) = entry?;
        state.take(sequence, at, entry)?;
    }
    state.next_sequence = reader.next_sequence();
    Ok((state, reader.seal().is_some()))
}

struct Replay {
    engine: Engine,
    expected: VecDeque<Decision>,
    commands: Vec<Command>,
    next_epoch: u32,
    cursors: Vec<Option<Cursor>>,
    last_at: Timestamp,
    /// The number of the entry behind the last.
    next_sequence: EntrySequence,
    retraced: Retraced,
}

impl Replay {
    fn take(&mut self, sequence: EntrySequence, at: Timestamp, entry: Entry) -> Result<(), ReplayError> {
        self.last_at = at;
        match entry {
            Entry::Decision(journaled) => {
                let replayed = self.expected.pop_front();
                if replayed.as_ref() == Some(&journaled) {
                    self.retraced.decisions += 1;
                    return Ok(());
                }
                let replayed = replayed.map_or_else(|| "nothing".to_owned(), |decision| format!("{decision:?}"));
                Err(ReplayError::Divergence { sequence, journaled: format!("{journaled:?}"), replayed })
            }
            Entry::Fact(fact) => {
                self.retraced.facts += 1;
                match &fact {
                    Fact::EpochOpened { epoch, .. } => self.next_epoch = epoch + 1,
                    Fact::Observed(observation) if observation.cursor.is_some() => {
                        self.cursors[observation.recipient.get()].clone_from(&observation.cursor);
                    }
                    _ => {}
                }
                self.engine.handle(sequence, at, &fact, &mut self.commands);
                self.expected.extend(self.commands.drain(..).filter_map(|command| match command {
                    Command::Decide(decision) => Some(decision),
                    Command::Arm { .. } | Command::Cancel(_) | Command::Finish => None,
                }));
                Ok(())
            }
        }
    }
}
