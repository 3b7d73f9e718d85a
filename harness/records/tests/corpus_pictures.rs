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

#[test]
fn each_document_that_cannot_be_sent_is_a_problem_of_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/corpus.toml");
    fs::copy(source, folder.path().join("corpus.toml")).unwrap();
    let docx = lacuna_content::document::docx("words", 1).unwrap();
    let picture = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/files/good.png")).unwrap();
    let files: [(&str, &[u8]); 9] = [
        ("good.docx", &docx),
        ("good.pdf", b"%PDF-1.7\nstartxref\n0\n%%EOF\n"),
        ("good.TXT", "words, 词".as_bytes()),
        ("cut.docx", &docx[..docx.len() - 30]),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<< /JS (app.alert(1)) >>"),
        ("cut.txt", &"词".as_bytes()[..2]),
        ("empty.txt", b""),
        ("named-wrongly.pdf", &docx),
        ("picture.pdf", &picture),
    ];
    let mut items = "item_id,kind,text,file,category\n".to_owned();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        writeln!(items, "{},document,,{name},hostile", name.replace('.', "-")).unwrap();
    }
    File::create(folder.path().join("large.pdf")).unwrap().set_len(200_000_000).unwrap();
    items.push_str("large-pdf,document,,large.pdf,hostile\n");
    fs::write(folder.path().join("items.csv"), items).unwrap();
    insta::assert_snapshot!(lint(folder.path()));
}
