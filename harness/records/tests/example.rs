//! The run that is committed as an example is what its journal says, in the words of this version.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_records::verify::verify;

const AGAIN: &str = "if what is derived was meant to change, derive the example anew (results/README.md says how): \
                     rm RUN/manifest.json && cargo run -- analyze RUN";

/// The run that `results/.gitignore` lets through.
fn run() -> PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let rules = fs::read_to_string(results.join(".gitignore")).unwrap();
    let runs: Vec<&str> = rules
        .lines()
        .filter_map(|rule| rule.strip_prefix("!/example/"))
        .map(|run| run.trim_end_matches('/'))
        .filter(|run| !run.is_empty())
        .collect();
    assert_eq!(runs.len(), 1, "results/.gitignore names the one run that is committed");
    results.join("example").join(runs[0])
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

#[test]
fn the_example_is_what_its_journal_says() {
    let run = run();
    let report = verify(&run);
    assert!(report.is_clean(), "{}: {:#?}\n{AGAIN}", run.display(), report.findings);
    // Of an older projection only the hashes would have been checked.
    assert!(report.notes.is_empty(), "{}: {:#?}\n{AGAIN}", run.display(), report.notes);
    for file in ["journal.jsonl", "manifest.json", "datapackage.json", "report.html", "verdicts.csv", "figures/timeline.svg"] {
        assert!(report.checked.contains_key(file), "{file} was not checked");
    }
}

#[test]
fn the_example_is_small() {
    let bytes = bytes(&run());
    assert!(bytes < 700_000, "{bytes} bytes");
}
