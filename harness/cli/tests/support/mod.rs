//! The command, and what a run leaves behind, for tests that look at whole runs.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

#[path = "../../../runner/tests/support/mod.rs"]
pub mod corpora;
pub mod experiments;
#[path = "../../../runner/tests/support/pictures.rs"]
pub mod pictures;
pub mod python;

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the tests of the command line.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line/files").join(name)
}

/// What the command says.
pub fn lacuna<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lacuna")).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

/// What the command prints, which must succeed.
pub fn succeed<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let output = lacuna(arguments);
    let called: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    assert!(output.status.success(), "{called:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs an experiment to its end, and gives the exit code and the run's folder.
pub fn ended(experiment: &Path, results: &Path, more: &[&str]) -> (i32, PathBuf) {
    let begun = ["run", experiment.to_str().unwrap(), "--results", results.to_str().unwrap(), "--output-format", "json"];
    let output = lacuna(&[&begun, more].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    (output.status.code().unwrap(), PathBuf::from(summary["folder"].as_str().unwrap()))
}

/// Runs an experiment, which must find out all that it asks, and gives the run's folder.
pub fn run(experiment: &Path, results: &Path, more: &[&str]) -> PathBuf {
    let (code, folder) = ended(experiment, results, more);
    assert_eq!(code, 0, "{}", folder.display());
    folder
}

/// A row of a table, by column.
pub type Row = BTreeMap<String, String>;

/// The rows of a table of a run.
pub fn table(run: &Path, name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(run.join(format!("{name}.csv"))).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| header.iter().cloned().zip(row.unwrap().iter().map(str::to_owned)).collect());
    rows.collect()
}

/// Every file below a folder, by its path in it.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            files.extend(self::files(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}
