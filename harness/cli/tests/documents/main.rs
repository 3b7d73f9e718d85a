//! What the documents say is tried: every command of them is run, every file that they show is loaded, every link leads somewhere, and the
//! chapters that are made from declarations are what those say now.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod book;
mod commands;
mod configuration;
mod links;
mod markdown;
mod shell;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Whether a file is a document.
fn is_document(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "md")
}

/// The files of the project, by their paths in it: what git knows, and what it would take.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git can be run");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty() && root().join(name).is_file());
    names.map(str::to_owned).collect()
}
