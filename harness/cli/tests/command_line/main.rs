//! The command as a person meets it: its words, its files, its exit codes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod ci;
mod codes;
mod comparisons;
mod corpora;
mod evaluation;
mod folders;
mod interruption;
mod plans;
mod platforms;
mod screens;
mod secrecy;
mod shells;
mod support;
mod tools;
