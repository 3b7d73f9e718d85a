//! The driver of real runs: the engine between a journal on disk and accounts on a platform.
//!
//! One task owns the engine and the journal's encoder. Whatever happens (an answer, an observation, a deadline, Ctrl-C) comes
//! to it through one bounded queue; it takes all that is there, appends each fact and what the engine decided because of it,
//! and hands the bytes to the writer thread together with the sends and acknowledgements that they cover. The writer makes
//! them durable with one `fdatasync` for all that has gathered, and only then lets the sends leave. So nothing leaves that is
//! not on disk, and the disk does not set the pace.

mod accounts;
mod clock;
mod core;
mod files;
mod writer;

use std::sync::Arc;

use lacuna_design::{Engine, Progress};
use lacuna_model::{AccountIx, Cursor, Invocation, ProbeId, RunId, StopReason, Timestamp, VenueKind};
use lacuna_platform::{ConnectError, Platform, Session};
use lacuna_records::contents::Contents;
use lacuna_records::journal::{Encoder, Storage};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use accounts::connect_each;
pub(crate) use accounts::connect_each_until;
pub use clock::Clock;

/// What a live run needs.
pub struct LiveRun<S> {
    /// The engine, fresh or brought up to date by replaying the journal.
    pub engine: Engine,
    /// Which run.
    pub run_id: RunId,
    /// The journal's encoder, where it stands.
    pub encoder: Encoder,
    /// Where the journal's bytes go. What `pending` holds is written first.
    pub storage: S,
    /// Bytes of the journal that are not in the storage yet: the header of a fresh journal.
    pub pending: Vec<u8>,
    /// The number of the epoch that opens now.
    pub epoch: u32,
    /// With what a run is gone on with.
    pub resumed_by: Option<Invocation>,
    /// How far each account's stream was read.
    pub cursors: Vec<Option<Cursor>>,
    /// The platform.
    pub platform: Arc<dyn Platform>,
    /// Where the bytes of files are.
    pub contents: Contents,
    /// What gives out messages of the day.
    pub allowance: Box<dyn Allowance>,
    /// The clock; never before the journal's last entry.
    pub clock: Clock,
    /// Cancelled when the researcher asks for an end.
    pub stop: CancellationToken,
    /// Where the run stands, for people.
    pub progress: watch::Sender<Progress>,
}

/// Messages that accounts may send on a day, and the files that the platform was shown, kept across runs.
pub trait Allowance: Send {
    /// What each account had sent already on the day of `day` (days since 1970-01-01, UTC).
    fn sent_on(&mut self, day: i64) -> std::io::Result<Vec<u64>>;

    /// Makes durable that this account is going to send one more message on this day. Called before the send leaves.
    fn spend(&mut self, account: AccountIx, day: i64) -> std::io::Result<()>;

    /// Makes durable that the platform is going to be shown these files, each by its MD5 and the kind of the venue. Called before
    /// the sends leave, for many at once.
    fn expose(&mut self, at: Timestamp, files: &[(Arc<str>, VenueKind)]) -> std::io::Result<()>;

    /// Gives back what was set aside and not sent.
    fn settle(&mut self) -> std::io::Result<()>;
}

/// How a live run ended.
pub struct LiveEnd<S> {
    /// The engine with all that it knows.
    pub engine: Engine,
    /// The journal's encoder, ready for the seal.
    pub encoder: Encoder,
    /// The storage, synced.
    pub storage: S,
    /// The clock.
    pub clock: Clock,
    /// Why nothing more was sent.
    pub reason: StopReason,
}

/// A live run could not be driven to its end.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The journal cannot be written any more. What it holds is true; the run can be resumed.
    #[error("cannot write the journal: {0}")]
    Journal(std::io::Error),
    /// The ledger cannot be read or written.
    #[error("cannot keep the ledger: {0}")]
    Ledger(std::io::Error),
    /// A received file cannot be kept.
    #[error("cannot keep a received file: {0}")]
    Files(std::io::Error),
    /// An account could not be connected.
    #[error("cannot connect: {0}")]
    Connect(#[from] ConnectError),
    /// A part of the program ended that should not have.
    #[error("the {0} ended unexpectedly")]
    Internal(&'static str),
}

/// Our name for a message: opaque, the same in every epoch, different in every run, and without a trace of what it carries.
#[must_use]
pub fn client_ref(run_id: &RunId, probe: ProbeId) -> String {
    let mut hash = Sha256::new();
    hash.update(run_id.as_str().as_bytes());
    hash.update(probe.0.to_le_bytes());
    hash.finalize()[..12].iter().fold(String::with_capacity(24), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Connects the accounts and drives the run until the engine says that it is over.
pub async fn drive<S: Storage + Send + 'static>(run: LiveRun<S>) -> Result<LiveEnd<S>, LiveError> {
    let sessions = connect_each(run.platform.as_ref(), run.engine.study(), &run.cursors).await;
    let sessions = sessions.into_iter().map(|session| session.map(Some)).collect::<Result<_, _>>()?;
    drive_connected(run, sessions).await
}

/// As [`drive`], with sessions that are connected already. An account without one neither sends nor listens, and the engine must know it.
pub(crate) async fn drive_connected<S: Storage + Send + 'static>(
    run: LiveRun<S>,
    sessions: Vec<Option<Session>>,
) -> Result<LiveEnd<S>, LiveError> {
    core::Core::start(run, sessions)?.drive().await
}
