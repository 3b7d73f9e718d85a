//! Whether an experiment is the one that was locked.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lacuna_design::ENGINE_VERSION;
use lacuna_records::experiment::Experiment;
use lacuna_records::journal::{Change, Deviation, InputHash};
use lacuna_records::lock::{self, Lock, LockError};

/// The lock that a run is checked against, as its journal will hold it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registration {
    /// The lock; `None` for an experiment that is not locked.
    pub lock: Option<InputHash>,
    /// In what the experiment is not the one that was locked, and why it is run nevertheless.
    pub deviation: Option<Deviation>,
}

/// An experiment that must not be run as it is.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The lock cannot be read.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The experiment is locked, and something changed.
    #[error("{}", changed(experiment, locked_at, changes))]
    Changed {
        /// The experiment file.
        experiment: PathBuf,
        /// When it was locked.
        locked_at: String,
        /// What changed.
        changes: Vec<Change>,
    },
    /// There is nothing to deviate from.
    #[error(
        "{} is not locked, so that a run cannot deviate from it (leave out --deviate, or lock it first with `lacuna plan --lock`)",
        .0.display()
    )]
    NotLocked(PathBuf),
}

fn changed(experiment: &Path, locked_at: &str, changes: &[Change]) -> String {
    let experiment = experiment.display();
    let mut text = format!("{experiment} was locked on {locked_at}, and is not what it was:\n");
    for change in changes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {}", change.what, change.detail());
    }
    text + &format!(
        "put it back, or lock it anew with `lacuna plan {experiment} --lock`, or run it as it is with `--deviate \"REASON\"`, which is told with the results"
    )
}

/// Checks an experiment, as the command line changed it, against the lock beside its file. With a reason to `deviate` a changed
/// experiment may be run.
pub fn check(path: &Path, experiment: &Experiment, deviate: Option<String>) -> Result<Registration, RegistrationError> {
    let stored = Lock::read(&lock::path_of(path))?;
    let Some(stored) = stored else {
        return match deviate {
            None => Ok(Registration::default()),
            Some(_) => Err(RegistrationError::NotLocked(path.to_owned())),
        };
    };
    let changes = stored.lock.changes(experiment, &experiment.overrides, ENGINE_VERSION);
    let deviation = match deviate {
        None if changes.is_empty() => None,
        None => {
            let locked_at = stored.lock.locked_at;
            return Err(RegistrationError::Changed { experiment: path.to_owned(), locked_at, changes });
        }
        Some(reason) => Some(Deviation { reason, changes }),
    };
    Ok(Registration { lock: Some(stored.input), deviation })
}
