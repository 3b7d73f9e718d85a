//! `lacuna run --ci`: what is left for a CI service, however the run ends.

use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::Document;
use tempfile::TempDir;

use crate::support::{Said, file, lacuna};

/// A run with `--ci`, and what it left.
struct Told {
    said: Said,
    xml: String,
    markdown: String,
    junit: PathBuf,
    results: TempDir,
}

fn run(experiment: &str, more: &[&str]) -> Told {
    let results = tempfile::tempdir().unwrap();
    let (experiment, folder) = (file(experiment), results.path().join("r").display().to_string());
    let mut arguments = vec!["run", &experiment, "--results", &folder, "--ci"];
    arguments.extend(more);
    let summary = results.path().join("summary.md");
    // Another command of the step has spoken before.
    fs::write(&summary, "before\n\n").unwrap();
    let mut command = lacuna(&arguments);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    let said = Said::by(command);
    let junit = said.stderr.lines().find_map(|line| line.strip_prefix("The JUnit file is ")).map(PathBuf::from).unwrap();
    let markdown = fs::read_to_string(&summary).unwrap();
    assert!(markdown.starts_with("before\n\n## "), "{markdown}");
    Told { xml: fs::read_to_string(&junit).unwrap(), markdown, said, junit, results }
}

impl Told {
    /// The elements inside of the cases, by name.
    fn count(&self, name: &str) -> usize {
        Document::parse(&self.xml).unwrap().descendants().filter(|it| it.has_tag_name(name)).count()
    }

    fn run_folder(&self) -> PathBuf {
        let id = self.junit.file_stem().unwrap().to_str().unwrap().strip_prefix("junit-").unwrap();
        self.junit.parent().unwrap().join(id)
    }
}

fn is_beside_its_run(told: &Told) -> bool {
    let verified = Said::by(lacuna(&["verify", &told.run_folder().display().to_string()]));
    verified.code == 0 && told.junit.parent().unwrap().parent().unwrap().ends_with("r")
}

#[test]
fn findings_are_properties_and_the_run_passes() {
    let told = run("experiments/small.toml", &[]);
    assert_eq!(told.said.code, 0, "{}", told.said.stderr);
    assert_eq!(["failure", "error", "skipped"].map(|it| told.count(it)), [0; 3], "{}", told.xml);
    // Six items on two arms, and the run.
    assert_eq!((told.count("testcase"), told.count("testsuite")), (13, 3));
    let document = Document::parse(&told.xml).unwrap();
    let verdicts: Vec<&str> = document
        .descendants()
        .filter(|it| it.has_tag_name("property") && it.attribute("name") == Some("verdict"))
        .filter_map(|it| it.attribute("value"))
        .collect();
    assert_eq!(verdicts, ["dropped", "refused", "altered", "retracted", "delayed", "refused"]);
    assert!(told.markdown.contains("## small: done") && told.markdown.contains("| dropped | words/w1 |"), "{}", told.markdown);
    assert!(is_beside_its_run(&told));
    assert!(!told.said.stderr.contains('\u{1b}'));

    // The file is no reason for the next run to complain.
    let results = told.results.path().join("r").display().to_string();
    let again = Said::by(lacuna(&["run", &file("experiments/small.toml"), "--results", &results]));
    assert!(again.code == 0 && !again.stderr.contains("is no run"), "{}", again.stderr);
}

#[test]
fn without_the_variable_there_is_no_summary() {
    let results = tempfile::tempdir().unwrap();
    let folder = results.path().display().to_string();
    let mut command = lacuna(&["run", &file("experiments/bad.toml"), "--results", &folder, "--ci"]);
    command.env_remove("GITHUB_STEP_SUMMARY");
    assert_eq!(Said::by(command).code, 2);
    assert_eq!(fs::read_dir(results.path()).unwrap().count(), 1);
}

#[test]
fn a_bad_experiment_is_an_error() {
    let told = run("experiments/bad.toml", &[]);
    assert_eq!(told.said.code, 2);
    assert_eq!((told.count("testcase"), told.count("error")), (1, 1), "{}", told.xml);
    assert!(told.junit.ends_with(Path::new("r/junit-bad.xml")), "{}", told.junit.display());
    assert!(told.xml.contains("unknown key") && told.markdown.contains("unknown key"));
    assert!(told.said.stderr.contains("nothing was done"));
}

#[test]
fn where_nothing_can_be_concluded_all_is_skipped() {
    let more = ["--set", "platform.policy=../policies/everything.toml", "--set", "decision.max-probes-per-item=1"];
    let told = run("experiments/small.toml", &more);
    assert_eq!(told.said.code, 3, "{}", told.said.stderr);
    assert_eq!((told.count("skipped"), told.count("error")), (13, 0), "{}", told.xml);
    assert!(told.markdown.contains("## small: nothing can be concluded"), "{}", told.markdown);
    assert!(is_beside_its_run(&told));
}

#[test]
fn controls_that_never_arrive_are_told_as_the_reason() {
    let told = run("experiments/small.toml", &["--set", "platform.policy=../policies/dead.toml"]);
    assert_eq!(told.said.code, 3, "{}", told.said.stderr);
    assert_eq!((told.count("skipped"), told.count("error")), (13, 0), "{}", told.xml);
    assert!(told.xml.contains("controls of the path did not arrive"), "{}", told.xml);
    assert!(told.markdown.contains("no path was alive any more"), "{}", told.markdown);
}

#[test]
fn a_platform_that_cannot_be_reached_is_an_error_of_its_run() {
    let told = run("experiments/elsewhere.toml", &[]);
    assert_eq!(told.said.code, 3);
    assert_eq!((told.count("skipped"), told.count("error")), (12, 1), "{}", told.xml);
    assert!(told.markdown.contains("cannot reach") && told.markdown.contains("**not at its end**"), "{}", told.markdown);
}

#[test]
fn a_safety_stop_is_told() {
    let told = run("experiments/small.toml", &["--set", "safety.max-messages=10"]);
    assert_eq!(told.said.code, 4, "{}", told.said.stderr);
    assert_eq!(told.count("error"), 0);
    assert!(
        told.xml.contains("<skipped message=\"stopped by a safety rule: the messages of the run were used up\">"),
        "{}",
        told.xml
    );
    assert!(told.markdown.contains("## small: stopped by a safety rule"), "{}", told.markdown);
    assert!(is_beside_its_run(&told));
}

#[test]
fn a_summary_that_has_no_room_left_is_not_written_to() {
    let results = tempfile::tempdir().unwrap();
    let (folder, summary) = (results.path().join("r").display().to_string(), results.path().join("summary.md"));
    let full = "x".repeat((1 << 20) - 100);
    fs::write(&summary, &full).unwrap();
    let mut command = lacuna(&["run", &file("experiments/bad.toml"), "--results", &folder, "--ci"]);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    assert_eq!(Said::by(command).code, 2);
    assert_eq!(fs::read_to_string(&summary).unwrap(), full);
}
