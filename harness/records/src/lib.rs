//! Every file format of Lacuna: experiment, policy, corpus, journal, CSV, data package, manifest. No async runtime.

pub mod corpus;
pub mod experiment;
pub mod journal;
pub mod policy;
pub mod schema;
mod toml_reader;
