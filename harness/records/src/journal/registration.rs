//! In what a run departs from the plan that was locked for it.

use serde::{Deserialize, Serialize};

/// A locked experiment was run although something had changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Why, in the researcher's words.
    pub reason: String,
    /// What had changed; empty if a reason was given and nothing had.
    pub changes: Vec<Change>,
}

/// Something that is not as it was locked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What: `experiment small.toml`, `watch.late`, `--set watch.late=1s`.
    pub what: String,
    /// As it was locked; empty if it was not there.
    pub locked: String,
    /// As it is; empty if it is not there any more.
    pub found: String,
}

impl Change {
    /// What it was and what it is.
    #[must_use]
    pub fn detail(&self) -> String {
        match (self.locked.as_str(), self.found.as_str()) {
            ("", found) => format!("nothing was locked, now {found}"),
            (locked, "") => format!("{locked} was locked, now it is gone"),
            (locked, found) => format!("{locked} was locked, now {found}"),
        }
    }
}
