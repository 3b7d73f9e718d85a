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
