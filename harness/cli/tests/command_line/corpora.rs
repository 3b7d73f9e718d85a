//! `lacuna corpus`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use lacuna_content::collide::collision;
use lacuna_content::image::{Encoding, Rgb, RgbImage, STYLES, Typesetter, encode, render};

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
fn pictures_are_transformed_and_so_are_their_twins() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    let font = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/tests/fonts/han.otf");
    let mut typesetter = Typesetter::new(vec![(fs::read(&font).unwrap(), 0)]).unwrap();
    let mut boxes = "item_id,text_box\n".to_owned();
    for (id, text) in [("camp", "新疆集中营"), ("calm", "天气很好")] {
        let drawn = render(&mut typesetter, text, STYLES[0], (300, 100), 1).unwrap();
        fs::write(corpus.join(format!("{id}.png")), encode(&drawn.picture, Encoding::Png).unwrap()).unwrap();
        writeln!(boxes, "{id},\"{}\"", drawn.text_box).unwrap();
    }
    fs::write(corpus.join("pictures.csv"), boxes).unwrap();
    let head = fs::read_to_string(file("corpora/words/corpus.toml")).unwrap();
    fs::write(corpus.join("corpus.toml"), head).unwrap();
    let items = "item_id,kind,text,file,category,text_in_file,twin_of\ncamp,image,,camp.png,camps,新疆集中营,\ncalm,image,,calm.png,weather,天气很好,camp\n";
    fs::write(corpus.join("items.csv"), items).unwrap();
    let (corpus, font, out) = (corpus.display().to_string(), font.display().to_string(), folder.path().join("made"));
    let made = out.display().to_string();
    let common = ["corpus", "transform", &corpus, "--id", "made", "--out", &made];
    let run = |more: &[&str]| Said::by(lacuna(&[&common[..], more].concat()));
    // Without a font, and with a phrase that has no place for what is asked.
    let said = run(&[
        "--battery",
        "mechanism",
        "--transform",
        "resize:0.5+reencode:jpeg-70",
        "--transform",
        "reencode:gif+metadata:exif",
    ]);
    let items = fs::read_to_string(out.join("items.csv")).unwrap();
    assert_snapshot!(format!("{}\n{items}", said.text().replace(&made, "OUT")));
    assert_eq!(run(&[]).code, 2, "nothing is overwritten");
    fs::remove_dir_all(&out).unwrap();
    let said = run(&["--font", &font, "--variants", "2", "--output-format", "json"]);
    let told = said.json();
    assert_eq!(
        (said.code, &told["files"], &told["twins"], &told["left_out"]),
        (0, &16.into(), &16.into(), &serde_json::json!([]))
    );
    assert_eq!(Said::by(lacuna(&["corpus", "lint", &made])).code, 0);
    let said = run(&["--transform", "sharpen"]);
    assert!(said.code == 2 && said.stderr.contains("`sharpen` is no transform; they are fresh, "), "{}", said.stderr);
}

#[test]
fn two_pictures_become_two_files_of_one_md5_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, shade) in [("dark.png", 20), ("light.png", 230)] {
        let picture = RgbImage::from_pixel(40, 30, Rgb([shade; 3]));
        fs::write(folder.path().join(name), encode(&picture, Encoding::Png).unwrap()).unwrap();
    }
    let (dark, light, out) = (path("dark.png"), path("light.png"), path("out"));
    let collide = |more: &[&str]| {
        let arguments = [&["corpus", "collide", &dark, &light, "--out", &out], more].concat();
        Said::by(lacuna(&arguments))
    };
    let said = collide(&["--seed", "7"]);
    assert_snapshot!(said.text().replace(&out, "OUT"));
    let again = collide(&["--seed", "7"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(again.stderr.contains("cannot be written"), "{}", again.stderr);

    let told = collide(&["--format", "pdf", "--output-format", "json"]).json();
    let [first, second] = [0, 1].map(|i| fs::read(told["files"][i]["file"].as_str().unwrap()).unwrap());
    assert_eq!(collision(&first, &second).unwrap().md5, told["md5"].as_str().unwrap());
    assert!(first.starts_with(b"%PDF"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4);
}

#[test]
fn what_is_no_picture_is_not_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let picture = encode(&RgbImage::new(40, 30), Encoding::Png).unwrap();
    fs::write(folder.path().join("whole.png"), &picture).unwrap();
    fs::write(folder.path().join("cut.png"), &picture[..50]).unwrap();
    fs::write(folder.path().join("text.png"), "no picture").unwrap();
    let (whole, out) = (path("whole.png"), path("out"));
    for (second, expected) in [
        (path("cut.png"), "ends too early"),
        (path("text.png"), "is no PNG"),
        (path("nothing.png"), "cannot be read"),
        (folder.path().display().to_string(), "is no regular file"),
        (whole.clone(), "same pixels"),
    ] {
        let said = Said::by(lacuna(&["corpus", "collide", &whole, &second, "--out", &out]));
        assert_eq!(said.code, 2, "{second}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{second}: {}", said.stderr);
    }
    assert!(!folder.path().join("out").exists());
}
