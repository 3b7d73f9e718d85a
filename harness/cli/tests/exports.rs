//! What other people's tools make of a run: frictionless, pyarrow, an RO-Crate validator, a notebook. Needs the feature `servers`, and
//! the Python that ./test installs.
#![cfg(feature = "servers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod support;
use support::experiments::hostile_experiment;
use support::python::python;
use support::{file, run, succeed, workspace};

/// The folder of a run with this journal, and nothing else that was not derived.
fn derived(folder: &Path, journal: &str) -> PathBuf {
    let run = folder.join(journal);
    fs::create_dir(&run).unwrap();
    let golden = workspace().join("harness/records/tests/golden").join(journal);
    fs::copy(golden, run.join("journal.jsonl")).unwrap();
    succeed(&["analyze", run.to_str().unwrap()]);
    run
}

#[test]
fn the_data_packages_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let guarded = run(&file("experiments/small.toml"), &results, &[]);
    succeed(&["analyze", "--spreadsheet-safe", guarded.to_str().unwrap()]);
    let hostile = run(&hostile_experiment(folder.path()), &results, &[]);
    // Journals of every age: a screen, one that isolates, one about files.
    let golden =
        ["journal-v1.jsonl", "journal-v2.jsonl", "journal-v3.jsonl", "journal-v4.jsonl", "journal-v5.jsonl", "journal-v6.jsonl"];
    let golden = golden.map(|journal| derived(folder.path(), journal));
    let runs: Vec<&Path> = [&guarded, &hostile].into_iter().chain(&golden).map(PathBuf::as_path).collect();
    let said = python("package.py", &runs, None);
    assert_eq!(said.lines().count(), runs.len(), "{said}");
}

#[test]
fn a_package_that_is_wrong_is_found_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let run = derived(folder.path(), "journal-v4.jsonl");
    let sent = run.join("sent.csv");
    let text = fs::read_to_string(&sent).unwrap();
    fs::write(&sent, text.replacen(",control,", ",nonsense,", 1)).unwrap();
    let said = std::panic::catch_unwind(|| python("package.py", &[&run], None)).unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("nonsense") || said.contains("hash"), "{said}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_what_the_tables_hold() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = run(&hostile_experiment(folder.path()), &folder.path().join("results"), &[]);
    let out = folder.path().join("parquet");
    succeed(&["export", hostile.to_str().unwrap(), "--to", "parquet", "--out", out.to_str().unwrap()]);
    let said = python("parquet.py", &[&hostile, &out], None);
    assert!(said.contains("tables"), "{said}");
}

#[test]
fn a_crate_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(&file("experiments/small.toml"), &folder.path().join("results"), &[]);
    let out = folder.path().join("crate");
    succeed(&["export", run.to_str().unwrap(), "--to", "ro-crate", "--out", out.to_str().unwrap()]);
    assert!(python("crate.py", &[&out], None).contains("valid"));
    let metadata = out.join("ro-crate-metadata.json");
    let text = fs::read_to_string(&metadata).unwrap();
    fs::write(&metadata, text.replace("\"datePublished\"", "\"dateModified\"")).unwrap();
    std::panic::catch_unwind(|| python("crate.py", &[&out], None)).unwrap_err();
}

/// The notebook as a reader would run it; what it plots is what the figures' tables say.
#[test]
fn the_notebook_draws_the_figures_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(&file("experiments/small.toml"), &folder.path().join("results"), &[]);
    let said = python("notebook.py", &[&workspace().join("docs/analysis/lacuna.ipynb")], Some(&run));
    let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let pictures = said["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 2);
    // An empty chart compresses to a few kilobytes.
    assert!(pictures[0].as_u64().unwrap() > 10_000, "{said}");
    for (figure, column, plotted) in [("drop-rates", "rate", 0), ("contrasts", "difference", 1)] {
        let mut reader = csv::Reader::from_path(run.join(format!("figures/{figure}.csv"))).unwrap();
        let place = reader.headers().unwrap().iter().position(|it| it == column).unwrap();
        let cells: Vec<String> = reader.records().map(|row| row.unwrap()[place].to_owned()).collect();
        let numbers: Vec<f64> = cells.iter().filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).take(60).collect();
        let drawn = said["plotted"][plotted][column].as_array().unwrap().iter().map(|it| it.as_f64().unwrap());
        assert_eq!(drawn.take(60).collect::<Vec<f64>>(), numbers, "{figure}");
    }
}
