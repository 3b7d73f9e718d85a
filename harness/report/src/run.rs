//! What a report says of a run beside its evidence: who ran what, when, and how it ended.

use lacuna_model::{Build, Entry, RunId, StopReason, Timestamp};

/// Facts of a run, as its journal gives them.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The name of the run.
    pub id: &'a RunId,
    /// The Lacuna that wrote the journal.
    pub lacuna_version: &'a str,
    /// How it was built; `None` where the journal does not say.
    pub build: Option<&'a Build>,
    /// What the command line changed of the experiment; `None` where the journal does not say.
    pub overrides: Option<&'a [String]>,
    /// The engine that decided.
    pub engine_version: u32,
    /// The projection that derives the files, this report among them.
    pub projection_version: u32,
    /// When the journal was opened.
    pub opened_at: Timestamp,
    /// When it was sealed; `None` if the run did not come to its end.
    pub sealed_at: Option<Timestamp>,
    /// The hash on which the whole journal hangs, in hexadecimal.
    pub journal_hash: &'a str,
    /// The files that the study was made of.
    pub inputs: &'a [Input<'a>],
    /// The lock that the run was checked against, and where it departs from it.
    pub registration: Option<&'a Registration<'a>>,
    /// The entries of the journal that are about the run and its accounts, and not about a message: epochs, accounts, gaps, stops.
    pub events: &'a [(Timestamp, Entry)],
}

/// A file that a study was made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What it is: `experiment`, `corpus`, `policy`, …
    pub kind: &'a str,
    /// Its path, as the experiment names it.
    pub path: &'a str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'a str,
}

/// The lock of a run, and where the run departs from it.
#[derive(Clone, Debug)]
pub struct Registration<'a> {
    /// The lock's file.
    pub lock: &'a str,
    /// Its hash.
    pub sha256: &'a str,
    /// Why it was run although something had changed.
    pub reason: Option<&'a str>,
    /// Where the run departs from what was locked; empty if nowhere.
    pub deviations: Vec<Deviation<'a>>,
}

/// One thing in which a run departs from what was locked.
#[derive(Clone, Copy, Debug)]
pub struct Deviation<'a> {
    /// What kind, in words.
    pub kind: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// What is known of it.
    pub detail: &'a str,
}

impl Run<'_> {
    /// Why nothing more was sent, in the end; `None` if the run did not come to that.
    pub(crate) fn stopped(&self) -> Option<StopReason> {
        use lacuna_model::{Decision, Fact};
        self.events.iter().rev().find_map(|(_, entry)| match entry {
            Entry::Decision(Decision::Stopped { reason }) => Some(Some(*reason)),
            Entry::Fact(Fact::EpochOpened { .. }) => Some(None),
            _ => None,
        })?
    }
}
