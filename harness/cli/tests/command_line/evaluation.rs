//! `lacuna evaluate`: its tables, its files, and what it refuses.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Said, file, lacuna};

fn evaluate(more: &[&str]) -> Said {
    let experiment = file("experiments/small.toml");
    let mut arguments = vec!["evaluate", &experiment, "--repeats", "3"];
    arguments.extend(more);
    Said::by(lacuna(&arguments))
}

#[test]
fn the_tables_and_the_files_are_the_same_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let said = evaluate(&["--output", &path("one.csv"), "--threads", "1"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let (first, tables) = said.stdout.split_once('\n').unwrap();
    assert!(first.starts_with("small against the policy fast: 3 runs in virtual time, seed 7, in "), "{first}");
    assert_snapshot!(tables.replace(&path(""), "FOLDER/"));

    let said = evaluate(&["--output", &path("two.csv"), "--threads", "3"]);
    assert_eq!(said.code, 0);
    for (one, two) in [("one.csv", "two.csv"), ("one-summary.csv", "two-summary.csv")] {
        let one = fs::read_to_string(path(one)).unwrap();
        assert_eq!(one, fs::read_to_string(path(two)).unwrap());
        assert_snapshot!(one);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 4, "a partial file stayed behind");
}

#[test]
fn the_json_has_stable_keys_and_another_seed_other_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").display().to_string();
    let said = evaluate(&["--output", &path, "--output-format", "json", "--seed", "8", "--set", "decision.pooling=off"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let told = said.json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_snapshot!([&told, &told["measures"], &told["measures"]["power"], &told["arms"][0]].map(keys).join("\n"));
    assert_eq!((told["seed"].as_u64(), told["repeats"].as_u64()), (Some(8), Some(3)));
    assert_eq!(told["stop_reasons"], serde_json::json!({ "finished": 3 }));
}

#[test]
fn without_a_policy_there_is_no_truth() {
    let said = Said::by(lacuna(&["evaluate", &file("experiments/elsewhere.toml")]));
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert_snapshot!(said.text());
}

#[test]
fn an_evaluation_that_concludes_nothing_is_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").display().to_string();
    let more = ["--set", "platform.policy=../policies/everything.toml", "--set", "decision.max-probes-per-item=1"];
    let said = evaluate(&[&["--output", path.as_str()], more.as_slice()].concat());
    assert_eq!(said.code, 3, "{}", said.text());
}
