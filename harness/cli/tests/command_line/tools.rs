//! `diff`, `simulate`, `policy`, `schema`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::{Said, file, lacuna, run, signal, started};

#[test]
fn two_logs_are_laid_beside_each_other() {
    let (sent, received) = (file("lists/sent.csv"), file("lists/received.csv"));
    let said = Said::by(lacuna(&["diff", &sent, &received, "--sent-columns", "text=body,at=time"]));
    assert_eq!(said.code, 0);
    assert_snapshot!(said.text());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pairs.csv");
    let said_to_file = Said::by(lacuna(&["diff", &sent, &received, "-o", &out.display().to_string(), "--output-format", "json"]));
    assert_eq!(said_to_file.json()["counts"]["missing"], 1);
    assert_eq!(fs::read_to_string(out).unwrap(), said.stdout);
}

#[test]
fn a_comparison_never_costs_a_log_or_an_older_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let diff = |sent: &str, received: &str, out: &str| {
        let arguments = [path(sent), path(received), path(out)].map(|it| it.display().to_string());
        Said::by(lacuna(&["diff", &arguments[0], &arguments[1], "-o", &arguments[2]]))
    };
    let names = || {
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    fs::write(path("log.csv"), "text\nhello\n").unwrap();
    fs::write(path("bad.csv"), "text,at\nhello\n").unwrap();
    fs::write(path("pairs.csv"), "an older answer").unwrap();
    std::os::unix::fs::symlink("pairs.csv", path("link.csv")).unwrap();
    std::os::unix::fs::symlink("log.csv", path("other.csv")).unwrap();
    let before = names();

    for out in ["log.csv", "other.csv"] {
        let said = diff("bad.csv", "log.csv", out);
        assert!(said.code == 2 && said.stderr.contains("is read by this command"), "{}", said.stderr);
        assert_eq!(fs::read_to_string(path("log.csv")).unwrap(), "text\nhello\n");
    }
    assert_eq!(diff("bad.csv", "log.csv", "pairs.csv").code, 2);
    assert_eq!(fs::read_to_string(path("pairs.csv")).unwrap(), "an older answer");
    assert_eq!(diff("log.csv", "log.csv", "link.csv").code, 0);
    assert!(fs::read_to_string(path("pairs.csv")).unwrap().starts_with("verdict,"));
    assert!(path("link.csv").is_symlink());
    assert_eq!(names(), before);
    // A device is written to as it is.
    let arguments = ["log.csv", "log.csv"].map(|it| path(it).display().to_string());
    let said = Said::by(lacuna(&["diff", &arguments[0], &arguments[1], "-o", "/dev/stdout"]));
    assert!(said.code == 0 && said.stdout.starts_with("verdict,"), "{}", said.stdout);
    assert_eq!(Said::by(lacuna(&["diff", &arguments[0], &arguments[1], "-o", "/dev/full"])).code, 1);
}

#[test]
fn a_separate_simulator_is_measured_and_its_log_is_a_witness() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("witness.jsonl");
    let policy = file("policies/fast.toml");
    let arguments =
        ["simulate", "--policy", &policy, "--listen", "127.0.0.1:0", "--seed", "3", "--log", &log.display().to_string()];
    let mut simulator = started(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(simulator.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let url = format!("platform.url={}", address.trim());
    let said = run("experiments/elsewhere.toml", &folder.path().join("results"), &["--set", &url]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let summary = said.json();
    assert_eq!(summary["findings"].as_array().unwrap().len(), 6);
    let sent = summary["messages"]["candidates"].as_u64().unwrap() + summary["messages"]["controls"].as_u64().unwrap();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count() as u64, sent);
    signal(&simulator, "-INT");
    assert_eq!(simulator.wait().unwrap().code(), Some(0));
}

#[test]
fn a_policy_becomes_rules_of_a_server_or_all_that_is_in_the_way_is_told() {
    let policy = file("policies/prosody.toml");
    let export = ["policy", "export", "--to", "prosody", &policy];
    let with = ["--host", "CN=cn.test", "--host", "US=us.test", "--account", "cn-a=a@cn.test"];
    let said = Said::by(lacuna(&[export.as_slice(), &with].concat()));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_snapshot!(said.text());
    let said = Said::by(lacuna(&[export.as_slice(), &with[..4]].concat()));
    assert_eq!(said.code, 2);
    assert_snapshot!("missing_address", said.text());
}

#[test]
fn schemas_are_json() {
    for kind in ["experiment", "policy", "corpus"] {
        let schema = Said::by(lacuna(&["schema", kind])).json();
        assert!(schema["$schema"].as_str().unwrap().starts_with("https://json-schema.org/"), "{kind}");
        assert!(schema["properties"].is_object(), "{kind}");
    }
}
