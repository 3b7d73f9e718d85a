//! The book: its chapters, and those of them that are made.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{is_document, markdown, root};

#[test]
fn the_summary_lists_every_chapter_once() {
    let source = root().join("docs/src");
    let summary = markdown::read(&fs::read_to_string(source.join("SUMMARY.md")).unwrap());
    let listed: Vec<String> = summary.links.into_iter().map(|(_, link)| link).collect();
    let distinct: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), distinct.len(), "a chapter stands twice in docs/src/SUMMARY.md");
    let names = fs::read_dir(source).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let chapters: BTreeSet<String> = names.filter(|name| is_document(name) && name != "SUMMARY.md").collect();
    assert_eq!(distinct, chapters, "docs/src/SUMMARY.md lists the left ones, docs/src holds the right ones");
}

#[test]
fn the_chapters_that_are_made_are_what_the_declarations_say() {
    for (kind, chapter) in [("tables", "data-dictionary.md"), ("keys", "keys.md")] {
        let made = Command::new(env!("CARGO_BIN_EXE_lacuna")).args(["schema", kind]).output().unwrap();
        assert!(made.status.success());
        let kept = fs::read(root().join("docs/src").join(chapter)).unwrap_or_default();
        assert!(
            made.stdout == kept,
            "docs/src/{chapter} is not what the code declares: lacuna schema {kind} > docs/src/{chapter}"
        );
    }
}

#[test]
fn the_readme_names_every_package_that_the_tests_install() {
    let (test, readme) =
        (fs::read_to_string(root().join("test")).unwrap(), fs::read_to_string(root().join("README.md")).unwrap());
    let list = test
        .lines()
        .find_map(|line| line.trim().strip_prefix("for package in ")?.strip_suffix("; do"))
        .expect("a list in ./test");
    let unnamed: Vec<&str> = list.split(' ').filter(|package| !readme.contains(package)).collect();
    assert!(unnamed.is_empty(), "README.md does not name {unnamed:?}");
}
