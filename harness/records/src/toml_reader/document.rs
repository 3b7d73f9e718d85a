//! A file as it was read: its text, its tree, and the way from a place in the tree to line and column.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lacuna_model::{Location, Problem};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::problems::Problems;
use super::tree::{self, Place, Table};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 10_000_000;

/// Of a larger file with syntax errors, in bytes, only the first error is reported: the parser's list of all of them
/// takes some 200 bytes for each byte of a hostile file.
const LARGEST_RECOVERED: usize = 1_000_000;

/// A TOML file.
#[derive(Debug)]
pub(crate) struct Document {
    /// As the person named it.
    pub(crate) file: PathBuf,
    /// Of the bytes of the file, before any override.
    pub(crate) sha256: String,
    pub(crate) root: Table,
    /// The file has syntax errors: what is missing may only have been unreadable, so it is not reported.
    pub(crate) incomplete: bool,
    text: String,
}

impl Document {
    /// Reads a file; reports why it cannot be read, and every syntax error.
    pub(crate) fn open(path: &Path, problems: &Problems) -> Option<Self> {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        Self::parse(path, bytes, problems)
    }

    /// As [`open`](Self::open), from the bytes of the file.
    pub(crate) fn parse(path: &Path, bytes: Vec<u8>, problems: &Problems) -> Option<Self> {
        let sha256 = sha256_hex(&bytes);
        let mut document = Self { file: path.to_owned(), sha256, root: Table::default(), incomplete: false, text: String::new() };
        match String::from_utf8(bytes) {
            Ok(text) => document.text = text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                document.text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                problems.push(document.problem(Place::At(valid), "", "is not UTF-8 text", "save the file as UTF-8"));
                return None;
            }
        }
        if document.text.len() > LARGEST_RECOVERED
            && let Err(error) = DeTable::parse(&document.text)
        {
            problems.push(document.syntax_problem(&error));
            return None;
        }
        let (table, errors) = DeTable::parse_recoverable(&document.text);
        document.root = tree::table(table.get_ref(), 0);
        document.incomplete = !errors.is_empty();
        for error in errors {
            problems.push_with(|| document.syntax_problem(&error));
        }
        Some(document)
    }

    fn syntax_problem(&self, error: &toml::de::Error) -> Problem {
        let place = error.span().map_or(Place::File, |span| Place::At(span.start));
        self.problem(place, "", &format!("is no valid TOML: {}", error.message()), "")
    }

    /// A problem of this file.
    pub(crate) fn problem(&self, place: Place, key: &str, message: &str, fix: &str) -> Problem {
        Problem { location: self.location(place), key: key.to_owned(), message: message.to_owned(), fix: fix.to_owned() }
    }

    /// Where a place is.
    pub(crate) fn location(&self, place: Place) -> Location {
        match place {
            Place::File => Location { file: self.file.clone(), line: 0, column: 0 },
            Place::Override => Location { file: PathBuf::from("--set"), line: 0, column: 0 },
            Place::At(byte) => {
                let mut byte = byte.min(self.text.len());
                while !self.text.is_char_boundary(byte) {
                    byte -= 1;
                }
                let before = &self.text[..byte];
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                Location {
                    file: self.file.clone(),
                    line: 1 + before.bytes().filter(|&byte| byte == b'\n').count(),
                    column: 1 + before[line_start..].chars().count(),
                }
            }
        }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    let problem = |message: String, fix: &str| Problem {
        location: Location { file: path.to_owned(), line: 0, column: 0 },
        key: String::new(),
        message,
        fix: fix.to_owned(),
    };
    let unreadable = |error: std::io::Error| problem(format!("cannot be read: {error}"), "give the path of a TOML file");
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(problem(format!("is larger than {} MB", LARGEST_FILE / 1_000_000), "give the path of a TOML file"));
    }
    Ok(bytes)
}

/// The SHA-256 of some bytes in lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
