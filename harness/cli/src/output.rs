//! Stdout: what was asked for, and nothing else.

use std::io::{self, Write};
use std::path::Path;

use crate::exit::Failure;

/// Writes to stdout. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::fault(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes lines to stdout.
pub fn print_lines(lines: &[String]) -> Result<(), Failure> {
    print(&(lines.join("\n") + "\n"))
}

/// Writes to a file, or to stdout where none is named.
pub fn print_to(file: Option<&Path>, text: &str) -> Result<(), Failure> {
    match file {
        None => print(text),
        Some(path) => std::fs::write(path, text).map_err(|error| cannot_write(path, &error)),
    }
}

/// A file that the command line named cannot be written.
pub fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("{}: cannot be written: {error}", path.display()))
}

/// Writes JSON, indented, with a line break at its end.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::fault)?;
    print(&(text + "\n"))
}
