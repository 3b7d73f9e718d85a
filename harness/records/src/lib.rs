//! Every file format of Lacuna: experiment, policy, corpus, journal, CSV, data package, manifest. No async runtime.

pub mod diff;
