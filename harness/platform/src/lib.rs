//! Accounts on messaging platforms behind one trait.
//!
//! Read [`session`] first: what a platform can do. [`settings`] and [`secrets`] bring an experiment's keys to an adapter,
//! [`adapters`] lists the adapters and opens one; each adapter is a module and a cargo feature.

pub mod adapters;
pub mod secrets;
pub mod session;
pub mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;
#[cfg(any(feature = "simulator", feature = "xmpp"))]
pub mod tls;
#[cfg(feature = "xmpp")]
pub mod xmpp;

pub use adapters::{ADAPTERS, OpenError, open};
pub use session::{
    ConnectError, FetchError, IncomingFile, MessageSender, Outgoing, OutgoingFile, Platform, Session, SessionEvent,
};
pub use settings::{ResolvedSetting, ResolvedSettings};
