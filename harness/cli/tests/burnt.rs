//! Files that a platform was shown before are refused by the designs that need it not to know them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use lacuna_simulator::http::Server;

mod support;
use support::experiments::{SIX_PICTURES, TWO_PICTURES, pair, write_pictures};

const POLICY: &str = r#"
schema = 1
name = "nothing"
[network]
delay-median = "2ms"
delay-p99 = "8ms"
"#;

struct Said {
    code: i32,
    stderr: String,
}

fn run(folder: &Path, settings: &[&str], more: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.arg("run").arg(folder.join("experiment.toml")).env_remove("RUST_LOG").args(more);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    Said { code: output.status.code().unwrap(), stderr: String::from_utf8(output.stderr).unwrap() }
}

fn runs(results: &Path) -> Vec<PathBuf> {
    fs::read_dir(results.join("burnt")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The files that are entered in the ledger.
fn exposed(results: &Path) -> usize {
    fs::read_to_string(results.join("ledger.jsonl")).unwrap().matches("\"exposed\"").count()
}

#[test]
fn what_a_platform_was_shown_is_refused_until_there_are_fresh_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_pictures(folder, "candidates", 0, &TWO_PICTURES);
    write_pictures(folder, "controls", 1_000, &SIX_PICTURES);
    let own = pair("burnt", "mechanism", "");
    let elsewhere = own.replace("policy = \"policy.toml\"", "url = \"http://127.0.0.1:1\"");
    fs::write(folder.join("experiment.toml"), elsewhere).unwrap();
    let policy = folder.join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    let results = folder.join("results");
    fs::create_dir(&results).unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start = || runtime.block_on(Server::start(lacuna_records::policy::load(&policy).0.as_ref().unwrap(), 1, address, None));
    let (platform, other) = (start().unwrap(), start().unwrap());
    let url = format!("platform.url=http://{}", platform.addr());
    let into = ["--results", results.to_str().unwrap()];
    let settings = [url.as_str(), "mechanism.wait=100ms"];

    let first = run(folder, &settings, &into);
    assert!(matches!(first.code, 0 | 3), "{}", first.stderr);
    // The two pictures, and not the controls. Both arrive, so that the copy is not asked about.
    assert_eq!(exposed(&results), 2);

    // All of them are told, nothing is sent, and no folder is made.
    let began = runs(&results);
    let second = run(folder, &settings, &into);
    assert_eq!(second.code, 2, "{}", second.stderr);
    let id = began[0].file_name().unwrap().to_str().unwrap();
    for item in ["one", "two"] {
        let told = second.stderr.lines().find(|line| line.contains(&format!("`candidates/{item}` was shown")));
        let told = told.unwrap_or_else(|| panic!("{}", second.stderr));
        assert!(told.contains(id) && told.contains(&format!("files/{item}.png: ")), "{told}");
        assert!(told.contains("its hash is burnt (make fresh copies: `lacuna corpus transform --seed N`"), "{told}");
    }
    assert!(second.stderr.contains("2 problems"), "{}", second.stderr);
    assert_eq!(runs(&results), began);

    // A run that was interrupted goes on with its own files: here one whose journal ends in the middle.
    let journal = began[0].join("journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    let middle = whole.split_inclusive('\n').take(whole.lines().count() / 2).collect::<String>();
    fs::write(&journal, middle).unwrap();
    let resumed = run(folder, &settings, &["--resume", began[0].to_str().unwrap()]);
    assert!(matches!(resumed.code, 0 | 3), "{}", resumed.stderr);
    assert_eq!(exposed(&results), 2);

    // Not so if it was another run that showed them first.
    let ledger = results.join("ledger.jsonl");
    let kept = fs::read_to_string(&ledger).unwrap();
    fs::write(&ledger, kept.replace(id, "20161130T080000Z-00000001")).unwrap();
    let refused = run(folder, &settings, &["--resume", began[0].to_str().unwrap()]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("run 20161130T080000Z-00000001: its hash is burnt (begin a new run with"),
        "{}",
        refused.stderr
    );
    fs::write(&ledger, kept).unwrap();

    // A screen asks what arrives, and only says so.
    let screen = run(folder, &[url.as_str(), "design=screen"], &into);
    assert!(matches!(screen.code, 0 | 3), "{}", screen.stderr);
    assert!(screen.stderr.contains("was shown on this platform"), "{}", screen.stderr);
    assert_eq!(exposed(&results), 3, "the copy is sent now, and no twin");

    // Another platform was shown nothing, and a group nothing of what a conversation was shown.
    let elsewhere = format!("platform.url=http://{}", other.addr());
    for settings in
        [&[elsewhere.as_str(), "mechanism.wait=100ms"][..], &[url.as_str(), "mechanism.wait=100ms", "arm.to-cn.venue=group"][..]]
    {
        let ended = run(folder, settings, &into);
        assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    }
    assert_eq!(exposed(&results), 7);

    write_pictures(folder, "candidates", 100, &TWO_PICTURES);
    let fresh = run(folder, &settings, &into);
    assert!(matches!(fresh.code, 0 | 3), "{}", fresh.stderr);
    assert_eq!(exposed(&results), 9);

    // A simulator that is started for the run is new each time.
    fs::write(folder.join("experiment.toml"), own).unwrap();
    for _ in 0..2 {
        let ended = run(folder, &["mechanism.wait=100ms"], &into);
        assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    }
    assert_eq!(exposed(&results), 9);
}
