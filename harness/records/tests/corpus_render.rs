//! Corpora made of phrases: pictures and documents.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::document::Format;
use lacuna_content::image::Style;
use lacuna_records::corpus::{self, RenderAs, RenderError, RenderFont, RenderOptions, RenderReport};
use proptest::prelude::*;

fn fonts() -> Vec<RenderFont> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/tests/fonts");
    ["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| RenderFont { path: folder.join(name), face: 0 }).to_vec()
}

fn options(kind: RenderAs) -> RenderOptions {
    RenderOptions {
        id: "made".to_owned(),
        title: "Made of phrases".to_owned(),
        licence: "CC0-1.0".to_owned(),
        kind,
        fonts: fonts(),
        size: (600, 200),
        seed: 7,
        twin: Some("天气很好".to_owned()),
    }
}

fn plain() -> RenderAs {
    RenderAs::Pictures(vec![Style::named("plain").unwrap()])
}

/// A folder with a list, and where the corpus is made.
fn with_list(list: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("list.csv"), folder.path().join("out"));
    fs::write(&path, list).unwrap();
    (folder, path, out)
}

const LIST: &str = "text,twin,language,category\n新疆集中营,,zh-Hans,places\n天气,很好,zh-Hans,places\nبىر,سالام,ug,words\n";

fn render(kind: RenderAs) -> (tempfile::TempDir, PathBuf, RenderReport) {
    let (folder, list, out) = with_list(LIST);
    let report = corpus::render(&list, &out, &options(kind)).unwrap();
    (folder, out, report)
}

#[test]
fn what_is_made_of_a_list_is_a_corpus_without_problems() {
    let kinds = [
        plain(),
        RenderAs::Pictures(lacuna_content::image::STYLES.to_vec()),
        RenderAs::Document(Format::Pdf),
        RenderAs::Document(Format::Docx),
        RenderAs::Document(Format::Txt),
    ];
    for kind in kinds {
        let (_folder, out, report) = render(kind.clone());
        let forms = if let RenderAs::Pictures(styles) = &kind { styles.len() } else { 1 };
        assert_eq!((report.phrases, report.files, report.twins), (3, 3 * forms, 3 * forms), "{kind:?}");
        // Black on white and nearly black on grey are one in a short word.
        assert_eq!(corpus::lint(&out).len(), report.too_near.len(), "{kind:?}");
        assert!(report.too_near.len() <= usize::from(forms > 1), "{kind:?}");
        let (read, _) = corpus::load(&out);
        let items = read.unwrap().items;
        for item in &items {
            let twin_of = items.iter().find(|other| other.id == item.twin_of);
            assert_eq!(twin_of.is_some(), item.category == "twin");
            assert!(!item.text_in_file.is_empty());
        }
        // Every file has hashes of its own.
        let mut hashes: Vec<String> = items.iter().map(|item| md5(&out, item.file.as_deref().unwrap())).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), items.len());
    }
}

fn md5(folder: &Path, file: &str) -> String {
    lacuna_content::md5_hex(&fs::read(folder.join(file)).unwrap())
}

/// Every file of a folder with its hash, in order of the names.
fn hashes(folder: &Path) -> Vec<(String, String)> {
    let mut hashes = Vec::new();
    for entry in [folder.to_owned(), folder.join("files")].iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            hashes.push((name.clone(), md5(folder, &name)));
        }
    }
    hashes.sort();
    hashes
}

#[test]
fn the_same_list_fonts_and_seed_give_the_same_bytes_and_another_seed_others() {
    for kind in [plain(), RenderAs::Document(Format::Pdf), RenderAs::Document(Format::Docx), RenderAs::Document(Format::Txt)] {
        let (folder, list, out) = with_list(LIST);
        let mut options = options(kind);
        corpus::render(&list, &out, &options).unwrap();
        let again = folder.path().join("again");
        corpus::render(&list, &again, &options).unwrap();
        assert_eq!(hashes(&out), hashes(&again));
        options.seed += 1;
        let other = folder.path().join("other");
        corpus::render(&list, &other, &options).unwrap();
        for ((name, one), (_, another)) in
            hashes(&out).iter().zip(hashes(&other)).filter(|((name, _), _)| name.starts_with("files/"))
        {
            assert_ne!(*one, another, "{name}");
        }
    }
}

#[test]
fn the_tables_say_how_each_file_was_made() {
    let (_folder, out, _) = render(plain());
    let tables = ["corpus.toml", "items.csv", "pictures.csv"].map(|name| fs::read_to_string(out.join(name)).unwrap());
    insta::assert_snapshot!(tables.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_tables_of_documents_leave_out_what_only_pictures_have() {
    let (_folder, out, _) = render(RenderAs::Document(Format::Txt));
    let tables = ["items.csv", "documents.csv"].map(|name| fs::read_to_string(out.join(name)).unwrap());
    insta::assert_snapshot!(tables.join("\n"));
}

#[test]
fn pictures_that_cannot_be_told_apart_are_named_and_marked() {
    // One of thirty characters is another, which nobody sees in a thumbnail.
    let phrase = "新疆集中天气很好".repeat(4);
    let other = phrase.replacen("天", "大", 1);
    let list = format!("text\n{phrase}\n{}\n", if phrase == other { phrase.replacen('天', "夭", 1) } else { other });
    let (_folder, list, out) = with_list(&list);
    let mut options = options(plain());
    options.twin = None;
    let report = corpus::render(&list, &out, &options).unwrap();
    assert_eq!(report.too_near.len(), 1);
    let (read, _) = corpus::load(&out);
    let items = read.unwrap().items;
    assert_eq!(report.too_near, [(items[1].id.clone(), items[0].id.clone())]);
    assert!(items[1].notes.contains(&items[0].id));
    let problems: Vec<String> = corpus::lint(&out).iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].ends_with("looks too much like the picture of line 2 to be told apart once a platform re-encodes it"),
        "{problems:?}"
    );
}

#[test]
fn every_phrase_that_cannot_be_rendered_is_a_problem_of_its_line_and_nothing_is_left() {
    let (_folder, list, out) = with_list("text,twin\n新疆,\n\u{1F600}\u{1F601},\n天气,\u{13000}\n");
    let error = corpus::render(&list, &out, &options(plain())).unwrap_err();
    let RenderError::Phrases(problems) = error else { panic!("{error}") };
    let shown: Vec<String> = problems.iter().map(|problem| format!("{}: {}", problem.location.line, problem.message)).collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(!out.exists());

    let (_folder, list, out) = with_list(&format!("text\n新疆\n{}\n", "天气".repeat(900)));
    let error = corpus::render(&list, &out, &options(plain())).unwrap_err();
    assert!(matches!(error, RenderError::Phrases(problems) if problems.len() == 1 && problems[0].location.line == 3));
    assert!(!out.exists());
}

#[test]
fn options_that_cannot_be_are_refused_and_nothing_is_overwritten() {
    let (folder, list, out) = with_list(LIST);
    let mut small = options(plain());
    small.size = (20, 20);
    let mut without_fonts = options(RenderAs::Document(Format::Pdf));
    without_fonts.fonts.clear();
    let mut no_font = options(plain());
    no_font.fonts[0].path = list.clone();
    let mut unnamed = options(plain());
    unnamed.id = "Not An Id".to_owned();
    let messages = [small, without_fonts, no_font, unnamed].map(|options| {
        let message = corpus::render(&list, &out, &options).unwrap_err().to_string();
        message.replace(&folder.path().display().to_string(), "FOLDER")
    });
    insta::assert_snapshot!(messages.join("\n"));
    fs::create_dir(&out).unwrap();
    assert!(matches!(corpus::render(&list, &out, &options(plain())), Err(RenderError::OutExists(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_list_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,60}", table in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(if table { "list.csv" } else { "list.txt" });
        for content in [bytes, format!("text,twin\n{text},\"{text}\"\n").into_bytes()] {
            fs::write(&list, content).unwrap();
            for format in [Format::Docx, Format::Pdf] {
                let out = folder.path().join("out");
                let _ = corpus::render(&list, &out, &options(RenderAs::Document(format)));
                let _ = fs::remove_dir_all(&out);
            }
        }
    }
}
