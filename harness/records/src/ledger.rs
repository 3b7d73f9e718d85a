//! `results/ledger.jsonl`: how many messages each account sent on each day, and which files platforms were shown, over all runs.
//!
//! The first line is `{"ledger":"lacuna","version":2,"salt":"…"}`, each further line `{"day":"2016-11-30","account":"…",
//! "messages":50}` or `{"exposed":"<MD5>","platform":"…","venue":"direct","at":"2016-11-30T08:00:00.000Z","run":"…"}`. The file
//! is only appended to; the sum over the lines of a day and an account counts. Accounts are keyed
//! by the first 128 bits of SHA-256 over the salt, a zero byte and the account's name, so that the ledger can be kept and shown without naming them. Messages
//! are entered before they are sent, many at once, and what was not sent after all is entered as a negative number: a
//! crash can only make the ledger count too many.
//!
//! A file is entered before a platform is shown it for the first time in a venue of a kind: from then on a filter may have its
//! hash. Version 1 had no such lines. A ledger that began with it keeps its first line and gets them all the same: a program
//! that knows only version 1 refuses them, and counts nothing wrong.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_content::sha256_hex;
use lacuna_model::{RunId, Timestamp, VenueKind};
use serde::{Deserialize, Serialize};

use crate::journal::sync_directory;
use crate::lines::{Found, read_line};
use crate::time_format::{Day, iso8601};

const LEDGER: &str = "lacuna";
const VERSION: u32 = 2;
/// Lines of counts alone.
const OLDEST_VERSION: u32 = 1;
/// A line with this key is one of a file.
const EXPOSED: &[u8] = b"\"exposed\"";
/// No line of a ledger is longer.
const MAX_LINE: usize = 1 << 12;

/// The ledger of a folder of results. Several processes may have it open; each locks the file while it looks or writes.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    salt: String,
    counts: HashMap<(String, String), i64>,
    /// By platform: by kind of venue and MD5.
    exposures: HashMap<String, HashMap<(VenueKind, Arc<str>), FirstExposure>>,
    /// Where the lines begin that were not read yet.
    read_to: u64,
    lines: u64,
}

/// When a platform was first shown a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstExposure {
    /// The moment, in ISO 8601.
    pub at: String,
    /// By which run.
    pub run: RunId,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exposure {
    exposed: Arc<str>,
    platform: String,
    venue: VenueKind,
    at: String,
    run: RunId,
}

/// A line after the first.
enum Entered {
    Messages(Line),
    Exposure(Exposure),
}

impl Ledger {
    /// Opens the ledger at `path`; makes it, with a new salt, if there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let salt = String::new();
        let (counts, exposures) = (HashMap::new(), HashMap::new());
        let mut ledger = Self { path: path.to_owned(), file, salt, counts, exposures, read_to: 0, lines: 0 };
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
            ledger.append(&[&line])?;
            ledger.count(line);
            Ok(())
        })
    }

    /// When and by which run the file with this MD5 was first shown to a platform, in venues of a kind; `None` where it never was.
    pub fn exposed(&mut self, platform: &str, venue: VenueKind, md5: &Arc<str>) -> Result<Option<FirstExposure>, LedgerError> {
        self.locked(|ledger| Ok(ledger.exposures.get(platform).and_then(|of| of.get(&(venue, Arc::clone(md5))).cloned())))
    }

    /// Enters files that a platform is about to be shown, each by its MD5 and the kind of the venue, and waits until the disk has
    /// them. Those that it was shown before keep their first exposure.
    pub fn expose(
        &mut self,
        platform: &str,
        files: &[(Arc<str>, VenueKind)],
        at: Timestamp,
        run: &RunId,
    ) -> Result<(), LedgerError> {
        self.locked(|ledger| {
            let known = ledger.exposures.get(platform);
            let mut entered = HashSet::new();
            let fresh = files.iter().filter(|(md5, venue)| {
                let key = (*venue, Arc::clone(md5));
                !known.is_some_and(|of| of.contains_key(&key)) && entered.insert(key)
            });
            let lines: Vec<Exposure> = fresh
                .map(|(md5, venue)| Exposure {
                    exposed: Arc::clone(md5),
                    platform: platform.to_owned(),
                    venue: *venue,
                    at: iso8601(at),
                    run: run.clone(),
                })
                .collect();
            ledger.append(&lines)?;
            for line in lines {
                ledger.enter(line);
            }
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

    fn enter(&mut self, line: Exposure) {
        let Exposure { exposed, platform, venue, at, run } = line;
        self.exposures.entry(platform).or_default().entry((venue, exposed)).or_insert(FirstExposure { at, run });
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
            if first.ledger != LEDGER || !(OLDEST_VERSION..=VERSION).contains(&first.version) {
                return Err(self.refuse(format!("this is no ledger of version {OLDEST_VERSION} to {VERSION}")));
            }
            self.salt = first.salt;
        } else {
            match entered(line).map_err(|detail| self.refuse(detail))? {
                Entered::Messages(line) => self.count(line),
                Entered::Exposure(line) => self.enter(line),
            }
        }
        Ok(())
    }

    /// Writes the first line of a new ledger.
    fn begin(&mut self) -> Result<(), LedgerError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| self.failed(io::Error::other(error.to_string())))?;
        self.salt = format!("{:032x}", u128::from_be_bytes(salt));
        let first = First { ledger: LEDGER.to_owned(), version: VERSION, salt: self.salt.clone() };
        self.append(&[first])?;
        sync_directory(&self.path).map_err(|source| self.failed(source))
    }

    /// Writes lines at the end, and waits until the disk has all of them.
    fn append(&mut self, lines: &[impl Serialize]) -> Result<(), LedgerError> {
        if lines.is_empty() {
            return Ok(());
        }
        let written = encode(lines).and_then(|bytes| {
            self.file.write_all(&bytes)?;
            self.file.sync_data()?;
            Ok(bytes.len())
        });
        self.read_to += written.map_err(|source| self.failed(source))? as u64;
        self.lines += lines.len() as u64;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.path.clone(), source }
    }

    fn refuse(&self, detail: String) -> LedgerError {
        LedgerError::Line { path: self.path.clone(), line: self.lines + 1, detail }
    }
}

fn encode(lines: &[impl Serialize]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in lines {
        let begin = bytes.len();
        serde_json::to_writer(&mut bytes, line)?;
        // What is written must be readable: a ledger with a line too long would be refused for ever.
        if bytes.len() - begin > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the platform or the run has too long a name"));
        }
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Reads a line after the first.
fn entered(line: &[u8]) -> Result<Entered, String> {
    // What is wrong with a line is told by the reader of its kind.
    if !line.windows(EXPOSED.len()).any(|part| part == EXPOSED) {
        return serde_json::from_slice(line).map(Entered::Messages).map_err(|error| error.to_string());
    }
    let line: Exposure = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if line.exposed.len() != 32 || !line.exposed.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("`exposed` is no MD5 in lower-case hexadecimal digits".to_owned());
    }
    if !is_plain(&line.at) || !is_plain(line.run.as_str()) {
        return Err("`at` or `run` is empty, or has blanks or other signs".to_owned());
    }
    Ok(Entered::Exposure(line))
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

    const RUN: &str = "20161130T080000Z-00000001";

    fn md5(digit: char) -> Arc<str> {
        digit.to_string().repeat(32).into()
    }

    #[test]
    fn the_first_exposure_counts_by_platform_and_venue_and_processes_see_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut one = Ledger::open(&path).unwrap();
        let mut two = Ledger::open(&path).unwrap();
        let (a, b) = (md5('a'), md5('b'));
        let (first, second) = (RunId::from(RUN), RunId::from("later"));
        let direct = |md5: &Arc<str>| (Arc::clone(md5), VenueKind::Direct);
        one.expose("p", &[direct(&a), direct(&b), direct(&a)], Timestamp(0), &first).unwrap();
        two.expose("p", &[direct(&b), (Arc::clone(&b), VenueKind::Group)], Timestamp(1_000), &second).unwrap();
        two.expose("p", &[direct(&b)], Timestamp(2_000), &second).unwrap();
        one.record("account", DAY, 5).unwrap();
        drop(two);
        for mut ledger in [one, Ledger::open(&path).unwrap()] {
            let earliest = FirstExposure { at: "1970-01-01T00:00:00.000Z".to_owned(), run: first.clone() };
            assert_eq!(ledger.exposed("p", VenueKind::Direct, &a).unwrap(), Some(earliest.clone()));
            assert_eq!(ledger.exposed("p", VenueKind::Direct, &b).unwrap(), Some(earliest));
            let in_group = FirstExposure { at: "1970-01-01T00:00:00.001Z".to_owned(), run: second.clone() };
            assert_eq!(ledger.exposed("p", VenueKind::Group, &b).unwrap(), Some(in_group));
            assert_eq!(ledger.exposed("p", VenueKind::Group, &a).unwrap(), None);
            assert_eq!(ledger.exposed("p", VenueKind::Feed, &a).unwrap(), None);
            assert_eq!(ledger.exposed("q", VenueKind::Direct, &a).unwrap(), None);
            assert_eq!(ledger.count_today("account", DAY).unwrap(), 5);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        let line =
            format!(r#"{{"exposed":"{a}","platform":"p","venue":"direct","at":"1970-01-01T00:00:00.000Z","run":"{RUN}"}}"#);
        assert_eq!(text.lines().nth(1), Some(line.as_str()));
    }

    #[test]
    fn a_ledger_of_the_first_version_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let old = "{\"ledger\":\"lacuna\",\"version\":1,\"salt\":\"00\"}\n";
        fs::write(&path, old).unwrap();
        Ledger::open(&path).unwrap().record("a", DAY, 3).unwrap();
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.expose("p", &[(md5('a'), VenueKind::Feed)], Timestamp(0), &RunId::from(RUN)).unwrap();
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.count_today("a", DAY).unwrap(), 3);
        assert!(ledger.exposed("p", VenueKind::Feed, &md5('a')).unwrap().is_some());
        assert!(fs::read_to_string(&path).unwrap().starts_with(old));
        fs::write(&path, old.replace(":1,", ":3,")).unwrap();
        assert!(Ledger::open(&path).unwrap_err().to_string().contains("version 1 to 2"));
    }

    #[test]
    fn of_a_torn_batch_whole_lines_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        Ledger::open(&path).unwrap();
        let begin = fs::read(&path).unwrap().len();
        let files = ['a', 'b', 'c'].map(|digit| (md5(digit), VenueKind::Direct));
        let expose = |path| Ledger::open(path).unwrap().expose("p", &files, Timestamp(0), &RunId::from(RUN)).unwrap();
        expose(&path);
        let whole = fs::read(&path).unwrap();
        for torn in begin..=whole.len() {
            fs::write(&path, &whole[..torn]).unwrap();
            let mut ledger = Ledger::open(&path).unwrap();
            let lines = String::from_utf8_lossy(&whole[begin..torn]).matches('\n').count();
            for (index, (md5, venue)) in files.iter().enumerate() {
                assert_eq!(ledger.exposed("p", *venue, md5).unwrap().is_some(), index < lines, "{torn}");
            }
            expose(&path);
            assert_eq!(fs::read(&path).unwrap(), whole, "{torn}");
        }
    }

    #[test]
    fn exposures_that_cannot_be_are_refused_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        let begin = fs::read_to_string(&path).unwrap();
        let file = [(md5('a'), VenueKind::Direct)];
        let error = ledger.expose(&"p".repeat(MAX_LINE), &file, Timestamp(0), &RunId::from(RUN)).unwrap_err();
        assert!(error.to_string().contains("too long a name"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), begin);
        let line = |md5: &str, venue: &str, run: &str| {
            format!(r#"{{"exposed":"{md5}","platform":"p","venue":"{venue}","at":"2016","run":"{run}"}}"#)
        };
        let digits = md5('a');
        for (line, wrong) in [
            (line("A", "direct", RUN), "no MD5"),
            (line(&digits, "street", RUN), "street"),
            (line(&digits, "direct", r"\u001b[2J"), "other signs"),
            (line(&digits, "direct", RUN).replace("\"at\"", "\"day\""), "`day`"),
        ] {
            fs::write(&path, format!("{begin}{line}\n")).unwrap();
            let error = Ledger::open(&path).unwrap_err().to_string();
            assert!(error.contains("ledger.jsonl:2: ") && error.contains(wrong), "{error}");
        }
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
