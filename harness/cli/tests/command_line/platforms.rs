//! `lacuna platform check`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Said, file, lacuna, run, signal, started, wait_for};

/// Checks an experiment of the tests, with a JSON summary.
fn check(experiment: &str, results: &Path, more: &[&str]) -> Said {
    let (experiment, results) = (file(experiment), results.display().to_string());
    let mut arguments = vec!["platform", "check", &experiment, "--results", &results, "--output-format", "json"];
    arguments.extend(more);
    Said::by(lacuna(&arguments))
}

/// What was measured varies.
fn without_times(mut summary: Value) -> Value {
    summary["took_s"] = json!("…");
    for path in summary["paths"].as_array_mut().unwrap() {
        for key in ["median_delay_ms", "greatest_delay_ms"] {
            if path[key].as_f64().is_some_and(|delay| delay > 0.0) {
                path[key] = json!("…");
            }
        }
    }
    summary
}

fn states(summary: &Value) -> Vec<(&str, &str, i64)> {
    let row = |path: &Value| path["sent"].as_i64().unwrap();
    let paths = summary["paths"].as_array().unwrap().iter();
    paths.map(|path| (path["recipient_account"].as_str().unwrap(), path["state"].as_str().unwrap(), row(path))).collect()
}

/// Messages that the ledger of a folder of results has, over all accounts.
fn ledger(results: &Path) -> i64 {
    let text = fs::read_to_string(results.join("ledger.jsonl")).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()["messages"].as_i64().unwrap()).sum()
}

/// A simulator that others can use, ended when the test is done with it.
struct Simulator {
    process: Child,
    url: String,
}

impl Simulator {
    fn start(log: &Path) -> Self {
        Self::with("policies/fast.toml", log)
    }

    fn with(policy: &str, log: &Path) -> Self {
        let (policy, log) = (file(policy), log.display().to_string());
        let arguments = ["simulate", "--policy", &policy, "--listen", "127.0.0.1:0", "--log", &log];
        let mut process = started(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().find(|word| word.contains("127.0.0.1")).unwrap();
        Self { process, url: format!("platform.url=http://{}", address.trim_start_matches("http://")) }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn every_path_is_told_and_counted() {
    let results = tempfile::tempdir().unwrap();
    let said = check("experiments/small.toml", results.path(), &["--messages", "2"]);
    assert_eq!(said.code, 0, "{}", said.text());
    assert_snapshot!(serde_json::to_string_pretty(&without_times(said.json())).unwrap());
    // What was sent is all that is left behind.
    assert_eq!(ledger(results.path()), 4);
    let left: Vec<_> = fs::read_dir(results.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["ledger.jsonl"]);
    // And a run goes its own way.
    assert_eq!(run("experiments/small.toml", results.path(), &[]).code, 0);
}

#[test]
fn a_path_on_which_nothing_arrives_is_named() {
    let results = tempfile::tempdir().unwrap();
    let deaf = ["--set", "platform.policy=../policies/deaf.toml"];
    let said = check("experiments/small.toml", results.path(), &deaf);
    assert_eq!((said.code, states(&said.json())), (3, vec![("cn-a", "silent", 3), ("intl-b", "alive", 3)]), "{}", said.text());

    let (experiment, folder) = (file("experiments/small.toml"), results.path().display().to_string());
    let said = Said::by(lacuna(&["platform", "check", &experiment, "--results", &folder, deaf[0], deaf[1]]));
    assert_eq!(said.code, 3);
    let headline = said.stdout.lines().next().unwrap();
    assert!(headline.starts_with("small checked: 1 of 2 paths alive in "), "{headline}");
    assert_snapshot!(without_delays(said.stdout.trim_start_matches(headline)));
}

/// Delays of a few digits, and the blanks before them, as one word.
fn without_delays(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut words: Vec<&str> = line.split(' ').collect();
        while let Some(place) = words.iter().position(|word| *word == "ms") {
            let from = words[..place - 1].iter().rposition(|word| !word.is_empty()).unwrap_or(0) + 1;
            words.splice(from..=place, ["…"]);
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

#[test]
fn all_accounts_are_looked_at_whatever_is_wrong_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("witness.jsonl");
    let simulator = Simulator::start(&log);
    let address = simulator.url.clone();
    let url = ["--set", &address];
    assert_eq!(check("experiments/elsewhere.toml", folder.path(), &url).code, 0);
    // The platform knows cn-a as somebody from CN.
    let said =
        check("experiments/elsewhere.toml", folder.path(), &[&url[..], &["--set", "account.cn-a.registered-in=US"]].concat());
    let summary = said.json();
    assert_eq!((said.code, states(&summary)), (3, vec![("cn-a", "not_logged_in", 0), ("intl-b", "alive", 3)]), "{}", said.text());
    let accounts: Vec<_> = summary["accounts"].as_array().unwrap().iter().map(|it| it["logged_in"].as_bool().unwrap()).collect();
    assert_eq!(accounts, [true, true, false]);
    assert!(summary["accounts"][2]["problem"].as_str().unwrap().contains("does not accept account `cn-a`"), "{summary}");
    assert!(summary["paths"][0]["arrived"].is_null());

    // Nobody can be logged in.
    drop(simulator);
    let said = check("experiments/elsewhere.toml", folder.path(), &url);
    let problems = said.json()["accounts"].as_array().unwrap().iter().filter(|it| it["problem"].is_string()).count();
    assert_eq!((said.code, problems), (3, 3), "{}", said.text());
    assert_eq!(ledger(folder.path()), 9);
}

#[test]
fn the_platform_sees_controls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("witness.jsonl");
    let simulator = Simulator::start(&log);
    // Of the candidates all but one would be refused, masked, dropped or held.
    let more = ["--set", &simulator.url, "--messages", "20"];
    let said = check("experiments/elsewhere.toml", folder.path(), &more);
    assert_eq!(said.code, 0, "{}", said.text());
    let all_arrived = |path: &Value| (&path["sent"], &path["arrived"], &path["altered"]) == (&json!(20), &json!(20), &json!(0));
    assert!(said.json()["paths"].as_array().unwrap().iter().all(all_arrived), "{}", said.text());
    let witness = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = witness.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 40);
    let results: BTreeSet<_> = lines.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(results, BTreeSet::from(["accepted"]));
}

#[test]
fn budgets_hold_over_checks_and_runs() {
    let results = tempfile::tempdir().unwrap();
    let said = check("experiments/small.toml", results.path(), &["--set", "safety.max-messages=4"]);
    assert_eq!((said.code, said.json()["stop_reason"].as_str()), (4, Some("message_budget")), "{}", said.text());
    let daily = "safety.max-messages-per-account-per-day=6";
    let said = check("experiments/small.toml", results.path(), &["--set", daily]);
    assert_eq!((said.code, said.json()["stop_reason"].as_str()), (4, Some("daily_budget")), "{}", said.text());
    assert_eq!(states(&said.json()), [("cn-a", "alive", 1), ("intl-b", "alive", 1)]);
    assert_eq!(ledger(results.path()), 6);
    let said = run("experiments/small.toml", results.path(), &["--set", daily]);
    assert_eq!((said.code, said.json()["stop_reason"].as_str()), (4, Some("daily_budget")), "{}", said.text());
    assert_eq!(ledger(results.path()), 6);
}

#[test]
fn what_is_wrong_with_an_experiment_is_told_as_for_a_run() {
    let results = tempfile::tempdir().unwrap();
    let [ran, checked] = [run, check].map(|command| command("experiments/bad.toml", results.path(), &[]));
    assert_eq!((checked.code, checked.stderr), (2, ran.stderr));
    let said = check("experiments/small.toml", results.path(), &["--set", "corpora.controls=[]"]);
    assert_eq!(said.code, 2, "{}", said.text());
    assert_eq!(check("experiments/small.toml", results.path(), &["--messages", "0"]).code, 2);
}

#[test]
fn ctrl_c_ends_a_check_and_what_is_known_is_told() {
    let results = tempfile::tempdir().unwrap();
    let (experiment, folder) = (file("experiments/small.toml"), results.path().display().to_string());
    let slow = ["--set", "pacing.min-gap=1h", "--output-format", "json"];
    let mut command = started(&[&["platform", "check", &experiment, "--results", &folder], &slow[..]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("a message in the ledger", || {
        let text = fs::read_to_string(results.path().join("ledger.jsonl")).ok()?;
        text.contains("messages").then_some(())
    });
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["end"], "interrupted");
    assert_eq!(ledger(results.path()), 1);
}

/// Checks, presses Ctrl-C once `ready` holds, and gives the exit code and the JSON summary.
fn interrupted<T>(experiment: &str, results: &Path, more: &[&str], ready: impl FnMut() -> Option<T>) -> (Option<i32>, Value) {
    let (experiment, folder) = (file(experiment), results.display().to_string());
    let arguments = ["platform", "check", &experiment, "--results", &folder, "--output-format", "json"];
    let mut command = started(&[&arguments[..], more].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the moment to press Ctrl-C", ready);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn ctrl_c_while_it_listens_calls_nothing_lost() {
    let results = tempfile::tempdir().unwrap();
    let log = results.path().join("witness.jsonl");
    let simulator = Simulator::with("policies/deaf.toml", &log);
    let more = ["--messages", "1", "--set", &simulator.url, "--set", "watch.late=1h"];
    let (code, summary) = interrupted("experiments/elsewhere.toml", results.path(), &more, || {
        (fs::read_to_string(&log).ok()?.lines().count() == 2).then_some(())
    });
    assert_eq!((code, summary["end"].as_str()), (Some(130), Some("interrupted")), "{summary}");
    let paths = summary["paths"].as_array().unwrap();
    assert!(paths.iter().all(|path| path["lost"] == 0 && path["state"] != "silent"), "{summary}");
}

#[test]
fn ctrl_c_while_it_logs_in_ends_it() {
    let results = tempfile::tempdir().unwrap();
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    mute.set_nonblocking(true).unwrap();
    let url = format!("platform.url=http://{}", mute.local_addr().unwrap());
    let mut connections = Vec::new();
    let (code, summary) = interrupted("experiments/elsewhere.toml", results.path(), &["--set", &url], || {
        connections.push(mute.accept().ok()?);
        Some(())
    });
    assert_eq!((code, summary["stop_reason"].as_str()), (Some(130), Some("requested")), "{summary}");
    assert!(summary["accounts"].as_array().unwrap().iter().all(|it| it["problem"] == "logging in was cut short"), "{summary}");
}

#[test]
fn a_sanctioned_account_is_named_whatever_a_run_would_go_on_with() {
    let results = tempfile::tempdir().unwrap();
    let strict = ["--set", "platform.policy=../policies/strict.toml", "--set", "safety.stop-after-sanctions=9"];
    let said = check("experiments/small.toml", results.path(), &strict);
    assert_eq!((said.code, said.json()["end"].as_str()), (4, Some("safety")), "{}", said.text());
    let paths = states(&said.json()).iter().map(|(.., state, _)| (*state).to_owned()).collect::<Vec<_>>();
    assert_eq!(paths, ["sanctioned", "sanctioned"], "{}", said.text());

    let (experiment, folder) = (file("experiments/small.toml"), results.path().display().to_string());
    let said = Said::by(lacuna(&[&["platform", "check", &experiment, "--results", &folder], &strict[..]].concat()));
    let headline = said.stdout.lines().next().unwrap();
    assert!(headline.starts_with("small checked: intl-a sanctioned by the platform, 0 of 2 paths alive in "), "{headline}");
    assert!(said.stdout.contains("the platform sanctioned intl-a"), "{}", said.text());
}
