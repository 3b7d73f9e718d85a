//! `lacuna corpus`.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Said, file, lacuna};

#[test]
fn lint_tells_all_problems_of_all_corpora() {
    let said = Said::by(lacuna(&["corpus", "lint", &file("corpora/words"), &file("corpora/careless")]));
    assert_eq!(said.code, 2);
    assert_snapshot!(said.text());
    let said = Said::by(lacuna(&["corpus", "lint", &file("corpora/words"), &file("corpora/weather")]));
    assert_eq!((said.code, said.stdout.as_str()), (0, "2 corpora checked, no problems\n"));
}

#[test]
fn for_programs_the_problems_of_a_corpus_are_the_answer() {
    let said = Said::by(lacuna(&["corpus", "lint", &file("corpora/careless"), "--output-format", "json"]));
    assert_eq!((said.code, said.stderr.as_str()), (2, ""));
    let told = said.json();
    assert_eq!((&told["clean"], &told["checked"]), (&false.into(), &1.into()));
    for problem in told["problems"].as_array().unwrap() {
        assert!(problem["file"].as_str().unwrap().contains("careless"), "{problem}");
        assert!(!problem["message"].as_str().unwrap().is_empty(), "{problem}");
        assert_ne!(problem["line"], 0);
    }
    let said = Said::by(lacuna(&["corpus", "lint", &file("corpora/words"), "--output-format", "json"]));
    assert_eq!((said.code, &said.json()["clean"]), (0, &true.into()));
}

#[test]
fn a_list_becomes_a_corpus_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("list").display().to_string();
    let list = file("lists/keywords.csv");
    let arguments = [
        "corpus",
        "import",
        &list,
        "--id",
        "list",
        "--title",
        "A list",
        "--licence",
        "CC0-1.0",
        "--out",
        &out,
        "--language",
        "zh-Hans",
    ];
    let said = Said::by(lacuna(&arguments));
    assert_eq!(said.code, 0, "{}", said.stderr);
    let items = fs::read_to_string(folder.path().join("list/items.csv")).unwrap();
    assert_snapshot!(format!("{}\n{items}", said.text().replace(&out, "OUT")));
    assert_eq!(Said::by(lacuna(&arguments)).code, 2);
}

#[test]
fn phrases_become_documents_without_a_font_and_pictures_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made").display().to_string();
    let list = folder.path().join("list.txt").display().to_string();
    fs::write(&list, "天气很好\nthe second\n").unwrap();
    let render = |more: &[&str]| {
        let first = ["corpus", "render", &list, "--id", "made", "--title", "Made", "--licence", "CC0-1.0", "--out", &out];
        Said::by(lacuna(&[&first, more].concat()))
    };
    let said = render(&["--as", "pdf"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("--font <FILE>"), "{}", said.stderr);

    let said = render(&["--as", "docx", "--twin", "words"]);
    assert_eq!((said.code, said.stdout.replace(&out, "OUT").as_str()), (0, "2 phrases: 2 files and 2 twins in OUT\n"));
    assert_eq!(Said::by(lacuna(&["corpus", "lint", &out])).code, 0);

    let font = concat!(env!("CARGO_MANIFEST_DIR"), "/../content/tests/fonts/han.otf");
    let said = render(&["--font", font]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    fs::remove_dir_all(&out).unwrap();
    let said = render(&["--font", font, "--style", "night", "--style", "photo", "--size", "300x100", "--output-format", "json"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let told = said.json();
    assert_eq!((&told["phrases"], &told["files"], &told["twins"]), (&2.into(), &4.into(), &0.into()));
    assert_eq!(told["fonts"][0]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(Said::by(lacuna(&["corpus", "lint", &out])).code, 0);
}
