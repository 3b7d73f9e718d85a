//! From facts to claims: matching, outcomes, verdicts. Pure functions and folds; no I/O, no clock, no randomness.

pub mod beta;
pub mod claims;
pub mod contrasts;
pub mod enforcement;
pub mod evidence;
pub mod intervals;
pub mod loss;
pub mod matching;
pub mod multiplicity;
pub mod tally;
pub mod verdicts;
