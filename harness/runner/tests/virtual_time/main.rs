//! Whole runs in virtual time: the production engine over the simulated platform, without sockets and without waiting.
//!
//! - [`scenarios`]: the files of `tests/scenarios/`, which say what happens and what must be concluded. Their README says how
//!   to write one.
//! - [`campaigns`]: hundreds of runs under one kind of fault, in which nothing may be called dropped that is not.
//! - [`changes`]: rules that change between two runs, and what a comparison says of them.
//! - [`checks`]: paths that are checked before anything is asked.
//! - [`contrasts`]: regions that differ, and accounts that only look as if.
//! - [`random`]: small random studies, policies and faults, after which the [`invariants`] must hold.
//! - [`evaluation`]: a reduced table of what a verdict costs and how right it is.
//! - [`files`]: by what files are filtered, and whether what is shown outside is enforced inside.
//! - [`history`]: what earlier runs found changes the order, and no verdict.
//! - [`plans`]: what `lacuna plan` says of an experiment.
//! - [`planted_texts`]: rules planted in texts, and what it takes to find them.
//! - [`public_lists`]: published rules and keyword lists, where they lie beside the repository.
//! - [`quickstart`]: the experiment that the repository shows first.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod campaigns;
mod changes;
mod checks;
mod contrasts;
mod evaluation;
mod expect;
mod files;
mod history;
mod invariants;
mod plans;
mod planted_texts;
mod public_lists;
mod quickstart;
mod random;
mod run;
mod scenario;
mod scenarios;
mod texts;
