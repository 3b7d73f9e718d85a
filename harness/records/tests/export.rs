//! Runs in the forms of others, and back where there is a way back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use lacuna_records::corpus::{ImportOptions, JoinerChoice, import};
use lacuna_records::export::{ExportError, Form, export};
use lacuna_records::projection::{AnalyzeOptions, analyze};
use lacuna_records::verify::verify;
use serde_json::Value;
use support::texts::{header_of, isolating, played};
use support::{example_entries, header_with_build, journal, journal_of, resumed_entries};
use tempfile::TempDir;

fn run_of(journal: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("journal.jsonl"), journal).unwrap();
    analyze(&run, AnalyzeOptions::default()).unwrap();
    (folder, run)
}

fn example() -> (TempDir, PathBuf) {
    run_of(&journal(&example_entries(), Some(0)))
}

const NEWS: &str = "据报道，新疆有再教育营。";

/// A run in which a text is dropped that holds two words.
fn isolated() -> (TempDir, PathBuf) {
    let study = isolating(NEWS, 400);
    let entries = played(&study, 60, &|text| text.contains("新疆") && text.contains("教育"));
    run_of(&journal_of(&header_of(study), &entries, Some(0)))
}

fn rows(table: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let header = reader.headers().unwrap().clone();
    reader.records().map(|row| header.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect()).collect()
}

#[test]
fn a_measurement_says_what_its_row_says() {
    for (folder, run) in [example(), isolated()] {
        let out = folder.path().join("run.jsonl");
        let exported = export(&run, Form::Ooni, &out).unwrap();
        let text = fs::read_to_string(&out).unwrap();
        let measurements: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rows = rows(&run.join("verdicts.csv"));
        assert_eq!((exported.count, measurements.len()), (rows.len(), rows.len()));
        let ids: BTreeSet<&str> = measurements.iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rows.len());
        for (measurement, row) in measurements.iter().zip(&rows) {
            for (column, cell) in row.iter().filter(|(column, _)| !["schema_version", "run_id"].contains(&column.as_str())) {
                let said = &measurement["test_keys"][column];
                let same = match said {
                    Value::Null => cell.is_empty(),
                    Value::String(text) => text == cell,
                    Value::Bool(value) => value.to_string() == *cell,
                    Value::Number(number) => number.as_f64() == cell.parse().ok(),
                    Value::Array(_) | Value::Object(_) => false,
                };
                assert!(same, "{column}: {said} for `{cell}`");
            }
            assert_eq!(measurement["annotations"]["run_id"], row["run_id"]);
            assert_eq!(
                (&measurement["probe_asn"], &measurement["probe_ip"], &measurement["data_format_version"]),
                (&"AS0".into(), &"127.0.0.1".into(), &"0.2.0".into())
            );
            let country = measurement["probe_cc"].as_str().unwrap();
            assert!(country == row["recipient_located_in"] || (country == "ZZ" && row["recipient_located_in"].is_empty()));
            let started = measurement["measurement_start_time"].as_str().unwrap();
            // An item that was never sent has the time of the run.
            let sent = &row["first_sent_at"];
            assert!(started.len() == 19 && (sent.is_empty() || sent.starts_with(&started.replace(' ', "T"))), "{started}");
        }
        let again = folder.path().join("again.jsonl");
        export(&run, Form::Ooni, &again).unwrap();
        assert_eq!(fs::read_to_string(again).unwrap(), text);
        assert_eq!(verify(&run).findings, []);
    }
}

#[test]
fn a_list_of_keywords_can_be_imported_again() {
    let (folder, run) = isolated();
    let out = folder.path().join("list.csv");
    let exported = export(&run, Form::CitizenLab, &out).unwrap();
    let listed = rows(&out);
    assert_eq!(listed.len(), exported.count);
    let header = fs::read_to_string(&out).unwrap();
    let columns = "kw_id,keyword,translation,detected_on,url,test_regime,retest_count,is_curr_blocked,is_group_chat";
    assert_eq!(header.lines().next().unwrap(), columns);
    let text = listed.iter().find(|row| row["keyword"] == NEWS).unwrap();
    assert_eq!((text["kw_id"].as_str(), text["is_curr_blocked"].as_str()), ("news/1", "1"));
    let rule = listed.iter().find(|row| row["keyword"] == "新疆+教育").unwrap();
    assert_eq!(rule["is_curr_blocked"], "1");
    assert!(rows(&run.join("rules.csv")).iter().any(|row| row["rule_id"] == rule["kw_id"]));

    let options = ImportOptions {
        id: "again".to_owned(),
        title: "A list that was exported".to_owned(),
        licence: "CC0-1.0".to_owned(),
        joiner: JoinerChoice::Auto,
        ..ImportOptions::default()
    };
    let corpus = folder.path().join("again");
    let report = import(&out, &corpus, &options).unwrap();
    assert_eq!((report.rows, report.refused.len()), (listed.len(), 0), "{:?}", report.refused);
    assert_eq!(report.text_column.as_deref(), Some("keyword"));
    let items = rows(&corpus.join("items.csv"));
    let imported: BTreeSet<&str> = items.iter().map(|item| item["text"].as_str()).collect();
    assert_eq!(imported, listed.iter().map(|row| row["keyword"].as_str()).collect());
    let dated: Vec<&str> = items.iter().filter(|item| item["date_added"].len() == 10).map(|item| item["text"].as_str()).collect();
    assert_eq!(dated, [NEWS, "新疆+教育"], "the other text was never sent");
}

/// Whatever a value refers to: whatever is referred to is described, or is a page of the profile.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) if members.len() == 1 => found.extend(members.get("@id").and_then(Value::as_str)),
        Value::Object(members) => members.values().for_each(|value| references(value, found)),
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn a_crate_names_every_file_and_its_copy_of_the_run_is_whole() {
    let (folder, run) = isolated();
    let out = folder.path().join("crate");
    let exported = export(&run, Form::RoCrate, &out).unwrap();
    assert_eq!(verify(&out.join("run")).findings, []);
    let metadata: Value = serde_json::from_slice(&fs::read(out.join("ro-crate-metadata.json")).unwrap()).unwrap();
    let graph = metadata["@graph"].as_array().unwrap();
    let by_id: BTreeMap<&str, &Value> = graph.iter().map(|entity| (entity["@id"].as_str().unwrap(), entity)).collect();
    assert_eq!(by_id.len(), graph.len(), "an entity is there once");
    let mut found = Vec::new();
    for entity in graph {
        references(entity, &mut found);
    }
    let undescribed: Vec<_> = found.iter().filter(|id| !by_id.contains_key(**id)).collect();
    assert_eq!(undescribed, [&"https://w3id.org/ro/crate/1.2"]);
    for name in exported.files.iter().filter(|name| *name != "ro-crate-metadata.json") {
        let bytes = fs::read(out.join(name)).unwrap();
        let file = by_id[name.as_str()];
        assert_eq!((&file["@type"], &file["sha256"]), (&"File".into(), &lacuna_content::sha256_hex(&bytes).into()));
        assert_eq!(file["contentSize"], bytes.len().to_string());
    }
    let (_built, resumed) = run_of(&journal_of(&header_with_build(), &resumed_entries(), Some(0)));
    let out = folder.path().join("built");
    export(&resumed, Form::RoCrate, &out).unwrap();
    let built = fs::read_to_string(out.join("ro-crate-metadata.json")).unwrap();
    assert!(built.contains("c0dec0de, with changes that are in no commit, by rustc 1.95.0") && built.contains("seed=20161130"));
    let run = by_id["#run"];
    assert_eq!((&run["@type"], &run["instrument"]["@id"]), (&"CreateAction".into(), &"#lacuna".into()));
    assert_eq!(by_id["./"]["hasPart"].as_array().unwrap().len(), exported.files.len() - 1);
}

#[test]
fn only_an_intact_run_is_exported_and_nothing_is_overwritten() {
    let (folder, run) = example();
    let out = folder.path().join("out");
    let refused = |out: &Path| export(&run, Form::Ooni, out).unwrap_err();
    assert!(matches!(refused(&run.join("out.jsonl")), ExportError::Inside(_)));
    fs::write(&out, "mine").unwrap();
    assert!(matches!(refused(&out), ExportError::Exists(_)));
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    fs::remove_file(&out).unwrap();
    let verdicts = run.join("verdicts.csv");
    let table = fs::read_to_string(&verdicts).unwrap();
    fs::write(&verdicts, table.replacen("dropped,", "delivered,", 1)).unwrap();
    assert!(matches!(refused(&out), ExportError::Damaged { file, .. } if file == "verdicts.csv"));
    assert!(!out.exists());
    // What does not belong there is no part of the run, and none of an export.
    fs::write(&verdicts, table).unwrap();
    fs::write(run.join("notes.txt"), "mine").unwrap();
    let exported = export(&run, Form::RoCrate, &out).unwrap();
    assert!(!exported.files.iter().any(|file| file.contains("notes")));
}
