//! From facts to claims: matching, outcomes, verdicts.

pub mod matching;
