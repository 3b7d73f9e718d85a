//! The workflows in `.github`, run on this machine as they are written, so that they cannot rot; and the files in `docs/scheduled`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod expression;
mod rules;
mod runner;
mod schedules;
mod weeks;
mod workflow;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
