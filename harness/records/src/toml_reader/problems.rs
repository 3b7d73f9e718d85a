//! Collects what is wrong with an input.

use std::cell::{Cell, RefCell};

use lacuna_model::{Location, Problem};

/// More than this many nobody reads, and a hostile file must not fill the memory with them.
const MOST: usize = 200;

/// The problems found so far. Shared by everything that reads one input.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: RefCell<Vec<Problem>>,
    unlisted: Cell<usize>,
}

impl Problems {
    pub(crate) fn push(&self, problem: Problem) {
        self.push_with(|| problem);
    }

    /// Counts a problem, and makes it only if it is going to be listed: finding its line can take long.
    pub(crate) fn push_with(&self, problem: impl FnOnce() -> Problem) {
        if self.list.borrow().len() < MOST {
            let Problem { location, key, message, fix } = problem();
            let problem = Problem { location, key: printable(&key), message: printable(&message), fix: printable(&fix) };
            self.list.borrow_mut().push(problem);
        } else {
            self.unlisted.set(self.unlisted.get() + 1);
        }
    }

    pub(crate) fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            self.push(problem);
        }
    }

    /// How many so far: whether a step found any is seen by comparing before and after.
    pub(crate) fn len(&self) -> usize {
        self.list.borrow().len() + self.unlisted.get()
    }

    /// The result if there is no problem, and all problems in the order of the files' lines.
    pub(crate) fn finish<T>(self, result: Option<T>) -> (Option<T>, Vec<Problem>) {
        let mut list = self.list.into_inner();
        list.sort_by(|a, b| a.location.cmp(&b.location));
        if self.unlisted.get() > 0 {
            let file = list.first().map(|first| first.location.file.clone()).unwrap_or_default();
            list.push(Problem {
                location: Location { file, line: 0, column: 0 },
                key: String::new(),
                message: format!("{} more problems are not listed", self.unlisted.get()),
                fix: "mend these first".to_owned(),
            });
        }
        if list.is_empty() { (result, list) } else { (None, list) }
    }
}

/// Keys and ids come from files: they must not reach a terminal as control characters, nor fill it.
fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut printable = String::with_capacity(text.len().min(LONGEST));
    for character in text.chars().take(LONGEST) {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        printable.push('…');
    }
    printable
}
