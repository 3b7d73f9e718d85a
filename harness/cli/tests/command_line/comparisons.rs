//! `lacuna compare`, and runs that go on from a predecessor.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Said, file, folder, lacuna, run};

/// Two runs between which the platform's policy changed.
fn two_runs(results: &Path) -> [PathBuf; 2] {
    let later = format!("platform.policy={}", file("policies/later.toml"));
    let often = ["--set", "decision.replicates=12", "--set", "safety.max-messages-per-account-per-day=5000"];
    let runs = [often.to_vec(), [&often[..], &["--set", later.as_str()]].concat()];
    runs.map(|more| {
        let said = run("experiments/small.toml", results, &more);
        assert_eq!(said.code, 0, "{}", said.stderr);
        folder(&said.json())
    })
}

fn compared(runs: &[&Path], more: &[&str]) -> Said {
    let runs: Vec<String> = runs.iter().map(|run| run.display().to_string()).collect();
    let mut arguments = vec!["compare"];
    arguments.extend(runs.iter().map(String::as_str));
    arguments.extend(more);
    Said::by(lacuna(&arguments))
}

/// The rows of a table as objects.
fn rows(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

#[test]
fn what_changed_between_two_runs_is_told_and_written() {
    let results = tempfile::tempdir().unwrap();
    let [old, new] = two_runs(results.path());
    // In whichever order they are named.
    let said = compared(&[&new, &old], &["--output-format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let told = said.json();
    let changes = told["changes"].as_array().unwrap();
    let change =
        |change: &Value| (change["item_id"].as_str().unwrap().to_owned(), change["apparent"].as_str().unwrap().to_owned());
    let mut named: Vec<_> = changes.iter().map(change).collect();
    named.sort();
    let expected =
        [("words/w1", "unblocked"), ("words/w6", "blocked")].map(|(item, change)| (item.to_owned(), change.to_owned()));
    assert_eq!(named, expected, "{told:#}");

    let folder = new.parent().unwrap().join(format!("compare-{}", new.file_name().unwrap().display()));
    assert_eq!(told["folder"].as_str().unwrap(), folder.display().to_string());
    let header = fs::read_to_string(folder.join("changes.csv")).unwrap().lines().next().unwrap().to_owned();
    let contract = "schema_version,run_id,item_id,arm_id,recipient_account,old_run_id,new_run_id,old_verdict,new_verdict,change,e_value,q_value";
    assert!(header.starts_with(contract), "{header}");
    let changes = rows(&folder.join("changes.csv"));
    assert_eq!(changes.len(), 12, "a row for every item, arm and recipient");
    assert!(changes.iter().all(|row| row["new_run_id"] == new.file_name().unwrap().display().to_string()));
    assert!(!rows(&folder.join("lifetimes.csv")).is_empty());

    // Findings are failures only where that is asked for.
    let said = compared(&[&old, &new], &["--fail-on-change"]);
    assert_eq!(said.code, 5, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("Changes") && said.stdout.contains("unblocked"), "{}", said.stdout);

    // Runs and comparisons stand beside each other.
    assert_eq!(Said::by(lacuna(&["verify", &new.display().to_string()])).code, 0);
    let third = run("experiments/small.toml", results.path(), &[]);
    assert!(!third.stderr.contains("is no run"), "{}", third.stderr);
}

#[test]
fn what_cannot_be_compared_is_an_error_and_names_the_run() {
    let results = tempfile::tempdir().unwrap();
    let first = folder(&run("experiments/small.toml", results.path(), &[]).json());
    let other = folder(&run("experiments/small.toml", results.path(), &["--set", "name=other"]).json());
    let cases = [
        compared(&[&first], &[]),
        compared(&[&first, &first], &[]),
        compared(&[&first, results.path()], &[]),
        compared(&[&first, &other], &[]),
    ];
    for (said, expected) in
        cases.iter().zip(["2 values", "named twice", "not the folder of a run", "different experiments: other, small"])
    {
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
}

#[test]
fn a_run_goes_on_from_its_predecessor() {
    let results = tempfile::tempdir().unwrap();
    let predecessor = format!("predecessor.runs={}", results.path().join("small").display());
    let goes_on = |more: &[&str]| {
        let mut arguments = vec!["--set", predecessor.as_str(), "--set", "decision.replicates=12"];
        arguments.extend(["--set", "safety.max-messages-per-account-per-day=5000"]);
        arguments.extend(more);
        let said = run("experiments/small.toml", results.path(), &arguments);
        assert_eq!(said.code, 0, "{}", said.stderr);
        said
    };
    // The first of all runs has none.
    let first = goes_on(&[]);
    assert!(first.stderr.contains("is not there"), "{}", first.stderr);
    let first = folder(&first.json());

    let later = format!("platform.policy={}", file("policies/later.toml"));
    let second = folder(&goes_on(&["--set", &later]).json());
    let manifest: Value = serde_json::from_slice(&fs::read(second.join("manifest.json")).unwrap()).unwrap();
    let inputs = manifest["inputs"].as_array().unwrap();
    let named = inputs.iter().find(|input| input["kind"] == "predecessor").unwrap()["path"].as_str().unwrap();
    assert!(named.ends_with(&format!("{}/journal.jsonl", first.file_name().unwrap().display())), "{named}");
    assert_eq!(compared(&[&first, &second], &["--fail-on-change"]).code, 5);

    // Moments later no change is likely, so that nothing is due; what is left out is told.
    let third = goes_on(&["--set", "predecessor.retest-above=0.5", "--set", "predecessor.retest-sample=0"]);
    let third = folder(&third.json());
    let verdicts = rows(&third.join("verdicts.csv"));
    assert_eq!(verdicts.len(), 12);
    assert!(verdicts.iter().filter(|row| row["reason"] == "not_due").count() >= 8, "{verdicts:?}");
    assert_eq!(Said::by(lacuna(&["verify", &third.display().to_string()])).code, 0);
    // What was not asked has not changed as far as anybody knows.
    let said = compared(&[&first, &second, &third], &["--output-format", "json"]);
    assert!(said.json()["undetermined"]["not_due"].as_u64().unwrap() >= 8, "{}", said.stdout);
}

#[test]
fn a_predecessor_is_taken_for_what_it_is() {
    let results = tempfile::tempdir().unwrap();
    let predecessor = format!("predecessor.runs={}", results.path().join("small").display());
    let goes_on = |more: &[&str]| {
        // An arm may list its recipients in another order than the accounts.
        let mut arguments = vec!["--set", predecessor.as_str(), "--set", "arm.to-cn.recipients=[\"cn-a\", \"intl-b\"]"];
        arguments.extend(["--set", "predecessor.retest-above=0.5", "--set", "predecessor.retest-sample=0"]);
        arguments.extend(more);
        let said = run("experiments/small.toml", results.path(), &arguments);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let folder = folder(&said.json());
        let said = (said.stderr, rows(&folder.join("verdicts.csv")));
        assert_eq!(Said::by(lacuna(&["verify", &folder.display().to_string()])).code, 0);
        said
    };
    let not_due =
        |rows: &[std::collections::HashMap<String, String>]| rows.iter().filter(|row| row["reason"] == "not_due").count();
    let (told, rows) = goes_on(&[]);
    assert!(told.contains("is not there") && not_due(&rows) == 0, "{told}");
    let (_, rows) = goes_on(&[]);
    assert!(not_due(&rows) > 0, "{rows:?}");
    // Another client is another measurement: what it will see is not known.
    let (told, rows) = goes_on(&["--set", "account.cn-a.client=nine", "--set", "account.intl-b.client=nine"]);
    assert!(told.contains("differs in its adapter, an arm, an account, a client") && not_due(&rows) == 0, "{told}");
}

#[test]
fn two_comparisons_at_once_and_places_that_are_no_place() {
    let results = tempfile::tempdir().unwrap();
    let [old, new] = two_runs(results.path());
    let out = results.path().join("out").display().to_string();
    std::thread::scope(|scope| {
        let both: Vec<_> = (0..4).map(|_| scope.spawn(|| compared(&[&old, &new], &["--out", &out]))).collect();
        for said in both {
            let said = said.join().unwrap();
            assert_eq!(said.code, 0, "{}", said.stderr);
        }
    });
    let inside = new.join("compared").display().to_string();
    let said = compared(&[&old, &new], &["--out", &inside]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("is inside a run's folder"), "{}", said.stderr);
    let round = new.join("figures").join("..");
    assert_eq!(compared(&[&old, &round], &[]).code, 0);
    assert_eq!(Said::by(lacuna(&["verify", &new.display().to_string()])).code, 0);
}
