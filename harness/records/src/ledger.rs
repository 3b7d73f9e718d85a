//! `results/ledger.jsonl`: how many messages each account sent on each day, over all runs.
//!
//! The first line is `{"ledger":"lacuna","version":1,"salt":"…"}`, each further line `{"day":"2016-11-30","account":"…",
//! "messages":50}`. The file is only appended to; the sum over the lines of a day and an account counts. Accounts are keyed
//! by the first 128 bits of SHA-256 over the salt, a zero byte and the account's name, so that the ledger can be kept and shown without naming them. Messages
//! are entered before they are sent, many at once, and what was not sent after all is entered as a negative number: a
//! crash can only make the ledger count too many.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use lacuna_content::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::journal::sync_directory;
use crate::lines::{Found, read_line};
use crate::time_format::Day;

const LEDGER: &str = "lacuna";
const VERSION: u32 = 1;
/// No line of a ledger is longer.
const MAX_LINE: usize = 1 << 10;

/// The ledger of a folder of results. Several processes may have it open; each locks the file while it looks or writes.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    salt: String,
    counts: HashMap<(String, String), i64>,
    /// Where the lines begin that were not read yet.
    read_to: u64,
    lines: u64,
}

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not one of a ledger.
    #[error("{}:{line}: {detail} (mend the line, or move the file away and lose the counts of today)", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    ledger: String,
    version: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    day: String,
    account: String,
    messages: i64,
}

impl Ledger {
    /// Opens the ledger at `path`; makes it, with a new salt, if there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let salt = String::new();
        let mut ledger = Self { path: path.to_owned(), file, salt, counts: HashMap::new(), read_to: 0, lines: 0 };
        ledger.locked(|_| Ok(()))?;
        Ok(ledger)
    }

    /// How many messages the ledger has for an account on a day, those of other processes included. `account` is whatever
    /// names the account across experiments.
    pub fn count_today(&mut self, account: &str, day: Day) -> Result<u64, LedgerError> {
        self.locked(|ledger| {
            let count = ledger.counts.get(&(day.to_string(), ledger.key(account)));
            Ok(count.map_or(0, |count| u64::try_from(*count).unwrap_or(0)))
        })
    }

    /// Enters messages of an account, before they are sent, and waits until the disk has them. A negative number gives back
    /// what was entered and not sent.
    pub fn record(&mut self, account: &str, day: Day, messages: i64) -> Result<(), LedgerError> {
        self.locked(|ledger| {
            let line = Line { day: day.to_string(), account: ledger.key(account), messages };
            ledger.append(&line)?;
            ledger.count(line);
            Ok(())
        })
    }

    fn key(&self, account: &str) -> String {
        let mut digits = sha256_hex(format!("{}\0{account}", self.salt).as_bytes());
        digits.truncate(32);
        digits
    }

    fn count(&mut self, line: Line) {
        let count = self.counts.entry((line.day, line.account)).or_default();
        *count = count.saturating_add(line.messages);
    }

    /// Locks the file, reads what others have appended, and acts.
    fn locked<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.file.lock().map_err(|source| self.failed(source))?;
        let result = self.refresh().and_then(|()| act(self));
        self.file.unlock().map_err(|source| self.failed(source))?;
        result
    }

    fn refresh(&mut self) -> Result<(), LedgerError> {
        let mut input = BufReader::new(self.file.try_clone().map_err(|source| self.failed(source))?);
        input.seek(SeekFrom::Start(self.read_to)).map_err(|source| self.failed(source))?;
        let mut line = Vec::new();
        loop {
            match read_line(&mut input, &mut line, MAX_LINE).map_err(|source| self.failed(source))? {
                Found::Line => {
                    self.take(&line)?;
                    self.read_to += line.len() as u64 + 1;
                    self.lines += 1;
                }
                Found::Nothing => break,
                Found::Unfinished => {
                    // Whoever was writing this is gone, because the lock is ours; nothing was sent on it.
                    let cut = self.file.set_len(self.read_to).and_then(|()| self.file.sync_all());
                    cut.map_err(|source| self.failed(source))?;
                    break;
                }
                Found::TooLong => return Err(self.refuse("the line is too long".to_owned())),
            }
        }
        if self.lines == 0 { self.begin() } else { Ok(()) }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), LedgerError> {
        if self.lines == 0 {
            let first: First = serde_json::from_slice(line).map_err(|error| self.refuse(error.to_string()))?;
            if first.ledger != LEDGER || first.version != VERSION {
                return Err(self.refuse(format!("this is no ledger of version {VERSION}")));
            }
            self.salt = first.salt;
        } else {
            let line: Line = serde_json::from_slice(line).map_err(|error| self.refuse(error.to_string()))?;
            self.count(line);
        }
        Ok(())
    }

    /// Writes the first line of a new ledger.
    fn begin(&mut self) -> Result<(), LedgerError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| self.failed(io::Error::other(error.to_string())))?;
        self.salt = format!("{:032x}", u128::from_be_bytes(salt));
        let first = First { ledger: LEDGER.to_owned(), version: VERSION, salt: self.salt.clone() };
        self.append(&first)?;
        sync_directory(&self.path).map_err(|source| self.failed(source))
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), LedgerError> {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.write_all(&bytes)?;
            self.file.sync_data()?;
            Ok(bytes.len())
        });
        self.read_to += written.map_err(|source| self.failed(source))? as u64;
        self.lines += 1;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.path.clone(), source }
    }

    fn refuse(&self, detail: String) -> LedgerError {
        LedgerError::Line { path: self.path.clone(), line: self.lines + 1, detail }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::fs;

    const DAY: Day = Day(17_135);

    #[test]
    fn counts_survive_restarts_and_processes_see_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut one = Ledger::open(&path).unwrap();
        let mut two = Ledger::open(&path).unwrap();
        one.record("simulator/cn-a", DAY, 50).unwrap();
        two.record("simulator/cn-a", DAY, 50).unwrap();
        two.record("simulator/cn-a", DAY, -20).unwrap();
        two.record("simulator/cn-a", Day(DAY.0 + 1), 7).unwrap();
        assert_eq!(one.count_today("simulator/cn-a", DAY).unwrap(), 80);
        assert_eq!(one.count_today("simulator/cn-b", DAY).unwrap(), 0);
        drop((one, two));
        assert_eq!(Ledger::open(&path).unwrap().count_today("simulator/cn-a", DAY).unwrap(), 80);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains("\"day\":\"2016-11-30\"") && !text.contains("cn-a"), "{text}");
    }

    #[test]
    fn every_ledger_has_a_salt_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let salts = ["a", "b"].map(|name| Ledger::open(&folder.path().join(name)).unwrap().salt);
        assert_ne!(salts[0], salts[1]);
        assert_eq!(salts[0].len(), 32);
    }

    #[test]
    fn a_torn_tail_is_cut_off_and_a_broken_line_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        Ledger::open(&path).unwrap().record("a", DAY, 3).unwrap();
        let whole = fs::read(&path).unwrap();
        for torn in 0..whole.len() {
            fs::write(&path, &whole[..torn]).unwrap();
            let mut ledger = Ledger::open(&path).unwrap();
            assert_eq!(ledger.count_today("a", DAY).unwrap(), 0);
            ledger.record("a", DAY, 1).unwrap();
            assert_eq!(Ledger::open(&path).unwrap().count_today("a", DAY).unwrap(), 1);
        }
        let broken = [&whole[..], b"{\"day\":1}\n"].concat();
        fs::write(&path, &broken).unwrap();
        let error = Ledger::open(&path).unwrap_err().to_string();
        assert!(error.contains("ledger.jsonl:3: "), "{error}");
        assert_eq!(fs::read(&path).unwrap(), broken);
    }

    #[test]
    fn processes_that_write_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut ledger = Ledger::open(&path).unwrap();
                    for _ in 0..10 {
                        ledger.record("a", DAY, 1).unwrap();
                    }
                });
            }
        });
        assert_eq!(Ledger::open(&path).unwrap().count_today("a", DAY).unwrap(), 40);
    }
}
