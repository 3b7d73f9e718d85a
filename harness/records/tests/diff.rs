//! Every folder of `tests/diff` is a case: `sent.csv`, `received.csv`, optionally `columns.txt`, and `expected.csv` (the answer)
//! or `problems.txt` (what a person is told). With `UPDATE_EXPECTED=1` the expectations are written anew, to be reviewed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end by a panic")]

use std::fs;
use std::path::Path;

use lacuna_records::diff::{ColumnNames, DiffError, diff};

/// What the case gives, and the name of the file that says what it should be.
fn outcome(folder: &Path) -> (String, &'static str) {
    let columns = fs::read_to_string(folder.join("columns.txt")).unwrap_or_default();
    let names = |log: &str| {
        let line = columns.lines().find_map(|line| line.strip_prefix(log)).unwrap_or_default();
        ColumnNames::parse(line).unwrap()
    };
    let mut out = Vec::new();
    match diff(&folder.join("sent.csv"), &folder.join("received.csv"), &names("sent:"), &names("received:"), &mut out) {
        Ok(summary) => {
            let answer = String::from_utf8(out).unwrap();
            let counts = summary.counts;
            let rows = counts.delivered + counts.altered + counts.missing + counts.unexpected + counts.duplicate;
            let mut records = csv::Reader::from_reader(answer.as_bytes());
            assert_eq!(usize::try_from(rows).unwrap(), records.records().count());
            (answer, "expected.csv")
        }
        Err(DiffError::Input(problems)) => {
            assert!(out.is_empty(), "something was written");
            let told: Vec<String> = problems.iter().map(|problem| problem.to_string() + "\n").collect();
            (told.concat().replace(&format!("{}/", folder.display()), ""), "problems.txt")
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_case_comes_out_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff");
    let mut folders: Vec<_> =
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let mut wrong = Vec::new();
    for folder in folders {
        let (outcome, file) = outcome(&folder);
        let path = folder.join(file);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &outcome).unwrap();
        }
        if fs::read_to_string(&path).ok().as_deref() != Some(outcome.as_str()) {
            wrong.push(format!("{}:\n{outcome}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_that_are_missing_and_unexpected_at_once_are_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let [sent, received] = ["sent.csv", "received.csv"].map(|name| folder.path().join(name));
    let notes = |at: &str| {
        fs::write(&sent, "text,at\nlost,2026-01-01T08:00:00Z\nhello,2026-01-01T08:00:00Z\n").unwrap();
        fs::write(&received, format!("text,at\nhello,{at}\n")).unwrap();
        diff(&sent, &received, &ColumnNames::default(), &ColumnNames::default(), Vec::new()).unwrap().notes
    };
    assert_eq!(notes("2026-01-01T08:00:01Z"), Vec::<String>::new());
    let told = notes("2026-01-01T00:00:01Z");
    assert!(told.len() == 1 && told[0].starts_with("1 missing row has the text of an unexpected one"), "{told:?}");
}
