//! What stands on the screen: help, problems, the summary, the progress off a terminal.

use insta::assert_snapshot;

use crate::support::{Said, file, folder, lacuna, run};

#[test]
fn help() {
    let commands: [&[&str]; 23] = [
        &["--help"],
        &["run", "--help"],
        &["plan", "--help"],
        &["evaluate", "--help"],
        &["diff", "--help"],
        &["analyze", "--help"],
        &["verify", "--help"],
        &["compare", "--help"],
        &["report", "--help"],
        &["corpus", "--help"],
        &["corpus", "lint", "--help"],
        &["corpus", "import", "--help"],
        &["corpus", "render", "--help"],
        &["corpus", "transform", "--help"],
        &["corpus", "collide", "--help"],
        &["platform", "--help"],
        &["platform", "check", "--help"],
        &["simulate", "--help"],
        &["policy", "--help"],
        &["policy", "export", "--help"],
        &["schema", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ];
    let told = commands.map(|arguments| {
        let said = Said::by(lacuna(arguments));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""));
        format!("$ lacuna {}\n{}", arguments.join(" "), said.stdout)
    });
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn all_problems_of_an_experiment_are_told_at_once() {
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/bad.toml", results.path(), &["--set", "watch.grase=1s", "--set", "nonsense"]);
    assert_eq!(said.code, 2);
    assert_snapshot!(said.text());
    assert_eq!(results.path().read_dir().unwrap().count(), 0, "something was written");
}

#[test]
fn the_summary_says_what_was_found() {
    let results = tempfile::tempdir().unwrap();
    let results = results.path().display().to_string();
    let said = Said::by(lacuna(&["run", &file("experiments/small.toml"), "--results", &results]));
    assert_eq!(said.code, 0, "{}", said.stderr);
    // Times, the run's name and the number of messages differ from run to run.
    let findings = said.stdout.split("\nFindings\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_snapshot!(findings);
    assert!(said.stdout.starts_with("small 20") && said.stdout.contains(": done in "), "{}", said.stdout);
    assert!(said.stdout.contains("intl-b (DE)"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "colours off a terminal");

    let counted = |line: &&str| line.contains(" questions answered, ") && line.contains("/s, ");
    let lines: Vec<&str> = said.stderr.lines().filter(counted).collect();
    assert!(said.stderr.starts_with("The run is kept in "), "{}", said.stderr);
    let last = lines.last().unwrap();
    assert!(last.contains("12 of 12 questions answered") && last.contains("listening for"), "{last}");
    assert!(last.contains(" refused") && last.contains(" dropped"), "{last}");
}

#[test]
fn the_json_summary_has_stable_keys_and_the_json_log_holds_the_progress() {
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/small.toml", results.path(), &["--log-format", "json", "--seed", "8"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let summary = said.json();
    let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    assert_snapshot!(format!("{keys:?}\n{:?}\n{:?}", summary["matrix"][0], summary["findings"][0]).replace("0.0", "0"));
    assert_eq!(summary["end"], "done");
    assert_eq!(summary["exit_code"], 0);
    let found: Vec<(&str, &str)> = summary["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            assert_eq!(it["recipient_account"] == "cn-a", it["arm_id"] == "to-cn");
            (it["item_id"].as_str().unwrap(), it["verdict"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("words/w1", "dropped"),
        ("words/w2", "refused"),
        ("words/w2", "refused"),
        ("words/w3", "altered"),
        ("words/w4", "retracted"),
        ("words/w5", "delayed"),
    ];
    assert_eq!(found, expected);
    // The seed is part of the study in the journal.
    let journal = std::fs::read_to_string(folder(&summary).join("journal.jsonl")).unwrap();
    assert!(journal.lines().next().unwrap().contains("\"seed\":8,"));
    let progress = said.stderr.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let progress = progress.filter(|line| line["target"] == "lacuna::progress").last().unwrap();
    assert_eq!(progress["fields"]["answered"], 12);
}
