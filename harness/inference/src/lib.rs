//! From facts to claims: matching, outcomes, verdicts. Pure functions and folds; no I/O, no clock, no randomness.

pub mod evidence;
pub mod isolation;
pub mod loss;
pub mod matching;
pub mod tally;
pub mod verdicts;
