//! Every file format of Lacuna: experiment, policy, corpus, journal, CSV, data package, manifest. No async runtime.

pub mod journal;
pub mod ledger;
mod lines;
pub mod projection;
pub mod run_folder;
pub mod time_format;
pub mod verify;
