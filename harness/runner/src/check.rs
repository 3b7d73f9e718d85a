//! A check of an experiment's accounts and paths, before candidates are sent: who can log in, where controls arrive, and how soon.
//!
//! It is no run. Nothing is claimed from it and it is never gone on with, so it keeps no journal and no folder that could be taken for a
//! measurement: each check begins anew. What it sends is in the ledger before it leaves, like all that is sent.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_design::{ENGINE_VERSION, Engine, Progress, harmless};
use lacuna_inference::evidence::ProbeRecord;
use lacuna_inference::paths::{PathRecord, PathState, paths};
use lacuna_model::{AccountIx, Duration, RunId, StopReason, Study, Timestamp};
use lacuna_platform::OpenError;
use lacuna_records::contents::{Contents, CopyError};
use lacuna_records::experiment::Experiment;
use lacuna_records::journal::{Encoder, Header, VolatileStorage};
use lacuna_records::ledger::LedgerError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::allowance::LedgerAllowance;
use crate::launch::{LaunchError, Launched};
use crate::live::{Clock, LiveEnd, LiveError, LiveRun, connect_each_until, drive_connected};
use crate::run::{MOST_RECEIVED, new_run_id};

/// What to check.
pub struct CheckRequest {
    /// The experiment, read and checked.
    pub experiment: Experiment,
    /// The folder of all results, for its ledger.
    pub results: PathBuf,
    /// Controls on each channel.
    pub messages: u32,
}

/// How a check ended, for exit codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckEnd {
    /// Every account is logged in and every path alive.
    Alive,
    /// A path is not alive.
    NotAlive,
    /// A safety rule stopped it, or the platform sanctioned an account.
    Safety,
    /// The researcher stopped it.
    Interrupted,
}

impl CheckEnd {
    /// As the JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::NotAlive => "not_alive",
            Self::Safety => "safety",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a check found of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    /// Which.
    pub account: AccountIx,
    /// Why it could not be logged in; `None` where it was.
    pub problem: Option<String>,
    /// The platform limited, suspended or logged it out while it was checked.
    pub sanctioned: bool,
    /// Messages it was made to send.
    pub sent: u64,
    /// Of these, shown back to it.
    pub echoes: u64,
}

/// What a check found.
pub struct CheckSummary {
    /// The study.
    pub study: Arc<Study>,
    /// How it ended.
    pub end: CheckEnd,
    /// Why nothing more was sent, which the researcher may have asked for only later; `None` where nobody could be logged in.
    pub reason: Option<StopReason>,
    /// Every account, in the order of the study.
    pub accounts: Vec<AccountRecord>,
    /// Every path, in the order of the study.
    pub paths: Vec<PathRecord>,
    /// How long after the messages behind it a missing one should be waited for, by the longest delay seen; `None` where the experiment
    /// waits long enough.
    pub better_grace: Option<Duration>,
    /// From the first login to the end.
    pub took: Duration,
}

impl CheckSummary {
    /// The account of a path that could not be logged in: nothing is known of such a path.
    #[must_use]
    pub fn absent(&self, path: &PathRecord) -> Option<AccountIx> {
        let ends = [self.study.channel(path.channel).sender, path.recipient];
        ends.into_iter().find(|account| self.accounts[account.get()].problem.is_some())
    }

    /// Whether controls arrive on a path at an account that listens.
    #[must_use]
    pub fn is_alive(&self, path: &PathRecord) -> bool {
        self.absent(path).is_none() && path.state() == PathState::Alive
    }
}

/// A check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is nothing that it may send.
    #[error(
        "{0}: nothing can be checked without a control (list a corpus of controls whose files share no MD5 with another in `corpora.controls`)"
    )]
    NoControls(String),
    /// The folder of results cannot be made.
    #[error("cannot make {}: {source}", path.display())]
    Results {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The platform could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The platform could not be opened.
    #[error("cannot open the platform: {0}")]
    Open(#[from] OpenError),
    /// A file that is to be sent cannot be read.
    #[error("cannot copy a file that is to be sent: {0}")]
    Copy(#[from] CopyError),
    /// There is no place for files.
    #[error("cannot use a temporary folder: {0}")]
    Temporary(io::Error),
    /// It was driven and then failed.
    #[error(transparent)]
    Live(#[from] LiveError),
}

/// Checks the accounts and paths of an experiment.
pub async fn check(
    request: CheckRequest,
    stop: CancellationToken,
    progress: watch::Sender<Progress>,
) -> Result<CheckSummary, CheckError> {
    let CheckRequest { experiment, results, messages } = request;
    if harmless(&experiment.study).is_empty() {
        return Err(CheckError::NoControls(experiment.study.name));
    }
    std::fs::create_dir_all(&results).map_err(|source| CheckError::Results { path: results.clone(), source })?;
    let run_id = new_run_id(Clock::start(Timestamp(0)).now());
    let allowance = Box::new(LedgerAllowance::open(&results, &experiment, run_id.clone())?);
    let launched = Launched::start(&experiment).await?;
    let checked = Box::pin(drive(&experiment, &launched, allowance, run_id, messages, stop, progress)).await;
    launched.stop().await;
    checked
}

async fn drive(
    experiment: &Experiment,
    launched: &Launched,
    allowance: Box<LedgerAllowance>,
    run_id: RunId,
    messages: u32,
    stop: CancellationToken,
    progress: watch::Sender<Progress>,
) -> Result<CheckSummary, CheckError> {
    let study = Arc::new(experiment.study.clone());
    let platform = lacuna_platform::open(&study.adapter, Arc::clone(&study), &launched.platform, &launched.accounts)?;
    let clock = Clock::start(Timestamp(0));
    let began = clock.now();
    let cursors = vec![None; study.accounts.len()];
    let mut sessions = Vec::with_capacity(cursors.len());
    let mut problems = Vec::with_capacity(cursors.len());
    for session in connect_each_until(&stop, platform.as_ref(), &study, &cursors).await {
        problems.push(match &session {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("logging in was cut short".to_owned()),
        });
        sessions.push(session.and_then(Result::ok));
    }
    if stop.is_cancelled() {
        // Before anything is sent.
        let engine = Engine::check(&study, messages, vec![false; sessions.len()]);
        let found = Found { problems, reason: StopReason::Requested, interrupted: true, took: clock.now() - began };
        return Ok(summary(&engine, found));
    }
    let engine = Engine::check(&study, messages, sessions.iter().map(Option::is_some).collect());
    let temporary = tempfile::tempdir().map_err(CheckError::Temporary)?;
    let contents = open_contents(temporary.path(), experiment, engine.study())?;
    let header = Header {
        run_id: run_id.clone(),
        engine_version: ENGINE_VERSION,
        lacuna_version: env!("CARGO_PKG_VERSION").to_owned(),
        build: None,
        overrides: None,
        opened_at: began,
        study: Arc::clone(engine.study()),
        inputs: Vec::new(),
        deviation: None,
    };
    let (encoder, pending) = Encoder::new(&header);
    let live = LiveRun {
        engine,
        run_id,
        encoder,
        // In memory: nobody goes on with a check.
        storage: VolatileStorage::default(),
        pending,
        epoch: 0,
        resumed_by: None,
        cursors,
        platform: Arc::from(platform),
        contents,
        allowance,
        clock,
        stop,
        progress,
    };
    let LiveEnd { engine, clock, reason, .. } = Box::pin(drive_connected(live, sessions)).await?;
    let interrupted = engine.was_asked_to_stop();
    Ok(summary(&engine, Found { problems, reason, interrupted, took: clock.now() - began }))
}

/// What the engine does not know.
struct Found {
    /// Per account: why it is not logged in.
    problems: Vec<Option<String>>,
    reason: StopReason,
    /// The researcher asked for an end before it came by itself.
    interrupted: bool,
    took: Duration,
}

/// A place for files, with the files of the controls in it.
fn open_contents(folder: &Path, experiment: &Experiment, study: &Study) -> Result<Contents, CheckError> {
    let contents = Contents::open(folder, MOST_RECEIVED).map_err(CheckError::Temporary)?;
    let is_sent = |sha256: &str| study.items.iter().filter_map(|item| item.file.as_ref()).any(|it| *it.facts.sha256 == *sha256);
    let files: Vec<_> = experiment.files.iter().filter(|file| is_sent(&file.sha256)).cloned().collect();
    contents.copy(&files)?;
    Ok(contents)
}

fn summary(engine: &Engine, found: Found) -> CheckSummary {
    let Found { problems, reason, interrupted, took } = found;
    let (study, evidence) = (engine.study(), engine.evidence());
    let paths = paths(evidence, interrupted);
    let sent = |account| {
        let of = |probe: &&ProbeRecord| study.channel(probe.probe.channel).sender == account;
        evidence.probes().iter().filter(of).count() as u64
    };
    let accounts = (0u16..).map(AccountIx).zip(problems).map(|(account, problem)| AccountRecord {
        account,
        problem,
        sanctioned: evidence.sanctioned(account),
        sent: sent(account),
        echoes: evidence.echoes(account),
    });
    let accounts: Vec<AccountRecord> = accounts.collect();
    let greatest = paths.iter().filter_map(|path| path.greatest_delay).max();
    CheckSummary {
        study: Arc::clone(study),
        end: end_of(reason, interrupted, &accounts, &paths),
        reason: Some(reason).filter(|_| interrupted || accounts.iter().any(|account| account.problem.is_none())),
        better_grace: study.watch.grace.zip(greatest).and_then(|(grace, greatest)| better_grace(grace, greatest)),
        accounts,
        paths,
        took,
    }
}

fn end_of(reason: StopReason, interrupted: bool, accounts: &[AccountRecord], paths: &[PathRecord]) -> CheckEnd {
    match reason {
        // However it ended, and however many sanctions a run would go on with.
        _ if accounts.iter().any(|account| account.sanctioned) => CheckEnd::Safety,
        _ if interrupted => CheckEnd::Interrupted,
        StopReason::Requested => CheckEnd::Interrupted,
        StopReason::MessageBudget | StopReason::DailyBudget | StopReason::Sanction => CheckEnd::Safety,
        StopReason::Finished | StopReason::NoPathAlive => {
            let alive = paths.iter().all(|path| path.state() == PathState::Alive);
            // An account of no arm can be missing without a path being missing.
            if alive && accounts.iter().all(|account| account.problem.is_none()) { CheckEnd::Alive } else { CheckEnd::NotAlive }
        }
    }
}

/// A grace of four times the longest delay, in whole tenths of a second or, above ten seconds, whole seconds: where the
/// longest delay is more than half of the grace that the experiment gives.
fn better_grace(grace: Duration, greatest: Duration) -> Option<Duration> {
    if greatest.times(2) <= grace {
        return None;
    }
    let better = greatest.times(4).as_micros();
    let step = if better > 10_000_000 { 1_000_000 } else { 100_000 };
    Some(Duration((better + step - 1) / step * step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_grace_is_advised_where_delays_come_near_to_it() {
        let better = |grace, greatest| better_grace(Duration::from_millis(grace), Duration::from_millis(greatest));
        assert_eq!(better(2_000, 1_000), None);
        assert_eq!(better(2_000, 1_001), Some(Duration::from_millis(4_100)));
        assert_eq!(better(2_000, 7_010), Some(Duration::from_secs(29)));
        assert_eq!(better(0, 0), None);
    }
}
