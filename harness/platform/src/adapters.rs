//! The adapters that are compiled in.

use std::sync::Arc;

use lacuna_model::Study;
use lacuna_model::adapter::AdapterSpec;

use crate::session::Platform;
use crate::settings::ResolvedSettings;

/// What each of them declares, for the reader of experiment files and for the schema.
pub const ADAPTERS: &[AdapterSpec] = &[
    #[cfg(feature = "simulator")]
    crate::simulator::SPEC,
    #[cfg(feature = "xmpp")]
    crate::xmpp::SPEC,
];

/// A platform cannot be opened. The keys were checked when the experiment was read; this is about their values.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No such adapter is compiled in.
    #[error("no adapter `{0}`")]
    UnknownAdapter(String),
    /// A key of `[platform]` is missing.
    #[error("`[platform] {0}` is missing")]
    MissingPlatformKey(&'static str),
    /// A key of `[platform]` has a value that the adapter cannot use.
    #[error("`[platform] {key}`: {error}")]
    PlatformKey {
        /// The key.
        key: &'static str,
        /// Why not.
        error: String,
    },
    /// A key of an account is missing or has a value that the adapter cannot use.
    #[error("account `{account}`, key `{key}`: {error}")]
    AccountKey {
        /// The account's pseudonym.
        account: String,
        /// The key.
        key: &'static str,
        /// Why not.
        error: String,
    },
    /// The platform has no such venue.
    #[error("venue `{venue}`: {error}")]
    Venue {
        /// The venue's id.
        venue: String,
        /// Why not.
        error: String,
    },
    /// A client could not be built.
    #[error("cannot set up the client: {0}")]
    Client(String),
}

/// Opens a platform for a study; nothing is connected yet. `accounts` are in the order of the study's.
#[cfg_attr(
    not(feature = "xmpp"),
    allow(unused_variables, clippy::needless_pass_by_value, reason = "not every adapter takes all of it")
)]
pub fn open(
    adapter: &str,
    study: Arc<Study>,
    platform: &ResolvedSettings,
    accounts: &[ResolvedSettings],
) -> Result<Box<dyn Platform>, OpenError> {
    match adapter {
        #[cfg(feature = "simulator")]
        "simulator" => Ok(Box::new(crate::simulator::Simulator::new(study, platform)?)),
        #[cfg(feature = "xmpp")]
        "xmpp" => Ok(Box::new(crate::xmpp::Xmpp::new(study, platform, accounts)?)),
        _ => Err(OpenError::UnknownAdapter(adapter.to_owned())),
    }
}
