//! What other people's tools make of a run: frictionless, pyarrow, an RO-Crate validator, a notebook. Needs the feature `servers`, and
//! the Python that ./test installs.
#![cfg(feature = "servers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a script of `tests/python` and gives what it said.
fn python(script: &str, arguments: &[&Path], run: Option<&Path>) -> String {
    let interpreter =
        std::env::var_os("LACUNA_PYTHON").map_or_else(|| workspace().join("target/python/bin/python"), PathBuf::from);
    let mut command = Command::new(&interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script)).args(arguments);
    // Kernels and caches of others are left alone.
    let home = tempfile::tempdir().unwrap();
    command.env("HOME", home.path()).env_remove("MPLBACKEND").env_remove("LACUNA_RUN").env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(run) = run {
        command.env("LACUNA_RUN", run);
    }
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}: run ./test once, which installs it, or set LACUNA_PYTHON", interpreter.display())
    });
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn lacuna(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lacuna")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs an experiment and gives the run's folder.
fn run(experiment: &Path, results: &Path) -> PathBuf {
    let said = lacuna(&["run", experiment.to_str().unwrap(), "--results", results.to_str().unwrap(), "--output-format", "json"]);
    let summary: Value = serde_json::from_str(&said).unwrap();
    PathBuf::from(summary["folder"].as_str().unwrap())
}

fn files(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line/files").join(name)
}

/// Texts that break what reads tables carelessly: line breaks, quotes, tabs, direction marks, formulas, words for missing values.
fn hostile_corpus(folder: &Path) -> PathBuf {
    let texts = [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\ttab",
        "a\r\nb",
        "a\rb",
        "quote \" and \"\"",
        "comma, semicolon; pipe|",
        "NA",
        "null",
        "NaN",
        "true",
        "1e999",
        "\u{202e}drawkcab\u{2066}",
        "\u{feff}mark",
        "<script>alert(1)</script>",
    ];
    let corpus = folder.join("hostile");
    fs::create_dir(&corpus).unwrap();
    let words = fs::read_to_string(files("corpora/words/corpus.toml")).unwrap();
    // A plus is a plus here.
    let head: Vec<&str> = words.lines().filter(|line| !line.starts_with("component-joiner")).collect();
    fs::write(corpus.join("corpus.toml"), head.join("\n").replace("id = \"words\"", "id = \"hostile\"")).unwrap();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows = (1..).zip(texts).map(|(number, text)| format!("h{number},text,{},=category{}", quoted(text), number % 3));
    let rows: Vec<String> = std::iter::once("item_id,kind,text,category".to_owned()).chain(rows).collect();
    fs::write(corpus.join("items.csv"), rows.join("\n")).unwrap();
    let experiment = fs::read_to_string(files("experiments/small.toml")).unwrap();
    let experiment = experiment
        .replace("../corpora/words", "hostile")
        .replace("../corpora/weather", files("corpora/weather").to_str().unwrap())
        .replace("../policies/fast.toml", files("policies/fast.toml").to_str().unwrap());
    let path = folder.join("hostile.toml");
    fs::write(&path, experiment + "\n[decision]\npooling = \"off\"\n").unwrap();
    path
}

/// The folder of a run with this journal, and nothing else that was not derived.
fn derived(folder: &Path, journal: &str) -> PathBuf {
    let run = folder.join(journal);
    fs::create_dir(&run).unwrap();
    let golden = workspace().join("harness/records/tests/golden").join(journal);
    fs::copy(golden, run.join("journal.jsonl")).unwrap();
    lacuna(&["analyze", run.to_str().unwrap()]);
    run
}

#[test]
fn the_data_packages_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let guarded = run(&files("experiments/small.toml"), &results);
    lacuna(&["analyze", "--spreadsheet-safe", guarded.to_str().unwrap()]);
    let hostile = run(&hostile_corpus(folder.path()), &results);
    // Journals of every age: a screen, one that isolates, one about files.
    let golden = ["journal-v1.jsonl", "journal-v2.jsonl", "journal-v3.jsonl", "journal-v4.jsonl"];
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
    let hostile = run(&hostile_corpus(folder.path()), &folder.path().join("results"));
    let out = folder.path().join("parquet");
    lacuna(&["export", hostile.to_str().unwrap(), "--to", "parquet", "--out", out.to_str().unwrap()]);
    let said = python("parquet.py", &[&hostile, &out], None);
    assert!(said.contains("tables"), "{said}");
}

#[test]
fn a_crate_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(&files("experiments/small.toml"), &folder.path().join("results"));
    let out = folder.path().join("crate");
    lacuna(&["export", run.to_str().unwrap(), "--to", "ro-crate", "--out", out.to_str().unwrap()]);
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
    let run = run(&files("experiments/small.toml"), &folder.path().join("results"));
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
