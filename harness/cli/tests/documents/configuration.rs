//! Experiments and policies that a document shows, whole or in part, are loaded.

use std::fs;
use std::path::Path;

use lacuna_platform::ADAPTERS;
use lacuna_records::{experiment, policy};

/// A block of TOML.
pub struct Shown {
    place: String,
    fragment: bool,
    pub text: String,
}

/// What a part of an experiment is put into: every table, and for the keys in front of them a line each. What the part has itself is left out.
const EXPERIMENT: &[&str] = &[
    "schema = 1",
    "name = \"fragment\"",
    "design = \"screen\"",
    "[platform]\nadapter = \"simulator\"\npolicy = \"policies/registration-keyed.toml\"\n",
    "[[account]]\nid = \"cn-a\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n\
     [[account]]\nid = \"cn-b\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n\
     [[account]]\nid = \"intl-a\"\nregistered-in = \"CA\"\nlocated-in = \"CA\"\n\
     [[account]]\nid = \"intl-b\"\nregistered-in = \"DE\"\nlocated-in = \"DE\"\n",
    "[[arm]]\nid = \"intl-to-cn\"\nsenders = [\"intl-a\"]\nrecipients = [\"cn-a\"]\nvenue = \"direct\"\n",
    "[corpora]\ncandidates = [\"../corpora/quickstart\"]\ncontrols = [\"../corpora/controls-zh\"]\n",
];

/// The same for a part of a policy.
const POLICY: &[&str] = &["schema = 1", "name = \"fragment\""];

/// Tables that only policies have.
const OF_POLICIES: &[&str] = &["[[rule]]", "[[file-rule]]", "[files]", "[network]", "[sanctions]", "[[outage]]"];

impl Shown {
    pub fn new(place: String, fragment: bool, text: String) -> Self {
        Self { place, fragment, text }
    }

    /// Where the document says that the reader should save it: its first line is a comment with the path.
    pub fn path(&self) -> Option<&str> {
        let path = self.text.lines().next()?.strip_prefix("# ")?;
        (Path::new(path).extension()? == "toml" && !path.contains(' ')).then_some(path)
    }

    fn is_policy(&self) -> bool {
        self.text.lines().any(|line| OF_POLICIES.contains(&line.trim()))
    }

    /// What is wrong with it, in a copy of the project in which the document's commands were run.
    pub fn problems(&self, copied: &Path) -> Vec<String> {
        let path = copied.join(match (self.path(), self.is_policy()) {
            (Some(path), _) => path,
            (None, true) => "experiments/policies/shown.toml",
            (None, false) => "experiments/shown.toml",
        });
        let text = if self.fragment {
            completed(&self.text, if self.is_policy() { POLICY } else { EXPERIMENT })
        } else {
            self.text.clone()
        };
        fs::write(&path, &text).unwrap();
        let problems = if self.is_policy() {
            policy::load(&path).1
        } else {
            // Secrets are not there in a test; that they are named well is checked all the same.
            experiment::load(&path, ADAPTERS, &[], &|_| Ok(())).1
        };
        // A part that only says what is shown where has no pairs of files with it.
        let lacks_pairs = self.fragment && self.text.contains("design = \"exposure\"");
        let problems = problems.iter().filter(|problem| !(lacks_pairs && problem.key == "corpora.candidates"));
        problems.map(|problem| format!("{}: {problem:?}\n{text}", self.place)).collect()
    }
}

/// A part of a file, with the rest of `around` that it does not have itself. Keys stand in front of tables.
fn completed(part: &str, around: &[&str]) -> String {
    let begins = |line: &str| line.split(['=', ' ']).next().unwrap_or_default().to_owned();
    let has = |piece: &str| part.lines().any(|line| begins(line) == begins(piece.lines().next().unwrap_or_default()));
    let first_table = part.lines().position(|line| line.starts_with('[')).unwrap_or(usize::MAX);
    let keys = part.lines().take(first_table);
    let tables = part.lines().skip(first_table);
    let (around_tables, around_keys): (Vec<&str>, Vec<&str>) =
        around.iter().filter(|piece| !has(piece)).partition(|piece| piece.starts_with('['));
    let lines: Vec<&str> = around_keys.into_iter().chain(keys).chain(around_tables).chain(tables).collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_part_is_completed_with_what_it_lacks() {
    let whole = completed("design = \"isolate\"\n[b]\nx = 1\n", &["schema = 1", "design = \"screen\"", "[a]\n", "[b]\ny = 2\n"]);
    assert_eq!(whole, "schema = 1\ndesign = \"isolate\"\n[a]\n\n[b]\nx = 1\n");
}
