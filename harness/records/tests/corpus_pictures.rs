//! What lint says of the pictures of a corpus.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use lacuna_records::corpus;

fn lint(folder: &Path) -> String {
    let mut text = String::new();
    for problem in corpus::lint(folder) {
        writeln!(text, "{problem}").unwrap();
    }
    text.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn each_picture_that_cannot_be_sent_is_a_problem_of_its_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    insta::assert_snapshot!(lint(&folder));
}

#[test]
fn a_file_of_200_megabytes_is_a_problem_and_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/corpus.toml");
    fs::copy(source, folder.path().join("corpus.toml")).unwrap();
    fs::write(folder.path().join("items.csv"), "item_id,kind,text,file,category\nlarge,image,,large.jpg,hostile\n").unwrap();
    File::create(folder.path().join("large.jpg")).unwrap().set_len(200_000_000).unwrap();
    let expected = "items.csv:2: file: `large.jpg` is larger than 52 MB (use a smaller file)\n";
    assert_eq!(lint(folder.path()), expected);
}
