//! From facts to claims: matching, outcomes, verdicts. Pure functions and folds; no I/O, no clock, no randomness.

pub mod account_effects;
pub mod baseline;
pub mod beta;
pub mod categories;
pub mod checks;
pub mod combinations;
pub mod conclusion;
pub mod contrasts;
pub mod controls;
pub mod enforcement;
pub mod evidence;
pub mod exposure;
pub mod intervals;
pub mod isolation;
pub mod loss;
pub mod matching;
pub mod mechanism;
pub mod multiplicity;
pub mod pools;
pub mod routes;
pub mod rules;
pub mod searches;
pub mod sequential;
mod suspicion;
pub mod tally;
mod unit_tally;
pub mod verdicts;
