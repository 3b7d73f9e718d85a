//! Pictures as a hostile world has them, and as they are made here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod decoding;
mod hostile;
mod matching;
mod rendering;
