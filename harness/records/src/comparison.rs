//! Runs, read from their journals to be compared, and the tables of what changed between them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use lacuna_inference::comparison::{ChangeRecord, Lifetime, Snapshot, changes, lifetimes};
use lacuna_inference::conclusion::conclude;
use lacuna_inference::evidence::Evidence;
use lacuna_model::{DesignKind, RunId};

use crate::journal::{JournalError, Reader};
use crate::projection::{ChangeRow, Folder, TableWriter, change_tables};
use crate::run_folder::{JOURNAL, RunFolderError};

/// The folder of a comparison begins with this; the name of its newest run follows. It stands beside the runs.
pub const COMPARISON_FOLDER_PREFIX: &str = "compare-";

/// A run as it is compared, and the hash of its journal.
#[derive(Clone, PartialEq, Debug)]
pub struct ComparedRun {
    /// What it says.
    pub snapshot: Snapshot,
    /// The experiment's name.
    pub experiment: String,
    /// Whether the run came to its end.
    pub is_sealed: bool,
    /// The hash on which the journal hangs, in hexadecimal.
    pub journal_hash: String,
}

/// Runs that cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A folder is none of a run.
    #[error(transparent)]
    NotARun(#[from] RunFolderError),
    /// A journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A design without verdicts.
    #[error("{}: design = \"{}\" asks how files are filtered, and gives no verdicts that could be compared (compare runs of screen or isolate)", run.display(), design.as_str())]
    Design {
        /// The run.
        run: PathBuf,
        /// Its design.
        design: DesignKind,
    },
    /// One run twice.
    #[error("{0} is named twice (compare each run once)")]
    Twice(RunId),
}

/// Reads a run from its journal. Whatever projection its tables are of, it is concluded anew, so that all runs are judged alike.
pub fn read(run: &Path) -> Result<ComparedRun, CompareError> {
    let journal = run.join(JOURNAL);
    if !journal.is_file() {
        return Err(RunFolderError::NotARun(run.to_owned()).into());
    }
    let input = File::open(&journal).map_err(|source| JournalError::Io { file: journal.clone(), source })?;
    let mut reader = Reader::new(&journal, BufReader::with_capacity(1 << 16, input))?;
    let header = reader.header().clone();
    let study = &header.study;
    if !matches!(study.design, DesignKind::Screen | DesignKind::Isolate) {
        return Err(CompareError::Design { run: run.to_owned(), design: study.design });
    }
    let mut evidence = Evidence::new(study.clone());
    let mut told = Vec::new();
    for line in reader.by_ref() {
        let (sequence, at, entry) = line?;
        evidence.apply(sequence, at, &entry, &mut told);
        told.clear();
    }
    let conclusion = conclude(&evidence);
    Ok(ComparedRun {
        snapshot: Snapshot::of(header.run_id.clone(), header.engine_version, header.opened_at, study, &conclusion),
        experiment: study.name.clone(),
        is_sealed: reader.seal().is_some(),
        journal_hash: reader.last_hash().to_string(),
    })
}

/// What changed over runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// The runs, the oldest first.
    pub runs: Vec<Snapshot>,
    /// Every unit, from run to run.
    pub changes: Vec<ChangeRecord>,
    /// How long units stay what they are.
    pub lifetimes: Vec<Lifetime>,
    /// The false discovery rate of the list.
    pub false_discovery_rate: f64,
}

impl Comparison {
    /// Compares runs in the order of time, whatever the order in which they come, at the false discovery rate that the newest asks for.
    pub fn of(mut runs: Vec<Snapshot>) -> Result<Self, CompareError> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = runs.iter().find(|run| !seen.insert(run.run.clone())) {
            return Err(CompareError::Twice(twice.run.clone()));
        }
        runs.sort_by(|a, b| (a.opened_at, &a.run).cmp(&(b.opened_at, &b.run)));
        let level = runs.last().map_or(0.01, |run| run.false_discovery_rate);
        let changes = changes(&runs, level);
        Ok(Self { lifetimes: lifetimes(&runs, &changes, level), changes, runs, false_discovery_rate: level })
    }

    /// What is claimed to have changed: units, and units of items whose verdicts differ.
    pub fn claimed(&self) -> impl Iterator<Item = &ChangeRecord> {
        self.changes.iter().filter(|record| record.is_claimed(self.false_discovery_rate))
    }

    /// Writes `changes.csv` and `lifetimes.csv` into a folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let Some(newest) = self.runs.last() else { return Ok(()) };
        let output = Folder::shared(folder)?;
        let mut table = TableWriter::new(change_tables::changes(), &newest.run, &output, false)?;
        for record in &self.changes {
            table.row(&ChangeRow { runs: &self.runs, record })?;
        }
        table.finish()?;
        let mut table = TableWriter::new(change_tables::lifetimes(), &newest.run, &output, false)?;
        for lifetime in &self.lifetimes {
            table.row(lifetime)?;
        }
        table.finish()?;
        output.sync()
    }
}
