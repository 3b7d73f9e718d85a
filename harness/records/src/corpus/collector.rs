//! Gathers the problems of one file.

use std::path::{Path, PathBuf};

use lacuna_model::{Location, Problem};

/// More than a person reads; keeps a hostile file from filling the memory.
const MAX_PROBLEMS: usize = 10_000;

/// The problems of one file, at most [`MAX_PROBLEMS`]; how many more there were is said at the end.
pub(super) struct Collector {
    file: PathBuf,
    problems: Vec<Problem>,
    left_out: usize,
}

impl Collector {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), problems: Vec::new(), left_out: 0 }
    }

    /// `line` and `column` from 1; 0 where the whole file or line is meant.
    pub(super) fn report(
        &mut self,
        (line, column): (usize, usize),
        key: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if self.problems.len() == MAX_PROBLEMS {
            self.left_out += 1;
            return;
        }
        let location = Location { file: self.file.clone(), line, column };
        self.problems.push(Problem { location, key: key.to_owned(), message: message.into(), fix: fix.into() });
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// All problems in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.location.line, problem.location.column));
        if self.left_out > 0 {
            self.problems.push(Problem {
                location: Location { file: self.file, line: 0, column: 0 },
                key: String::new(),
                message: format!("{} more problems are not listed", self.left_out),
                fix: "mend these first".to_owned(),
            });
        }
        self.problems
    }
}
