//! A whole run: the folder, the journal, the platform, the drive, the seal, the derived files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_design::{ENGINE_VERSION, Engine, Progress};
use lacuna_inference::conclusion::FileClaims;
use lacuna_inference::rules::TextRecord;
use lacuna_inference::verdicts::{self, VerdictRecord};
use lacuna_model::{Build, Entry, Invocation, Problem, RunId, StopReason, Study, Timestamp, Verdict};
use lacuna_platform::OpenError;
use lacuna_records::contents::{Contents, CopyError};
use lacuna_records::experiment::Experiment;
use lacuna_records::history::{self, History};
use lacuna_records::journal::{self, Encoder, FileStorage, Header, InputHash, JournalError, Recovered, Storage};
use lacuna_records::ledger::LedgerError;
use lacuna_records::lock;
use lacuna_records::projection::{self, AnalyzeError, AnalyzeOptions, analyze};
use lacuna_records::run_folder::{FILES, RunFolder, RunFolderError};
use rand::RngExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::allowance::LedgerAllowance;
use crate::burnt;
use crate::launch::{LaunchError, Launched};
use crate::live::{Clock, LiveEnd, LiveError, LiveRun, drive};
use crate::registration::Registration;
use crate::replan::{changed_inputs, differing_part};
use crate::replay::{ReplayError, Replayed, replay};

/// The most bytes of received files that a run keeps: far more than a platform makes of what a run sends, and less than a disk.
pub(crate) const MOST_RECEIVED: u64 = 8 << 30;

/// What to run, and where to keep it.
pub struct RunRequest {
    /// The experiment, read and checked.
    pub experiment: Experiment,
    /// The folder of all results.
    pub results: PathBuf,
    /// The folder of an interrupted run of this experiment, to go on with it.
    pub resume: Option<PathBuf>,
    /// The lock that the experiment was checked against. A resumed run keeps the one that it began with.
    pub registration: Registration,
    /// How this program was built, where it is known.
    pub build: Option<Build>,
}

/// How a run ended, for exit codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunEnd {
    /// Everything that could be decided is.
    Done,
    /// Nothing can be concluded: no verdict but `inconclusive`.
    Inconclusive,
    /// A safety rule stopped it.
    Safety,
    /// The researcher stopped it; it can be resumed.
    Interrupted,
}

impl RunEnd {
    /// The exit code of `lacuna run`, also kept in the journal's seal.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Inconclusive => 3,
            Self::Safety => 4,
            // As shells report a program that was ended by Ctrl-C.
            Self::Interrupted => 130,
        }
    }
}

/// A finished run.
pub struct RunSummary {
    /// Which.
    pub run_id: RunId,
    /// Its folder.
    pub folder: PathBuf,
    /// What was run.
    pub study: Arc<Study>,
    /// How it ended.
    pub end: RunEnd,
    /// Why nothing more was sent.
    pub reason: StopReason,
    /// What is claimed.
    pub verdicts: Vec<VerdictRecord>,
    /// What in texts is blocked.
    pub texts: Vec<TextRecord>,
    /// By what files are filtered.
    pub claims: FileClaims,
    /// The lock that it was checked against, and where it departs from it.
    pub registration: Option<projection::Registration>,
    /// Where it stood at its end.
    pub progress: Progress,
    /// From the opening of the (last) epoch to the seal.
    pub took: lacuna_model::Duration,
}

/// A run that could not be begun, driven or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// The journal cannot be read, repaired or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is to be sent cannot be copied into the run's folder.
    #[error("cannot copy a file into the run's folder: {0}")]
    Copy(#[from] CopyError),
    /// A file that is to be sent is not in the run's folder any more.
    #[error("{}: is missing (put the file with this SHA-256 back)", .0.display())]
    Missing(PathBuf),
    /// The run cannot be resumed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The experiment is not the one that the run began with.
    #[error(
        "the experiment is not the one that this run began with: {0} differs (resume with the files as they were, or begin a new run)"
    )]
    Changed(&'static str),
    /// The platform could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The platform could not be opened.
    #[error("cannot open the platform: {0}")]
    Open(#[from] OpenError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The platform was shown files before that it must not know.
    #[error("the hashes of {} files are burnt", .0.len())]
    Burnt(Vec<Problem>),
    /// The run was driven and then failed. Its journal is whole and can be resumed.
    #[error("{error} (the journal is safe: go on with `--resume {}`)", folder.display())]
    Live {
        /// Why.
        error: LiveError,
        /// The run's folder.
        folder: PathBuf,
    },
    /// The derived files could not be written. The journal is whole: `lacuna analyze` derives them.
    #[error("the run is complete, but its files could not be derived: {0}")]
    Analyze(#[from] AnalyzeError),
}

impl RunError {
    /// Whether the accounts could not be connected, so that nothing was measured and nothing is wrong with the program.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Live { error: LiveError::Connect(_), .. })
    }
}

/// Runs an experiment to its end, or to the next stop.
pub async fn run(
    request: RunRequest,
    stop: CancellationToken,
    progress: watch::Sender<Progress>,
    began: impl FnOnce(&Path),
) -> Result<RunSummary, RunError> {
    let RunRequest { mut experiment, results, resume, registration, build } = request;
    let lacuna_version = env!("CARGO_PKG_VERSION").to_owned();
    let invocation = Invocation { lacuna_version, build, overrides: experiment.overrides.clone() };
    let prepared = match &resume {
        Some(path) => Prepared::resume(&results, path, &mut experiment, invocation)?,
        None => Prepared::create(&results, &mut experiment, registration, invocation)?,
    };
    began(prepared.folder.path());
    let allowance = Box::new(LedgerAllowance::open(&results, &experiment, prepared.run_id.clone())?);
    let launched = Launched::start(&experiment).await?;
    let ended = Box::pin(prepared.drive(&experiment, &launched, allowance, stop, progress)).await;
    launched.stop().await;
    ended
}

/// A run with its folder and its journal, ready to be driven.
struct Prepared {
    folder: RunFolder,
    contents: Contents,
    run_id: RunId,
    engine: Engine,
    encoder: Encoder,
    storage: FileStorage,
    pending: Vec<u8>,
    epoch: u32,
    resumed_by: Option<Invocation>,
    cursors: Vec<Option<lacuna_model::Cursor>>,
    last_at: Timestamp,
}

impl Prepared {
    fn create(
        results: &Path,
        experiment: &mut Experiment,
        registration: Registration,
        invocation: Invocation,
    ) -> Result<Self, RunError> {
        let History { inputs: earlier, warnings } = history::apply(results, &mut experiment.study);
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        check_hashes(results, experiment, None)?;
        let opened_at = Clock::start(Timestamp(0)).now();
        let mut earlier = earlier;
        if let Some(predecessor) = &experiment.predecessor {
            let found = predecessor.apply(&mut experiment.study, opened_at);
            for warning in found.warnings {
                tracing::warn!("{warning}");
            }
            earlier.extend(found.inputs);
        }
        let run_id = new_run_id(opened_at);
        let folder = RunFolder::create(results, &experiment.study.name, &run_id)?;
        let contents = open_contents(&folder)?;
        contents.copy(&experiment.files)?;
        let study = Arc::new(experiment.study.clone());
        let inputs = experiment.inputs.iter().map(|input| InputHash {
            kind: input.kind.as_str().to_owned(),
            path: input.path.display().to_string(),
            sha256: input.sha256.clone(),
        });
        let header = Header {
            run_id: run_id.clone(),
            engine_version: ENGINE_VERSION,
            lacuna_version: invocation.lacuna_version,
            build: invocation.build,
            overrides: Some(invocation.overrides),
            opened_at,
            study: Arc::clone(&study),
            inputs: inputs.chain(registration.lock).chain(earlier).collect(),
            deviation: registration.deviation,
        };
        let (encoder, mut pending) = Encoder::new(&header);
        let path = folder.journal();
        let write = |source| RunError::Write { path: path.clone(), source };
        let mut storage = FileStorage::create(&path).map_err(write)?;
        storage.append(&pending).and_then(|()| storage.sync()).map_err(write)?;
        pending.clear();
        let cursors = vec![None; study.accounts.len()];
        let engine = Engine::new(study);
        Ok(Self {
            folder,
            contents,
            run_id,
            engine,
            encoder,
            storage,
            pending,
            epoch: 0,
            resumed_by: None,
            cursors,
            last_at: opened_at,
        })
    }

    fn resume(results: &Path, path: &Path, experiment: &mut Experiment, invocation: Invocation) -> Result<Self, RunError> {
        let folder = RunFolder::open(path)?;
        let journal = folder.journal();
        let Recovered { scan, truncated_bytes } = journal::recover(&journal)?;
        let (header, mut encoder) = (scan.header, scan.encoder);
        if truncated_bytes > 0 {
            tracing::warn!(truncated_bytes, journal = %journal.display(), "the journal ended in the middle of a line, which was cut off");
        }
        if let Some(part) = differing_part(&header.study, experiment) {
            return Err(RunError::Changed(part));
        }
        let is_locked = header.inputs.iter().any(|input| input.kind == lock::LOCK_INPUT);
        if is_locked && !changed_inputs(&header, experiment).is_empty() {
            return Err(RunError::Changed("a file of the locked experiment"));
        }
        check_hashes(results, experiment, Some(&header.run_id))?;
        let contents = open_contents(&folder)?;
        for file in header.study.items.iter().filter_map(|item| item.file.as_ref()) {
            if !contents.holds(&file.facts.sha256) {
                return Err(RunError::Missing(folder.path().join(FILES).join(&*file.facts.sha256)));
            }
        }
        let Replayed { engine, unwritten, next_epoch, cursors, last_at } = replay(&journal)?;
        let storage = FileStorage::open(&journal).map_err(|source| RunError::Write { path: journal, source })?;
        let mut pending = Vec::new();
        for decision in unwritten {
            encoder.append(last_at, &Entry::Decision(decision), &mut pending);
        }
        let (run_id, epoch, resumed_by) = (header.run_id, next_epoch, Some(invocation));
        Ok(Self { folder, contents, run_id, engine, encoder, storage, pending, epoch, resumed_by, cursors, last_at })
    }

    async fn drive(
        self,
        experiment: &Experiment,
        launched: &Launched,
        allowance: Box<LedgerAllowance>,
        stop: CancellationToken,
        progress: watch::Sender<Progress>,
    ) -> Result<RunSummary, RunError> {
        let study = Arc::clone(self.engine.study());
        let platform =
            lacuna_platform::open(&experiment.study.adapter, Arc::clone(&study), &launched.platform, &launched.accounts)?;
        let clock = Clock::start(self.last_at);
        let opened_at = clock.now();
        let live = LiveRun {
            engine: self.engine,
            run_id: self.run_id.clone(),
            encoder: self.encoder,
            storage: self.storage,
            pending: self.pending,
            epoch: self.epoch,
            resumed_by: self.resumed_by,
            cursors: self.cursors,
            platform: Arc::from(platform),
            contents: self.contents,
            allowance,
            clock,
            stop,
            progress,
        };
        let folder = self.folder;
        let path = folder.path().to_owned();
        let LiveEnd { engine, mut encoder, mut storage, clock, reason } =
            Box::pin(drive(live)).await.map_err(|error| RunError::Live { error, folder: path.clone() })?;
        let end = end_of(reason, &verdicts::derive(engine.evidence()));
        let progress = engine.progress();
        // The derivation builds the evidence anew from the journal; two of them would be one too many.
        drop(engine);
        let sealed_at = clock.now();
        let mut seal = Vec::new();
        encoder.seal(sealed_at, end.exit_code(), &mut seal);
        let journal = folder.journal();
        storage.append(&seal).and_then(|()| storage.sync()).map_err(|source| RunError::Write { path: journal, source })?;
        let analysis = analyze(folder.path(), AnalyzeOptions::default())?;
        Ok(RunSummary {
            run_id: self.run_id,
            folder: path,
            study,
            end,
            reason,
            verdicts: analysis.verdicts,
            texts: analysis.texts,
            claims: analysis.claims,
            registration: analysis.registration,
            progress,
            took: sealed_at - opened_at,
        })
    }
}

/// Refuses files that the platform was shown before where the design needs it not to know them; elsewhere warns of them. What
/// the run `own` has shown itself is no obstacle to going on with it.
fn check_hashes(results: &Path, experiment: &Experiment, own: Option<&RunId>) -> Result<(), RunError> {
    let problems = burnt::burnt(results, experiment, own)?;
    if !problems.is_empty() && burnt::needs_fresh(experiment.study.design) {
        return Err(RunError::Burnt(problems));
    }
    if let Some(first) = problems.first() {
        tracing::warn!(files = problems.len(), "the platform was shown files before: {}", first.message);
    }
    Ok(())
}

fn open_contents(folder: &RunFolder) -> Result<Contents, RunError> {
    let path = folder.path().join(FILES);
    Contents::open(folder.path(), MOST_RECEIVED).map_err(|source| RunError::Write { path, source })
}

/// How a run ended that stopped for this reason.
fn end_of(reason: StopReason, verdicts: &[VerdictRecord]) -> RunEnd {
    match reason {
        StopReason::Requested => RunEnd::Interrupted,
        StopReason::MessageBudget | StopReason::DailyBudget | StopReason::Sanction => RunEnd::Safety,
        StopReason::Finished | StopReason::NoPathAlive => {
            // What was not due is not open.
            let concluded = verdicts
                .iter()
                .any(|record| record.verdict != Verdict::Inconclusive || record.reason == Some(lacuna_model::Reason::NotDue));
            if concluded { RunEnd::Done } else { RunEnd::Inconclusive }
        }
    }
}

/// The time of the opening and eight random hexadecimal digits.
pub(crate) fn new_run_id(opened_at: Timestamp) -> RunId {
    let time: String =
        lacuna_records::time_format::iso8601(opened_at).chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    RunId::new(format!("{time}Z-{:08x}", rand::rng().random::<u32>()))
}
