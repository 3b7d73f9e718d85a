//! The measurement of two weeks, step by step: between them the platform's policy changes.

use std::collections::BTreeMap;
use std::fs;

use crate::expression::Value;
use crate::repository;
use crate::runner::{GitHub, JobResult};
use crate::workflow::Workflow;

const EXPERIMENT: &str = "harness/cli/tests/command_line/files/experiments/small.toml";
const POLICY: &str = "harness/cli/tests/command_line/files/policies/fast.toml";

fn measure(github: &GitHub, inputs: &[(&str, Value)]) -> BTreeMap<String, JobResult> {
    let workflow = Workflow::read(&repository(".github/workflows/measure.yml"));
    let mut all = vec![("experiment", Value::Text(EXPERIMENT.to_owned()))];
    all.extend(inputs.iter().cloned());
    github.dispatch(&workflow, &all)
}

fn archives(github: &GitHub) -> Vec<String> {
    let release = github.releases().join("measurements");
    let mut names: Vec<String> =
        fs::read_dir(release).into_iter().flatten().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_second_week_reports_what_changed_since_the_first() {
    let github = GitHub::new();
    // So short a list has little evidence to give: one arrival is worth a thousand.
    let experiment = github.tree.join(EXPERIMENT);
    let text = fs::read_to_string(&experiment).unwrap();
    fs::write(&experiment, text + "\n[decision]\nfalse-discovery-rate = 0.1\n").unwrap();
    let first = measure(&github, &[]);
    let (job, publish) = (&first["measure"], &first["publish"]);
    assert!(!job.failed && !publish.failed && !publish.skipped, "{}\n{}", job.log, publish.log);
    assert!(job.log.contains("this is the first run"), "{}", job.log);
    assert!(job.summary.contains("## small: done") && job.summary.contains("There is no earlier run"), "{}", job.summary);
    assert_eq!(archives(&github).len(), 1);
    assert!(archives(&github)[0].starts_with("small.20"), "{:?}", archives(&github));

    // A word is no longer refused.
    let policy = github.tree.join(POLICY);
    let text = fs::read_to_string(&policy).unwrap();
    assert!(text.contains("软件"));
    fs::write(&policy, text.replace("软件", "别的词")).unwrap();
    let second = measure(&github, &[]);
    let (job, publish) = (&second["measure"], &second["publish"]);
    assert!(job.log.contains(&archives(&github)[0]), "the first run was not fetched: {}", job.log);
    assert!(!job.failed && !publish.failed, "{}\n{}", job.log, publish.log);
    assert!(job.log.contains("::notice title=Something changed"), "{}", job.log);
    assert!(job.summary.contains("unblocked"), "{}", job.summary);
    assert_eq!(archives(&github).len(), 2);

    // It stays as it is; asked to fail on a change, it does not.
    let third = measure(&github, &[("fail-on-change", Value::Bool(true))]);
    assert!(!third["measure"].failed, "{}", third["measure"].log);
    // Back again, and asked to fail.
    fs::write(&policy, text).unwrap();
    let fourth = measure(&github, &[("fail-on-change", Value::Bool(true))]);
    assert!(fourth["measure"].failed, "{}", fourth["measure"].log);
    // What was found is kept all the same.
    assert!(!fourth["publish"].skipped && archives(&github).len() == 4);
    assert_eq!(github.asked().matches("release create").count(), 1);
}

#[test]
fn what_could_not_begin_is_red_and_says_why() {
    let github = GitHub::new();
    let bad = [("experiment", Value::Text("harness/cli/tests/command_line/files/experiments/bad.toml".to_owned()))];
    let workflow = Workflow::read(&repository(".github/workflows/measure.yml"));
    let jobs = github.dispatch(&workflow, &bad);
    let job = &jobs["measure"];
    assert!(job.failed && job.log.contains("::error title=Nothing was sent"), "{}", job.log);
    assert!(job.summary.contains("## bad: failed") && job.summary.contains("unknown key"), "{}", job.summary);
    assert!(jobs["publish"].skipped);
    // The JUnit file alone.
    let kept: Vec<_> =
        fs::read_dir(github.folder.path().join("artifacts/run")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(kept, ["junit-bad.xml"]);
}

#[test]
fn where_results_stay_on_the_machine_nothing_is_uploaded() {
    let mut github = GitHub::new();
    let kept = github.folder.path().join("kept");
    github.variables.insert("LACUNA_RESULTS".to_owned(), kept.display().to_string());
    for turn in 0..2 {
        let jobs = measure(&github, &[]);
        assert!(!jobs["measure"].failed, "{}", jobs["measure"].log);
        assert!(jobs["publish"].skipped);
        assert_eq!(jobs["measure"].summary.contains("There is no earlier run"), turn == 0);
    }
    assert_eq!(github.asked(), "");
    assert_eq!(fs::read_dir(github.folder.path().join("artifacts")).unwrap().count(), 0);
    let runs = fs::read_dir(kept.join("small")).unwrap().filter(|it| it.as_ref().unwrap().path().join("journal.jsonl").is_file());
    assert_eq!(runs.count(), 2);
}
