//! From facts to claims: matching, outcomes, verdicts.
