//! Priors from earlier runs: what counts, what is left out, and that a resumed run keeps those that it began with.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::sha256_hex;
use lacuna_model::{Role, Study};
use lacuna_records::history::{History, MOST_RUNS, apply, remember};
use lacuna_records::projection::{AnalyzeOptions, analyze};
use serde_json::json;
use support::{example_entries, journal, study};

const NEWS: &str = "quickstart/1";
const OTHER: &str = "quickstart/2";

/// Verdicts, each of one unit: item, verdict, whether a filter was seen.
type Rows<'a> = &'a [(&'a str, &'a str, bool)];

fn table(rows: Rows<'_>) -> String {
    let rows = rows.iter().map(|(item, verdict, seen)| format!("1,run,{item},g,{verdict},{seen}\n"));
    format!("schema_version,run_id,item_id,arm_id,verdict,filter_seen\n{}", rows.collect::<String>())
}

fn write(folder: &Path, table: &str) {
    write_all(folder, &[("verdicts.csv", table)]);
}

fn write_all(folder: &Path, tables: &[(&str, &str)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, table) in tables {
        fs::write(folder.join(name), table).unwrap();
    }
    let files =
        tables.iter().map(|(name, table)| json!({ "path": name, "bytes": table.len(), "sha256": sha256_hex(table.as_bytes()) }));
    let manifest = json!({
        "projection_version": 1,
        "journal": { "bytes": 0, "sha256": "", "last_hash": "" },
        "files": files.collect::<Vec<_>>(),
    });
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
}

/// The rows of a rule: its components, what they are, and whether it is certified.
fn rule(components: &[&str], role: &str, certified: bool) -> String {
    let mut sorted = components.to_vec();
    sorted.sort_unstable();
    let id = &sha256_hex(sorted.join("\u{1f}").as_bytes())[..12];
    let rows = (1..)
        .zip(components)
        .map(|(place, component)| (place, component.replace('"', "\"\"")))
        .map(|(place, component)| format!("1,run,{id},{place},\"{component}\",{role},{certified}\n"));
    rows.collect()
}

fn run_with_rules(results: &Path, name: &str, rows: &str) -> PathBuf {
    let folder = results.join("example").join(name);
    let rules = format!("schema_version,run_id,rule_id,component_position,component,component_role,certified\n{rows}");
    write_all(&folder, &[("verdicts.csv", &table(&[(NEWS, "dropped", true)])), ("rules.csv", &rules)]);
    fs::write(folder.join("journal.jsonl"), "").unwrap();
    folder
}

/// A study that isolates, with one rule of a list.
fn isolating() -> Study {
    support::texts::isolating("据报道，新疆有再教育营。", 400)
}

/// The rules that are known, each with its components joined.
fn known(study: &Study) -> Vec<String> {
    study.isolation.iter().flat_map(|it| &it.rules).map(|rule| rule.join("+")).collect()
}

fn run(results: &Path, name: &str, rows: Rows<'_>) -> PathBuf {
    let folder = results.join("example").join(name);
    write(&folder, &table(rows));
    fs::write(folder.join("journal.jsonl"), "").unwrap();
    folder
}

fn history(results: &Path) -> (Study, History) {
    let mut study = study();
    let history = apply(results, &mut study);
    (study, history)
}

/// Blocked and passed before, of both candidates.
fn counts(study: &Study) -> [(u32, u32); 2] {
    [NEWS, OTHER].map(|id| {
        let prior = study.items.iter().find(|item| item.id.as_str() == id).unwrap().prior;
        (prior.blocked_before, prior.passed_before)
    })
}

#[test]
fn without_earlier_runs_there_is_no_prior() {
    let results = tempfile::tempdir().unwrap();
    let (study, history) = history(&results.path().join("nowhere"));
    assert_eq!((study, history), (support::study(), History::default()));
}

#[test]
fn units_are_counted_over_runs_and_an_arrival_counts_where_a_filter_was_seen() {
    let results = tempfile::tempdir().unwrap();
    let blocked = ["dropped", "refused", "altered", "retracted", "inconsistent"];
    run(results.path(), "20161129T080000Z-1", &blocked.map(|verdict| (NEWS, verdict, true)));
    let rows = [
        (NEWS, "delivered", true),
        (NEWS, "delivered", false),
        (OTHER, "delayed", true),
        (OTHER, "inconclusive", true),
        ("quickstart/no longer listed", "dropped", true),
        ("controls/1", "dropped", true),
    ];
    run(results.path(), "20161130T080000Z-1", &rows);
    let (study, history) = history(results.path());
    assert_eq!(counts(&study), [(5, 1), (0, 1)]);
    assert!(study.items.iter().all(|item| item.role != Role::Control || item.prior.is_empty()));
    assert_eq!(history.warnings, [""; 0]);
    let paths: Vec<&str> = history.inputs.iter().map(|input| input.path.as_str()).collect();
    assert_eq!(paths, ["20161130T080000Z-1/verdicts.csv", "20161129T080000Z-1/verdicts.csv"]);
    assert!(history.inputs.iter().all(|input| input.kind == "history" && input.sha256.len() == 64));
}

#[test]
fn the_newest_runs_and_the_newest_projection_count() {
    let results = tempfile::tempdir().unwrap();
    for day in 1..=u32::try_from(MOST_RUNS).unwrap() + 5 {
        // The older runs say one thing, the newer ones another.
        let item = if day <= 5 { OTHER } else { NEWS };
        run(results.path(), &format!("201611{day:02}T080000Z-1"), &[(item, "dropped", true)]);
    }
    let newest = results.path().join("example/20161115T080000Z-1");
    for version in ["derived-v2", "derived-v10"] {
        write(&newest.join(version), &table(&[(OTHER, if version == "derived-v10" { "dropped" } else { "refused" }, true); 3]));
    }
    write(&newest.join("derived-v2"), &table(&[(NEWS, "dropped", true); 50]));
    let (study, history) = history(results.path());
    assert_eq!(counts(&study), [(9, 0), (3, 0)]);
    assert_eq!(history.inputs.len(), MOST_RUNS);
    assert_eq!(history.inputs[0].path, "20161115T080000Z-1/derived-v10/verdicts.csv");
}

#[test]
fn what_is_damaged_or_foreign_is_told_and_left_out() {
    let results = tempfile::tempdir().unwrap();
    run(results.path(), "20161101T080000Z-1", &[(NEWS, "dropped", true)]);
    // Under way, or interrupted: nothing is wrong with that.
    fs::remove_file(run(results.path(), "20161102T080000Z-1", &[]).join("verdicts.csv")).unwrap();
    let changed = run(results.path(), "20161103T080000Z-1", &[(NEWS, "dropped", true)]);
    fs::write(changed.join("verdicts.csv"), table(&[(NEWS, "delivered", true)])).unwrap();
    let bare = run(results.path(), "20161104T080000Z-1", &[(NEWS, "dropped", true)]);
    fs::remove_file(bare.join("manifest.json")).unwrap();
    // Counted up to the line that is no verdict, and then not at all.
    run(results.path(), "20161105T080000Z-1", &[(NEWS, "dropped", true), (OTHER, "vanished", true)]);
    let newer = run(results.path(), "20161106T080000Z-1", &[]);
    write(&newer, &table(&[(NEWS, "dropped", true)]).replace("\n1,", "\n2,"));
    let folder = results.path().join("example");
    fs::write(folder.join("notes.txt"), "").unwrap();
    fs::create_dir(folder.join("old")).unwrap();
    for ours in [".hidden", "evaluate-7.csv", "evaluate-7-summary.csv", "junit-20161101T080000Z-1.xml"] {
        fs::write(folder.join(ours), "").unwrap();
    }

    let (study, history) = history(results.path());
    assert_eq!(counts(&study), [(1, 0), (0, 0)]);
    assert_eq!(history.inputs.len(), 1);
    let expected = [
        "notes.txt: is no run, as is another, and was not read",
        "20161106T080000Z-1: verdicts.csv: it has schema version 2, this Lacuna reads up to 1",
        "20161105T080000Z-1: verdicts.csv: `vanished` is no verdict",
        "20161104T080000Z-1: there is no manifest that describes its verdicts",
        "20161103T080000Z-1: verdicts.csv is not the one that the manifest describes",
    ];
    assert_eq!(history.warnings.len(), expected.len(), "{:#?}", history.warnings);
    for (warning, expected) in history.warnings.iter().zip(expected) {
        assert!(warning.contains(expected), "{warning}");
    }
}

#[test]
fn verdicts_are_read_as_they_are_derived() {
    let results = tempfile::tempdir().unwrap();
    let folder = results.path().join("example/20161130T080000Z-1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("journal.jsonl"), journal(&example_entries(), Some(0))).unwrap();
    let verdicts = analyze(&folder, AnalyzeOptions::default()).unwrap().verdicts;
    let (study, history) = history(results.path());
    assert_eq!((history.inputs.len(), history.warnings.len()), (1, 0), "{:?}", history.warnings);
    for (index, item) in (0u32..).zip(&study.items).filter(|(_, item)| item.role != Role::Control) {
        let of = |words: &[&str]| {
            let units = verdicts.iter().filter(|it| it.unit.item.0 == index && words.contains(&it.verdict.as_str()));
            u32::try_from(units.count()).unwrap()
        };
        assert_eq!(item.prior.blocked_before, of(&["dropped", "refused", "altered", "retracted", "inconsistent"]));
    }
    assert_ne!(counts(&study), [(0, 0), (0, 0)]);
}

#[test]
fn a_run_that_goes_on_keeps_the_history_that_it_began_with() {
    let results = tempfile::tempdir().unwrap();
    run(results.path(), "20161130T080000Z-1", &[(NEWS, "dropped", true)]);
    let (began, _) = history(results.path());
    run(results.path(), "20161201T080000Z-1", &[(NEWS, "delivered", true)]);
    let (mut now, _) = history(results.path());
    assert_ne!(began, now);
    remember(&began, &mut now);
    assert_eq!(began, now);
    let mut fresh = study();
    remember(&began, &mut fresh);
    assert_eq!(began, fresh);
}

#[test]
fn certified_rules_of_earlier_runs_are_known() {
    let results = tempfile::tempdir().unwrap();
    let first = [rule(&["b", "a"], "required", true), rule(&["a", "c"], "required", true), rule(&["a"], "required", false)];
    run_with_rules(results.path(), "20161129T080000Z-1", &first.concat());
    let second = [
        // In a list already, in another order.
        rule(&["集中营", "新疆"], "required", true),
        rule(&["a", "b"], "required", true),
        rule(&["a", "b"], "required", true),
        rule(&["lifts", "it"], "extenuating", true),
        rule(&["a, with \"quotes\"\nand a line"], "required", true),
        "1,run,,1,,,false\n".to_owned(),
    ];
    run_with_rules(results.path(), "20161130T080000Z-1", &second.concat());
    let mut study = isolating();
    let history = apply(results.path(), &mut study);
    assert_eq!(history.warnings, [""; 0]);
    assert_eq!(known(&study), ["新疆+集中营", "a+b", "a+c", "a, with \"quotes\"\nand a line"]);
    let paths: Vec<&str> = history.inputs.iter().map(|input| input.path.as_str()).collect();
    let [newer, older] = ["20161130T080000Z-1", "20161129T080000Z-1"];
    let files = [newer, older].map(|run| [format!("{run}/verdicts.csv"), format!("{run}/rules.csv")]);
    assert_eq!(paths, files.concat());

    // A study that isolates nothing needs none.
    let (study, history) = self::history(results.path());
    assert_eq!((study.isolation, history.inputs.len()), (None, 2));
}

#[test]
fn rules_that_cannot_be_are_told_and_left_out() {
    let results = tempfile::tempdir().unwrap();
    run_with_rules(results.path(), "20161101T080000Z-1", &rule(&["kept"], "required", true));
    run(results.path(), "20161102T080000Z-1", &[(OTHER, "dropped", true)]);
    let changed = run_with_rules(results.path(), "20161103T080000Z-1", "");
    fs::write(changed.join("rules.csv"), rule(&["a"], "required", true)).unwrap();
    let other_id = rule(&["a", "b"], "required", true).replace(",2,", ",1,");
    run_with_rules(results.path(), "20161104T080000Z-1", &(rule(&["c"], "required", true) + &other_id));
    run_with_rules(results.path(), "20161105T080000Z-1", &rule(&[""], "required", true));
    run_with_rules(results.path(), "20161106T080000Z-1", &rule(&["a"], "required", true).replace("1,run", "2,run"));
    let folder = results.path().join("example/20161107T080000Z-1");
    write_all(&folder, &[("verdicts.csv", &table(&[])), ("rules.csv", "a,b\n")]);
    fs::write(folder.join("journal.jsonl"), "").unwrap();

    let mut study = isolating();
    let history = apply(results.path(), &mut study);
    assert_eq!(known(&study), ["新疆+集中营", "kept"]);
    let expected = [
        "20161107T080000Z-1: rules.csv: there is no column `schema_version`",
        "20161106T080000Z-1: rules.csv: it has schema version 2, this Lacuna reads up to 1",
        "20161105T080000Z-1: rules.csv: the rule `e3b0c44298fc` has an empty component",
        "20161104T080000Z-1: rules.csv: the rule `",
        "20161103T080000Z-1: rules.csv is not the one that the manifest describes",
    ];
    assert_eq!(history.warnings.len(), expected.len(), "{:#?}", history.warnings);
    for (warning, expected) in history.warnings.iter().zip(expected) {
        assert!(warning.contains(expected), "{warning}");
    }
    // Nothing of a run that was left out is counted.
    assert_eq!(
        study.items.iter().map(|item| item.prior.blocked_before).sum::<u32>(),
        1,
        "only the first names an item of the study"
    );
}

#[test]
fn rules_are_read_as_they_are_derived_and_a_run_that_goes_on_keeps_its_own() {
    let results = tempfile::tempdir().unwrap();
    let folder = results.path().join("example/20161130T080000Z-1");
    fs::create_dir_all(&folder).unwrap();
    let began = isolating();
    let entries = support::texts::played(&began, 60, &|text| text.contains("新疆") && text.contains("教育"));
    let header = support::texts::header_of(began.clone());
    fs::write(folder.join("journal.jsonl"), support::journal_of(&header, &entries, Some(0))).unwrap();
    analyze(&folder, AnalyzeOptions::default()).unwrap();
    let mut next = isolating();
    let history = apply(results.path(), &mut next);
    assert_eq!(history.warnings, [""; 0]);
    assert_eq!(known(&next), ["新疆+集中营", "新疆+教育"]);
    remember(&began, &mut next);
    assert_eq!(known(&next), ["新疆+集中营"]);
}
