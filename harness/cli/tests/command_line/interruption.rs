//! Ctrl-C, and going on.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Said, file, folder, journal_with, lacuna, run, signal, started};

/// Slow enough to be interrupted.
const SLOW: [&str; 2] = ["--set", "pacing.min-gap=60ms"];

#[test]
fn ctrl_c_ends_cleanly_and_the_run_is_resumed_to_its_end() {
    let results = tempfile::tempdir().unwrap();
    let (experiment, results) = (file("experiments/small.toml"), results.path());
    let results_text = results.display().to_string();
    let mut command = started(&["run", &experiment, "--results", &results_text, SLOW[0], SLOW[1]]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let run_folder = journal_with(results, "small", "\"observed\"");
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("Stopping: ") && !stderr.contains("fault"), "{stderr}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("interrupted (requested)"));
    let run_text = run_folder.display().to_string();
    assert_eq!(Said::by(lacuna(&["verify", &run_text])).code, 0);

    // Not as another experiment.
    let said = run("experiments/small.toml", results, &["--resume", &run_text]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("[pacing] differs"), "{}", said.stderr);

    // The folder of results is where the run is.
    let resume = ["run", &experiment, "--resume", &run_text, "--output-format", "json", SLOW[0], SLOW[1]];
    let said = Said::by(lacuna(&resume));
    assert_eq!(said.code, 0, "{}", said.stderr);
    let summary = said.json();
    assert_eq!(folder(&summary).canonicalize().unwrap(), run_folder.canonicalize().unwrap());
    assert_eq!(summary["findings"].as_array().unwrap().len(), 6);
    assert_eq!(Said::by(lacuna(&["verify", &run_text])).code, 0);
    assert_eq!(std::fs::read_dir(results.join("small")).unwrap().count(), 1);

    // It says with what it was begun and with what it was gone on with.
    let manifest: Value = serde_json::from_slice(&std::fs::read(run_folder.join("manifest.json")).unwrap()).unwrap();
    let build = &manifest["build"];
    assert!(["rustc", "target"].iter().all(|key| build[key].as_str().is_some_and(|it| !it.is_empty())), "{build}");
    assert_eq!(manifest["overrides"], json!(["pacing.min-gap=60ms"]));
    let resumed = manifest["resumed"].as_array().unwrap();
    assert_eq!((resumed.len(), &resumed[0]["epoch"]), (1, &1.into()));
    assert_eq!((&resumed[0]["build"], &resumed[0]["overrides"]), (build, &manifest["overrides"]));

    // What is complete is not resumed.
    let said = Said::by(lacuna(&resume));
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("the run is complete"), "{}", said.stderr);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let results = tempfile::tempdir().unwrap();
    let results_text = results.path().display().to_string();
    let experiment = file("experiments/small.toml");
    let mut command = started(&["run", &experiment, "--results", &results_text, "--set", "watch.late=10min", SLOW[0], SLOW[1]]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    journal_with(results.path(), "small", "\"observed\"");
    signal(&child, "-INT");
    journal_with(results.path(), "small", "\"stop_requested\"");
    // If late listening goes on after the first, the second ends it; if not, the first was enough.
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
