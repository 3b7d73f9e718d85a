//! What every platform can do: connect an account, send with it, and tell what it receives.

use std::sync::Arc;

use futures::future::BoxFuture;
use lacuna_model::{AccountCondition, AccountIx, Cursor, Observation, SendResult, Shown, VenueIx};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A messaging platform, opened for one study.
pub trait Platform: Send + Sync {
    /// Logs the account in, makes sure that its venues exist and are joined, and starts to listen behind `cursor`
    /// (`None`: from the beginning of what the platform still knows).
    ///
    /// A session that is returned is connected; it reconnects by itself until its receiver is dropped.
    fn connect(&self, account: AccountIx, cursor: Option<Cursor>) -> BoxFuture<'_, Result<Session, ConnectError>>;
}

/// A connected account. Dropping `events` ends it.
pub struct Session {
    /// Sends messages. May be used by several tasks at once.
    pub sender: Box<dyn MessageSender>,
    /// What the account sees, in order. Bounded: while it is full, the platform is read no further.
    pub events: mpsc::Receiver<SessionEvent>,
    /// To be set to the cursor of the last observation that is safely on disk; only up to there may the platform forget.
    pub acknowledged: watch::Sender<Option<Cursor>>,
}

/// The sending half of a session.
pub trait MessageSender: Send + Sync {
    /// Hands one message to the platform and waits for its answer. Never sends twice.
    ///
    /// The future is to be awaited to its end; to end it early, cancel the token: it then resolves to
    /// [`SendResult::NotSent`] if certainly nothing left, else to [`SendResult::Unknown`].
    fn send<'a>(&'a self, message: &'a Outgoing, cancel: &'a CancellationToken) -> BoxFuture<'a, SendResult>;
}

/// A message to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Where to.
    pub venue: VenueIx,
    /// Our name for it, unique over all runs. Where the platform lets the sender choose the message's id, it is this one.
    pub client_ref: String,
    /// Exactly what is sent; of a file the caption.
    pub text: Arc<str>,
    /// The file that goes with it.
    pub file: Option<OutgoingFile>,
}

/// A file to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingFile {
    /// Its name, without folders.
    pub name: Arc<str>,
    /// What it is (RFC 6838), such as `image/png`.
    pub media_type: &'static str,
    /// SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: Arc<str>,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What a filter could find in it. For the simulator alone, whose filters believe it; a real platform looks for itself.
    pub shown: Shown,
}

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingFile {
    /// The name that it came under; hostile.
    pub name: String,
    /// Its bytes; hostile.
    pub bytes: Arc<[u8]>,
}

/// Why the file of a message is not at hand.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// The platform says that there is no such file, or not for this account: the message came without it.
    #[error("the file is not there: {0}")]
    Gone(String),
    /// It could not be fetched. Whether the platform has it is not known.
    #[error("the file could not be fetched: {0}")]
    Failed(String),
}

/// Something that a session tells.
#[derive(Clone, PartialEq, Debug)]
pub enum SessionEvent {
    /// The account saw something without a file.
    Observed(Observation),
    /// The account saw a message with a file, and fetched that. The observation says nothing of the file yet: whoever listens
    /// measures it.
    ObservedFile(Observation, Result<IncomingFile, FetchError>),
    /// The account may have missed something.
    Gap {
        /// Why.
        detail: String,
    },
    /// The account's condition changed.
    Account {
        /// Its new condition.
        condition: AccountCondition,
        /// In the platform's words.
        detail: String,
    },
}

/// An account could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The platform cannot be reached; later it may be.
    #[error("cannot reach {address}: {error}")]
    Unreachable {
        /// Where the platform should be.
        address: String,
        /// What went wrong.
        error: String,
    },
    /// The platform does not accept the account.
    #[error("{address} does not accept account `{account}`: {error}")]
    Rejected {
        /// Where the platform is.
        address: String,
        /// The account's pseudonym.
        account: String,
        /// In the platform's words.
        error: String,
    },
    /// A venue could not be made or joined.
    #[error("account `{account}` cannot use venue `{venue}`: {error}")]
    Venue {
        /// The account's pseudonym.
        account: String,
        /// The venue's id.
        venue: String,
        /// In the platform's words.
        error: String,
    },
    /// The platform does not speak the protocol.
    #[error("unexpected answer of {address}: {error}")]
    Protocol {
        /// Where the platform is.
        address: String,
        /// What was unexpected.
        error: String,
    },
}
