//! With what a run was made: the program, and what its command line changed of the experiment.

use serde::{Deserialize, Serialize};

/// With what a run was begun, or gone on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// The version of Lacuna.
    pub lacuna_version: String,
    /// How that Lacuna was built; `None` where it does not matter, as in virtual time.
    pub build: Option<Build>,
    /// What the command line changed of the experiment, `KEY=VALUE`, in the order in which it was applied. Secrets stand in it as in the
    /// experiment: by reference.
    pub overrides: Vec<String>,
}

/// How a program was built.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// From which sources; `None` if they were in no git checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The version of the compiler: `1.95.0 (59807616e 2026-04-14)`.
    pub rustc: String,
    /// The target triple: `x86_64-unknown-linux-gnu`.
    pub target: String,
}

/// The sources that a program was built from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The git commit, in hexadecimal.
    pub commit: String,
    /// Whether they had been changed since.
    pub changed: bool,
}
