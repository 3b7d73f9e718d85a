//! Loading and linting corpora, with every problem that a person is told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lacuna_model::Problem;
use lacuna_records::corpus::{self, CorpusKind, Expected};
use proptest::prelude::*;
use tempfile::TempDir;

const HEAD: &str = r#"id = "small"
title = "A small corpus"
version = "1"
licence = "CC0-1.0"
source = ""
citation = ""
language = "zh-Hans"
content-warning = ""
component-joiner = "+"
"#;
const COLUMNS: &str = "item_id,kind,text,file,language,category,expected,source_url,date_added,notes\n";

fn folder(head: &[u8], items: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("corpus.toml"), head).unwrap();
    fs::write(folder.path().join("items.csv"), items).unwrap();
    folder
}

/// The problems as a person sees them, without the temporary folder.
fn shown(problems: &[Problem], folder: &Path) -> String {
    let mut text = String::new();
    for problem in problems {
        writeln!(text, "{problem}").unwrap();
    }
    text.replace(&format!("{}/", folder.display()), "")
}

fn lint(head: &str, items: &[u8]) -> String {
    let folder = folder(head.as_bytes(), items);
    shown(&corpus::lint(folder.path()), folder.path())
}

#[test]
fn a_clean_corpus_loads_whole() {
    let rows = "\u{61}1,text,甲 + 乙 丙,,zh-Hant,test,dropped,https://example.org/a,2026-11-22,\"one, two\nthree\"\n\
                a2,image,caption+plus,files/a.png,,test,,,,\n\
                a3,link,https://example.org/?q=a+b,,und,test,delivered,,,\n";
    let folder = folder(HEAD.as_bytes(), format!("{COLUMNS}{rows}").as_bytes());
    fs::create_dir(folder.path().join("files")).unwrap();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/files/good.png");
    fs::copy(picture, folder.path().join("files/a.png")).unwrap();
    assert_eq!(shown(&corpus::lint(folder.path()), folder.path()), "");
    let corpus = corpus::load(folder.path()).0.unwrap();
    assert_eq!((corpus.id.as_str(), corpus.component_joiner.as_deref()), ("small", Some("+")));
    assert_eq!(corpus.sha256.len(), 64);
    let [combination, image, link] = &corpus.items[..] else { panic!("three items") };
    assert_eq!(combination.components, ["甲", "乙 丙"]);
    assert_eq!((combination.text.as_str(), combination.expected, combination.line), ("甲 + 乙 丙", Some(Expected::Dropped), 2));
    assert_eq!(combination.notes, "one, two\nthree");
    assert_eq!((image.kind, image.file.as_deref(), image.line), (CorpusKind::Image, Some("files/a.png"), 4));
    assert_eq!((image.language.as_str(), image.components.len()), ("zh-Hans", 1));
    assert_eq!(link.components, ["https://example.org/?q=a+b"]);
}

#[test]
fn columns_may_stand_in_any_order_and_optional_ones_may_be_left_out() {
    let folder = folder(HEAD.as_bytes(), "text,item_id,kind\r\n甲,a1,text\r\n".as_bytes());
    let corpus = corpus::load(folder.path()).0.unwrap();
    assert_eq!((corpus.items[0].id.as_str(), corpus.items[0].text.as_str(), corpus.items[0].line), ("a1", "甲", 2));
}

#[test]
fn lint_reports_everything_at_once() {
    let head = "id = \"Not An Id\"\ntitle = 7\nversion = \"\"\nlicense = \"CC0-1.0\"\nsource = \"\"\ncitation = \"\"\n\
                language = \"chinese!\"\ncomponent-joiner = \" + \"\n";
    let rows = "a1,text,甲,,,test,,,,\n\
                a1,text,甲,,,test,,,,\n\
                a3,text,６４,,,test,,,,\n\
                a4,text,\" 64\",,,test,,,,\n\
                bad id,video,乙,,,test,maybe,,,\n\
                a6,text,,,,test,,,,\n\
                a7,text,丙,../../etc/passwd,,test,,,,\n\
                a8,image,,,,test,,,,\n\
                a9,image,,../a.png,,test,,,,\n\
                a10,document,,files/none.pdf,,test,,,,\n\
                a11,text,丁\u{200B}戊\u{202E}\t己\u{7},,,test,,,,\n\
                a12,text,\"庚\n辛\",,Chinese language,,,not a url,22.11.2026,\n\
                a13,text,壬\n\
                a14,text,癸,,,test,,,2026-02-30,\"two\nlines\"\n\
                a15,text,子,,,test,,,2026-2-3,\n\
                a16,text,\"丑,,,test,,,,\n";
    insta::assert_snapshot!(lint(head, format!("{COLUMNS}{rows}").as_bytes()));
}

#[test]
fn combinations_with_a_joiner_too_many_are_problems() {
    let rows = "a1,text,甲++乙,,,test,,,,\na2,text,甲+,,,test,,,,\na3,text,甲 + 乙,,,test,,,,\na4,text,甲+ 乙,,,test,,,,\n";
    insta::assert_snapshot!(lint(HEAD, format!("{COLUMNS}{rows}").as_bytes()));
}

#[test]
fn a_byte_order_mark_and_another_encoding_are_problems_and_the_rest_is_read() {
    let mut items = b"\xEF\xBB\xBF".to_vec();
    items.extend(COLUMNS.as_bytes());
    items.extend(b"a1,text,\xD6\xD0\xB9\xFA,,,test,,,,\n");
    items.extend("a2,text,甲,,,,,,,\n".as_bytes());
    insta::assert_snapshot!(lint(HEAD, &items));
}

#[test]
fn a_wrong_header_is_a_problem() {
    insta::assert_snapshot!(lint(HEAD, b"item_id,text,text,colour\na1,x,y,z\n"));
    insta::assert_snapshot!(lint(HEAD, b""));
    insta::assert_snapshot!(lint("id = \"small\nlanguage == \n", COLUMNS.as_bytes()));
}

#[test]
fn a_folder_that_is_no_corpus_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, problems) = corpus::load(folder.path());
    assert!(corpus.is_none());
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.message.starts_with("cannot be read")));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_does_not_lead_out_of_the_folder() {
    let folder = folder(HEAD.as_bytes(), format!("{COLUMNS}a1,image,,a.png,,test,,,,\n").as_bytes());
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a.png")).unwrap();
    let (corpus, problems) = corpus::load(folder.path());
    assert!(corpus.is_none());
    assert!(problems[0].message.contains("leaves the corpus folder"), "{}", problems[0]);
}

#[test]
fn a_flood_of_problems_is_cut_and_counted() {
    let rows = "x\n".repeat(20_000);
    let folder = folder(HEAD.as_bytes(), format!("{COLUMNS}{rows}").as_bytes());
    let problems = corpus::lint(folder.path());
    assert_eq!(problems.len(), 10_001);
    assert_eq!(problems.last().unwrap().message, "10000 more problems are not listed");
}

proptest! {
    /// Whatever stands in the files: no panic, and a corpus only where there is no problem.
    #[test]
    fn hostile_files_are_refused_or_read(head in proptest::collection::vec(any::<u8>(), 0..200), items in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (head, items) in [(&head[..], &items[..]), (HEAD.as_bytes(), &[COLUMNS.as_bytes(), &items].concat())] {
            let folder = folder(head, items);
            let (corpus, problems) = corpus::load(folder.path());
            prop_assert_eq!(corpus.is_some(), problems.is_empty());
            prop_assert!(corpus::lint(folder.path()).len() >= problems.len());
        }
    }

    /// Any printable texts survive writing and reading.
    #[test]
    fn texts_come_back_as_they_were(texts in proptest::collection::vec("[a-z,\"+= 甲乙]{1,12}", 1..20)) {
        let mut writer = csv::Writer::from_writer(COLUMNS.as_bytes().to_vec());
        for (index, text) in texts.iter().enumerate() {
            writer.write_record([&format!("a{index}"), "text", text, "", "", "", "", "", "", ""]).unwrap();
        }
        let without_joiner = HEAD.replace("component-joiner = \"+\"\n", "");
        let folder = folder(without_joiner.as_bytes(), &writer.into_inner().unwrap());
        let read = corpus::load(folder.path()).0.map(|corpus| corpus.items.into_iter().map(|item| item.text).collect::<Vec<_>>());
        if texts.iter().all(|text| !text.trim().is_empty()) {
            prop_assert_eq!(read, Some(texts));
        } else {
            prop_assert_eq!(read, None);
        }
    }
}
