//! A censoring platform and its faulty network.
