//! How much the platform takes.

use std::time::Duration;

/// How much the platform takes. It listens to anybody on the loopback, so everything is bounded.
pub struct Limits;

impl Limits {
    /// Unicode scalar values of a message.
    pub const TEXT: usize = 16_000;
    /// Bytes of a request's body: the longest text with every scalar value escaped as a pair of surrogates, and its frame.
    pub const BODY: usize = 256 * 1024;
    /// Bytes of a file.
    pub const FILE: usize = 20 << 20;
    /// Bytes of all files together, what they are re-encoded to included.
    pub const FILES: usize = 1 << 30;
    /// Files that are taken in at a time; further ones wait.
    pub const UPLOADS: usize = 8;
    /// Files in which texts are read at a time.
    pub const READINGS: usize = 2;
    /// How long a file may take to come.
    pub const UPLOAD: Duration = Duration::from_mins(1);
    /// Bytes of the name of an account or venue and of a `client_ref`.
    pub const NAME: usize = 256;
    /// Accounts.
    pub const ACCOUNTS: usize = 10_000;
    /// Ordered pairs of members, over all venues: what paths may come to be.
    pub const PATHS: usize = 4_000_000;
    /// Deliveries on their way; beyond, the platform is out of order for senders (503).
    pub const IN_TRANSIT: usize = 200_000;
    /// Unacknowledged events of an account.
    pub const EVENTS: usize = 1_000_000;
    /// Bytes of the texts of an account's unacknowledged events.
    pub const TEXT_BYTES: usize = 256 * 1024 * 1024;
    /// Events of one answer.
    pub const EVENTS_PER_ANSWER: usize = 5_000;
    /// The longest that a question for events waits.
    pub const WAIT: Duration = Duration::from_mins(1);
    /// Open connections; further ones are closed at once.
    pub const CONNECTIONS: usize = 4_096;
}
