//! Every command that a document shows is run, in order, each document in a fresh copy of the project's files.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::markdown::{self, Block};
use super::shell::{self, Done};
use super::{configuration, is_document, root};

/// Documents with commands: these, and the chapters of the book.
const DOCUMENTS: &[&str] = &["README.md", "corpora/README.md", "experiments/README.md", "results/README.md"];

fn documents() -> Vec<String> {
    let chapters = super::files().into_iter().filter(|name| name.starts_with("docs/src/") && is_document(name));
    DOCUMENTS.iter().map(|name| (*name).to_owned()).chain(chapters).collect()
}

/// What is done with a document.
struct Plan {
    script: String,
    /// The files that it shows.
    files: Vec<configuration::Shown>,
    commands: usize,
    /// Whether something of it is Python.
    python: bool,
    /// What needs real servers and is left out without them.
    left_out: Vec<String>,
}

fn plan(name: &str) -> Plan {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let mut plan = Plan { script: String::new(), files: Vec::new(), commands: 0, python: false, left_out: Vec::new() };
    for Block { line, info, text } in markdown::read(&text).blocks {
        let place = format!("{name}:{line}");
        match info.as_deref() {
            None | Some("sh") => {
                for (line, command) in shell::commands(&text, line) {
                    plan.command(&format!("{name}:{line}"), &command);
                }
            }
            Some("toml" | "toml,fragment") => {
                let shown = configuration::Shown::new(place, info.as_deref() == Some("toml,fragment"), text);
                if let Some(path) = shown.path() {
                    let _ = writeln!(plan.script, "cat > '{path}' <<'END-OF-BLOCK'\n{}END-OF-BLOCK", shown.text);
                }
                plan.files.push(shown);
            }
            Some("python") if cfg!(feature = "servers") => {
                let _ = writeln!(plan.script, "place='{place}'\n\"$LACUNA_PYTHON\" - <<'END-OF-BLOCK'\n{text}END-OF-BLOCK");
                plan.commands += 1;
                plan.python = true;
            }
            Some("python") => plan.left_out.push(place),
            // Shown, not run: what a program says, a tree, a line of a file.
            Some("text" | "csv" | "json") => {}
            Some(other) => panic!("{place}: nothing is known of blocks of `{other}`"),
        }
    }
    plan
}

impl Plan {
    fn command(&mut self, place: &str, command: &str) {
        match shell::sort(place, command) {
            Done::Checked => {}
            Done::RunWithServers if !cfg!(feature = "servers") => self.left_out.push(place.to_owned()),
            Done::Run | Done::RunWithServers => {
                let _ = writeln!(self.script, "place='{place}'\n{}", shell::runnable(command));
                self.commands += 1;
            }
        }
    }
}

/// The project's files, but for the code.
fn copy(to: &Path) {
    for name in super::files().iter().filter(|name| !name.starts_with("harness/")) {
        let target = to.join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(root().join(name), target).unwrap();
    }
}

/// What went wrong in a document.
fn follow(name: &str, plan: &Plan) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let (copied, programs) = (folder.path().join("lacuna"), folder.path().join("bin"));
    copy(&copied);
    fs::create_dir(&programs).unwrap();
    symlink(env!("CARGO_BIN_EXE_lacuna"), programs.join("lacuna")).unwrap();
    let python = std::env::var_os("LACUNA_PYTHON").map_or_else(|| root().join("target/python/bin/python"), Into::into);
    if plan.python && !python.exists() {
        return Err(format!("{name} has Python, and {} is not there (run ./test once, which makes it)", python.display()));
    }
    let script = format!(
        "set -euo pipefail\nplace=\ntrap 'echo \"$place: failed\" >&2' ERR\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{}",
        plan.script
    );
    let path = std::env::join_paths(
        std::iter::once(programs).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let said = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&copied)
        .env("PATH", path.unwrap())
        .env("LACUNA_PYTHON", python)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    if !said.status.success() {
        let (out, error) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        return Err(format!("{name}: {}\n{out}\n{error}", said.status));
    }
    let problems: Vec<String> = plan.files.iter().flat_map(|shown| shown.problems(&copied)).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[test]
fn every_command_of_the_documents_does_what_they_say() {
    let plans: Vec<(String, Plan)> = documents().into_iter().map(|name| (name.clone(), plan(&name))).collect();
    let commands: usize = plans.iter().map(|(_, plan)| plan.commands).sum();
    let left_out: Vec<&str> = plans.iter().flat_map(|(_, plan)| &plan.left_out).map(String::as_str).collect();
    if !left_out.is_empty() {
        // Past the capture of the test's output: it is told whether the test passes or not.
        let told = format!("{} commands that need the feature `servers` are left out: {}\n", left_out.len(), left_out.join(", "));
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }
    assert!(commands > 40, "{commands} commands were found in the documents");
    let failures: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = plans
            .iter()
            .filter(|(_, plan)| !plan.script.is_empty() || !plan.files.is_empty())
            .map(|(name, plan)| scope.spawn(|| follow(name, plan)))
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
    });
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}
