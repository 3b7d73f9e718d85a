//! Locks: what is locked, what counts as a change, and what a lock file survives.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_model::adapter::Settings;
use lacuna_model::study::DesignKind;
use lacuna_model::{Duration, IsolationRule};
use lacuna_records::experiment::{Experiment, Input, InputKind};
use lacuna_records::lock::{Lock, changed_inputs, inputs_of, path_of};
use serde_json::json;
use support::{START, study};

fn experiment() -> Experiment {
    let input = |kind, path: &str, digit: &str| Input { path: PathBuf::from(path), sha256: digit.repeat(64), kind };
    Experiment {
        study: study(),
        platform: Settings::new(),
        accounts: vec![Settings::new(); 3],
        policy: None,
        inputs: vec![
            input(InputKind::Experiment, "some/where/example.toml", "a"),
            input(InputKind::Policy, "policies/keyed.toml", "b"),
            input(InputKind::Corpus, "../corpora/quickstart", "c"),
        ],
        files: Vec::new(),
        predecessor: None,
        overrides: Vec::new(),
    }
}

fn lock() -> Lock {
    Lock::new(&experiment(), 3, "0.1.0", START, json!({ "messages": 120.5 }))
}

/// What is said of an experiment that was changed by `change`.
fn said(change: impl FnOnce(&mut Experiment), overrides: &[&str]) -> Vec<String> {
    let mut experiment = experiment();
    change(&mut experiment);
    let overrides: Vec<String> = overrides.iter().map(|it| (*it).to_owned()).collect();
    let changes = lock().changes(&experiment, &overrides, 3);
    changes.iter().map(|change| format!("{}: {}", change.what, change.detail())).collect()
}

#[test]
fn a_lock_is_written_whole_and_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_of(&folder.path().join("example.toml"));
    assert!(path.ends_with("example.lock"));
    assert_eq!(Lock::read(&path).unwrap(), None);
    lock().write(&path).unwrap();
    let first = Lock::read(&path).unwrap().unwrap();
    assert_eq!(first.lock, lock());
    assert_eq!((first.input.kind.as_str(), first.input.path.as_str()), ("lock", "example.lock"));
    let bytes = fs::read(&path).unwrap();
    assert_eq!(first.input.sha256, lacuna_content::sha256_hex(&bytes));
    // The version of what is derived is whatever it is by now.
    let text = String::from_utf8(bytes).unwrap();
    let now = format!("\"projection_version\": {}", lacuna_records::projection::PROJECTION_VERSION);
    insta::assert_snapshot!(text.replace(&now, "\"projection_version\": 1"));

    let mut next = lock();
    next.replaces = Some(first.input.sha256);
    next.write(&path).unwrap();
    assert!(Lock::read(&path).unwrap().unwrap().lock.replaces.is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
}

#[test]
fn what_is_no_lock_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.lock");
    let whole = serde_json::to_string(&lock()).unwrap();
    let wrong = ["", "[]", "{}", &whole.replace("\"version\":1", "\"version\":2"), &whole.replace("\"seed\"", "\"sead\"")];
    for text in wrong {
        fs::write(&path, text).unwrap();
        let error = Lock::read(&path).unwrap_err().to_string();
        assert!(error.contains("x.lock: this is no lock"), "{error}");
    }
    assert!(Lock::read(Path::new("/")).is_err());
}

#[test]
fn nothing_changed_wherever_the_experiment_is_named_from() {
    assert_eq!(said(|_| {}, &[]), [""; 0]);
    assert_eq!(said(|it| it.inputs[0].path = PathBuf::from("/elsewhere/renamed.toml"), &[]), [""; 0]);
    let isolating = |rules| Some(IsolationRule { max_messages_per_text: 400, rules });
    let mut locked = experiment();
    locked.study.isolation = isolating(Vec::new());
    let lock = Lock::new(&locked, 3, "0.1.0", START, json!({}));
    locked.study.isolation = isolating(vec![vec!["新疆".into()]]);
    assert_eq!(lock.changes(&locked, &[], 3), []);
    // What earlier runs found steers the order of questions, and is no part of the plan.
    assert_eq!(said(|it| it.study.items[0].prior.blocked_before = 7, &[]), [""; 0]);
}

#[test]
fn every_change_is_named_with_what_was_and_what_is() {
    let (a, b, c, d) = ("a".repeat(64), "b".repeat(64), "c".repeat(64), "d".repeat(64));
    let change = |place: usize| said(|it| it.inputs[place].sha256.clone_from(&d), &[]);
    assert_eq!(change(0), [format!("experiment example.toml: {a} was locked, now {d}")]);
    assert_eq!(change(1), [format!("policy policies/keyed.toml: {b} was locked, now {d}")]);
    assert_eq!(change(2), [format!("corpus ../corpora/quickstart: {c} was locked, now {d}")]);
    let renamed = said(|it| it.inputs[2].path = PathBuf::from("../corpora/other"), &[]);
    assert_eq!(
        renamed,
        [
            format!("corpus ../corpora/quickstart: {c} was locked, now it is gone"),
            format!("corpus ../corpora/other: nothing was locked, now {c}")
        ]
    );
    assert_eq!(
        said(|it| it.study.seed = 9, &["seed=9"]),
        ["--set seed=9: nothing was locked, now overridden", "seed: 20161130 was locked, now 9"]
    );
    // Without effect, but nothing that the lock could vouch for.
    assert_eq!(said(|_| {}, &["watch.late=10s"]), ["--set watch.late=10s: nothing was locked, now overridden"]);
    let rules = [
        said(|it| it.study.decision.max_probes_per_item = 5, &[]),
        said(|it| it.study.decision.replicates = Some(30), &[]),
        said(|it| it.study.watch.late = Duration::from_secs(1), &[]),
        said(|it| it.study.watch.grace = Some(Duration::from_millis(500)), &[]),
        said(|it| it.study.pacing.in_flight = 2, &[]),
        said(|it| it.study.safety.max_messages = 1, &[]),
        said(|it| it.study.design = DesignKind::Isolate, &[]),
        said(|it| it.study.isolation = Some(IsolationRule { max_messages_per_text: 400, rules: Vec::new() }), &[]),
    ];
    insta::assert_snapshot!(rules.concat().join("\n"));
    let engine = lock().changes(&experiment(), &[], 4);
    assert_eq!((engine[0].what.as_str(), engine[0].detail().as_str()), ("the engine", "version 3 was locked, now version 4"));
}

#[test]
fn a_lock_from_before_there_were_designs_is_of_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.lock");
    let mut old = serde_json::to_value(lock()).unwrap();
    assert_eq!(old.as_object_mut().unwrap().remove("design"), Some("screen".into()));
    fs::write(&path, old.to_string()).unwrap();
    let stored = Lock::read(&path).unwrap().unwrap().lock;
    assert_eq!(stored, lock());
    assert_eq!(stored.changes(&experiment(), &[], 3), []);
}

#[test]
fn files_are_compared_by_kind_and_name() {
    let found = inputs_of(&experiment());
    assert_eq!(found[0].path, "example.toml");
    assert!(changed_inputs(&found, &found).is_empty());
    let mut swapped = found.clone();
    swapped.reverse();
    assert!(changed_inputs(&found, &swapped).is_empty());
}
