//! The command, its files, and a peer that speaks just enough XMPP to be told a password.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;

/// A file of the tests.
pub fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line/files").join(name).display().to_string()
}

/// The command with an environment that does not depend on who runs the tests.
pub fn lacuna(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.args(arguments).env_remove("RUST_LOG").env("NO_COLOR", "1").env("COLUMNS", "100").timeout(Duration::from_mins(2));
    command
}

/// As [`lacuna`], to be talked to while it runs.
pub fn started(arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.args(arguments).env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

/// What a command said, and how it ended.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn by(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{} {}", self.stdout, self.stderr))
    }

    /// Both streams with the folder of the test files cut off.
    pub fn text(&self) -> String {
        format!("{}--- stderr\n{}--- exit code {}\n", self.stdout, self.stderr, self.code).replace(&file(""), "")
    }
}

/// Runs an experiment of the tests into `results`, with a JSON summary.
pub fn run(experiment: &str, results: &Path, more: &[&str]) -> Said {
    let (experiment, results) = (file(experiment), results.display().to_string());
    let mut arguments = vec!["run", &experiment, "--results", &results, "--output-format", "json"];
    arguments.extend(more);
    Said::by(lacuna(&arguments))
}

/// The run's folder that a summary names.
pub fn folder(summary: &Value) -> PathBuf {
    PathBuf::from(summary["folder"].as_str().unwrap())
}

/// Waits until something is there.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < limit, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The only run's folder of an experiment, once its journal holds this text.
pub fn journal_with(results: &Path, experiment: &str, text: &str) -> PathBuf {
    wait_for(text, || {
        let run = fs::read_dir(results.join(experiment)).ok()?.next()?.ok()?.path();
        fs::read_to_string(run.join("journal.jsonl")).ok()?.contains(text).then_some(run)
    })
}

/// Sends a signal to a process that the test has started.
pub fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
