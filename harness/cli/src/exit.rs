//! The exit codes of the contract, and which failure has which. Nothing else in the program chooses one.

use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use lacuna_model::Problem;
use lacuna_runner::check::{CheckEnd, CheckError};
use lacuna_runner::launch::LaunchError;
use lacuna_runner::run::{RunEnd, RunError};

use crate::{problems, visible};

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: done. Findings are never failures.
    Done,
    /// 1: a fault in Lacuna, or of the machine under it (a full disk).
    Fault,
    /// 2: the command line, an experiment, policy or corpus, or a run's folder is not as it should be. clap uses the same number.
    Input,
    /// 3: nothing can be concluded.
    Inconclusive,
    /// 4: stopped by a safety rule.
    Safety,
    /// 5: something changed, and `--fail-on-change` was given.
    Changed,
    /// 130: ended by Ctrl-C, as shells report it.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Input => 2,
            Self::Inconclusive => 3,
            Self::Safety => 4,
            Self::Changed => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<RunEnd> for Exit {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Done => Self::Done,
            RunEnd::Inconclusive => Self::Inconclusive,
            RunEnd::Safety => Self::Safety,
            RunEnd::Interrupted => Self::Interrupted,
        }
    }
}

impl From<CheckEnd> for Exit {
    fn from(end: CheckEnd) -> Self {
        match end {
            CheckEnd::Alive => Self::Done,
            CheckEnd::NotAlive => Self::Inconclusive,
            CheckEnd::Safety => Self::Safety,
            CheckEnd::Interrupted => Self::Interrupted,
        }
    }
}

/// Why a command could not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// Files have problems; all of them.
    Problems(Vec<Problem>),
    /// One sentence, and how the command ends.
    Message(Exit, String),
}

impl Failure {
    /// What was asked for cannot be done as it was asked for.
    pub fn input(message: impl Display) -> Self {
        Self::Message(Exit::Input, message.to_string())
    }

    /// Lacuna or the machine failed.
    pub fn fault(message: impl Display) -> Self {
        Self::Message(Exit::Fault, message.to_string())
    }

    /// What it says, a sentence or more.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Problems(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Message(_, message) => message.lines().map(str::to_owned).collect(),
        }
    }

    /// Tells it on stderr.
    pub fn tell(&self) -> Exit {
        match self {
            Self::Problems(problems) => {
                problems::tell(problems);
                Exit::Input
            }
            Self::Message(exit, message) => {
                // Lines of a message that lists several things stay lines; all else is made visible.
                for line in message.lines() {
                    eprintln!("lacuna: {}", visible::visible(line));
                }
                *exit
            }
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        if let RunError::Launch(LaunchError::Policy(problems)) | RunError::Burnt(problems) = error {
            return Self::Problems(problems);
        }
        let exit = match &error {
            _ if error.is_unreachable() => Exit::Inconclusive,
            RunError::Folder(_)
            | RunError::Journal(_)
            | RunError::Copy(_)
            | RunError::Missing(_)
            | RunError::Replay(_)
            | RunError::Changed(_)
            | RunError::Launch(_)
            | RunError::Open(_)
            | RunError::Ledger(_)
            | RunError::Burnt(_) => Exit::Input,
            RunError::Write { .. } | RunError::Live { .. } | RunError::Analyze(_) => Exit::Fault,
        };
        Self::Message(exit, error.to_string())
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        if let CheckError::Launch(LaunchError::Policy(problems)) = error {
            return Self::Problems(problems);
        }
        let exit = match &error {
            CheckError::NoControls(_)
            | CheckError::Results { .. }
            | CheckError::Ledger(_)
            | CheckError::Launch(_)
            | CheckError::Open(_)
            | CheckError::Copy(_) => Exit::Input,
            CheckError::Temporary(_) | CheckError::Live(_) => Exit::Fault,
        };
        Self::Message(exit, error.to_string())
    }
}

/// Runs the command and turns whatever becomes of it, a panic too, into an exit code.
pub fn guarded(command: impl FnOnce() -> Result<Exit, Failure>) -> ExitCode {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        eprintln!("lacuna: a fault in Lacuna itself, at {place}: {}", visible::visible(message));
    }));
    let exit = match panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => failure.tell(),
        Err(_) => Exit::Fault,
    };
    ExitCode::from(exit.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let all = [Exit::Done, Exit::Fault, Exit::Input, Exit::Inconclusive, Exit::Safety, Exit::Interrupted];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 130]);
    }

    #[test]
    fn the_journal_is_sealed_with_the_number_that_the_shell_sees() {
        for end in [RunEnd::Done, RunEnd::Inconclusive, RunEnd::Safety, RunEnd::Interrupted] {
            assert_eq!(Exit::from(end).code(), end.exit_code());
        }
    }

    #[test]
    fn a_panic_is_a_fault() {
        let code = guarded(|| panic!("tried on purpose"));
        drop(panic::take_hook());
        assert_eq!(code, ExitCode::from(1));
    }
}
