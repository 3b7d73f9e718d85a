//! The exit codes of the contract. 130 is in `interruption`.

use std::fs::OpenOptions;

use crate::support::{Said, file, lacuna, run, started};

#[test]
fn done_is_0_and_findings_are_no_failure() {
    assert_eq!(Said::by(lacuna(&["--version"])).code, 0);
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/small.toml", results.path(), &[]);
    assert_eq!((said.code, said.json()["findings"].as_array().unwrap().is_empty()), (0, false));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_1() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = started(&["schema", "policy"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("lacuna: cannot write to stdout"));
}

#[test]
fn what_is_not_as_it_should_be_is_2() {
    let nowhere = file("nowhere");
    let words = file("corpora/words");
    let list = file("lists/keywords.csv");
    let policy = file("policies/fast.toml");
    let commands: [&[&str]; 12] = [
        &[],
        &["plan"],
        &["run", &nowhere],
        &["run", &file("experiments/small.toml"), "--resume", &nowhere],
        &["analyze", &nowhere],
        &["verify", &nowhere],
        &["corpus", "lint", &nowhere],
        &["corpus", "import", &list, "--id", "a", "--title", "A", "--licence", "CC0-1.0", "--out", &words],
        &["simulate", "--policy", &policy, "--listen", "0.0.0.0:0"],
        &["simulate", "--policy", &file("policies/bad.toml"), "--listen", "127.0.0.1:0"],
        &["policy", "export", "--to", "inspircd", &policy],
        &["diff", &nowhere, &nowhere],
    ];
    for arguments in commands {
        let said = Said::by(lacuna(arguments));
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.text());
        assert!(!said.stderr.is_empty() && said.stdout.is_empty(), "{arguments:?}: {}", said.text());
    }
}

#[test]
fn a_platform_that_cannot_be_reached_is_3() {
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/elsewhere.toml", results.path(), &[]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.contains("cannot reach") && said.stderr.contains("--resume"), "{}", said.stderr);
}

#[test]
fn a_run_of_which_nothing_can_be_concluded_is_3() {
    let results = tempfile::tempdir().unwrap();
    let said = run(
        "experiments/small.toml",
        results.path(),
        &["--set", "platform.policy=../policies/everything.toml", "--set", "decision.max-probes-per-item=1"],
    );
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert_eq!(said.json()["end"], "inconclusive");
}

#[test]
fn a_budget_that_is_used_up_is_4() {
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/small.toml", results.path(), &["--set", "safety.max-messages=10"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
    assert_eq!(said.json()["stop_reason"], "message_budget");
}
