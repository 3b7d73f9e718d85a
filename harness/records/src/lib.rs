//! Every file format of Lacuna: experiment, policy, corpus, journal, CSV, data package, manifest. No async runtime.

pub mod comparison;
pub mod contents;
pub mod corpus;
pub mod diff;
pub mod experiment;
pub mod export;
pub mod history;
pub mod journal;
pub mod ledger;
mod lines;
pub mod lock;
pub mod policy;
pub mod predecessor;
pub mod projection;
pub mod run_folder;
pub mod schema;
pub use lacuna_model::time_format;
mod toml_reader;
pub mod verify;
