//! Corpora of transformed pictures.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::image::{Encoding, STYLES, Typesetter, encode, render};
use lacuna_content::md5_hex;
use lacuna_content::transform::{MECHANISM, battery};
use lacuna_records::corpus::{self, Benign, RenderFont, TransformFailure, TransformOptions, TransformReport};

const HEAD: &str = "id = \"small\"\ntitle = \"Small\"\nversion = \"1\"\nlicence = \"CC0-1.0\"\nsource = \"\"\ncitation = \"\"\n\
                    language = \"zh-Hans\"\ncontent-warning = \"\"\n";

fn font() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/tests/fonts/han.otf")
}

/// A corpus with a picture of each of these texts, and where the text stands in it.
fn make(folder: &Path, items: &str, pictures: &[(&str, &str)]) {
    let mut typesetter = Typesetter::new(vec![(fs::read(font()).unwrap(), 0)]).unwrap();
    fs::write(folder.join("corpus.toml"), HEAD).unwrap();
    fs::write(folder.join("items.csv"), items).unwrap();
    let mut boxes = "item_id,text_box\n".to_owned();
    for (position, (file, text)) in pictures.iter().enumerate() {
        let drawn = render(&mut typesetter, text, STYLES[position % 6], (600, 200), position as u64).unwrap();
        fs::write(folder.join(file), encode(&drawn.picture, Encoding::Png).unwrap()).unwrap();
        let id = file.trim_end_matches(".png");
        writeln!(boxes, "{id},\"{}\"", drawn.text_box).unwrap();
    }
    fs::write(folder.join("pictures.csv"), boxes).unwrap();
}

const ITEMS: &str = "item_id,kind,text,file,category,expected,text_in_file,metadata_in_file,twin_of\n\
                     one,image,a caption,one.png,camps,dropped,新疆集中营,,\n\
                     calm,image,,calm.png,weather,delivered,天气很好,,one\n\
                     two,image,,two.png,camps,,天安门,now,\n\
                     rain,image,,rain.png,weather,delivered,明天有小雨,,two\n\
                     said,text,六四,,memory,,,,\n";

fn small(folder: &Path) {
    make(
        folder,
        ITEMS,
        &[("one.png", "新疆集中营"), ("calm.png", "天气很好"), ("two.png", "天安门"), ("rain.png", "明天有小雨")],
    );
}

fn options(specs: &[&str]) -> TransformOptions {
    TransformOptions {
        id: "made".to_owned(),
        items: Vec::new(),
        specs: specs.iter().map(|spec| spec.parse().unwrap()).collect(),
        variants: 2,
        seed: 9,
        fonts: vec![RenderFont { path: font(), face: 0 }],
        benign: Benign::Twins,
    }
}

fn transformed(options: &TransformOptions) -> (tempfile::TempDir, PathBuf, TransformReport) {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let out = folder.path().join("out");
    let report = corpus::transform(folder.path(), &out, options).unwrap();
    (folder, out, report)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().display().to_string(), fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn each_original_and_its_twin_go_through_each_transform() {
    let (_folder, out, report) = transformed(&options(&MECHANISM));
    assert_eq!((report.originals, report.files, report.twins), (2, 32, 32));
    assert_eq!(report.left_out, []);
    assert_eq!(corpus::lint(&out), []);
    let made = corpus::load(&out).0.unwrap();
    assert_eq!(made.items.len(), 4 + 64);
    let mut hashes = BTreeSet::new();
    for item in &made.items {
        let file = item.file.as_deref().unwrap();
        let name = file.rsplit('/').next().unwrap();
        assert!(hashes.insert(md5_hex(&fs::read(out.join(file)).unwrap())), "{}", item.id);
        let base = made.items.iter().find(|base| base.id == item.base);
        let Some(base) = base else {
            // The originals are the files that they were.
            assert_eq!(fs::read(out.join(file)).unwrap(), fs::read(out.join("..").join(name)).unwrap());
            continue;
        };
        assert!(base.base.is_empty() && item.variant > 0 && item.text.is_empty());
        let keeps_text = item.transform == "fresh" || item.transform.starts_with("only-text");
        assert_eq!(item.text_in_file, if keeps_text { base.text_in_file.as_str() } else { "" }, "{}", item.id);
        let keeps_metadata = ["fresh", "only-metadata"].contains(&item.transform.as_str());
        assert_eq!(item.metadata_in_file, if keeps_metadata { base.metadata_in_file.as_str() } else { "" }, "{}", item.id);
        let keeps_name = ["fresh", "only-filename"].contains(&item.transform.as_str());
        assert_eq!(name == format!("{}.png", item.base), keeps_name, "{}", item.id);
        if item.twin_of.is_empty() {
            assert!(["one", "two"].contains(&item.base.as_str()));
        } else {
            let twin = made.items.iter().find(|other| other.id == item.twin_of).unwrap();
            assert_eq!((&twin.transform, twin.variant, &base.twin_of), (&item.transform, item.variant, &twin.base));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_gives_others() {
    let specs = ["fresh", "only-text", "noise:16+reencode:jpeg-70"];
    let (_one, first, _) = transformed(&options(&specs));
    let (_two, again, _) = transformed(&options(&specs));
    assert!(files(&first) == files(&again));
    let (_three, other, _) = transformed(&TransformOptions { seed: 10, ..options(&specs) });
    let made = |folder: &Path| -> BTreeSet<String> {
        files(folder).into_iter().filter(|(name, _)| name.starts_with("files/one.")).map(|(_, bytes)| md5_hex(&bytes)).collect()
    };
    assert!(made(&first).is_disjoint(&made(&other)));
}

#[test]
fn everything_there_is_can_be_done() {
    let all: Vec<String> = battery().iter().map(|entry| entry.spec.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let one = TransformOptions { items: vec!["two".to_owned()], variants: 1, ..options(&all) };
    let (_folder, out, report) = transformed(&one);
    assert_eq!((report.originals, report.files, report.left_out.len()), (1, all.len(), 0));
    assert_eq!(corpus::lint(&out), []);
    let made = corpus::load(&out).0.unwrap();
    let described = made.items.iter().find(|item| item.transform == "metadata:xmp" && item.base == "two").unwrap();
    assert_eq!(described.metadata_in_file, "now 天安门");
}

#[test]
fn a_harmless_picture_may_be_given_or_drawn() {
    for benign in [Benign::Item("rain".to_owned()), Benign::Text("天气很好".to_owned())] {
        let folder = tempfile::tempdir().unwrap();
        let items = "item_id,kind,text,file,category,text_in_file\none,image,,one.png,camps,新疆\ntwo,image,,two.png,camps,天安门\n\
                     rain,image,,rain.png,weather,明天有小雨\n";
        make(folder.path(), items, &[("one.png", "新疆"), ("two.png", "天安门"), ("rain.png", "明天有小雨")]);
        let out = folder.path().join("out");
        let items = vec!["one".to_owned(), "two".to_owned()];
        let options = TransformOptions { items, benign: benign.clone(), ..options(&["fresh", "only-text"]) };
        let report = corpus::transform(folder.path(), &out, &options).unwrap();
        assert_eq!((report.originals, report.files, report.twins, report.left_out.len()), (2, 8, 8, 0));
        assert_eq!(corpus::lint(&out), []);
        let hashes: BTreeSet<String> = files(&out.join("files")).values().map(|bytes| md5_hex(bytes)).collect();
        let copies = if matches!(benign, Benign::Item(_)) { 3 } else { 4 };
        assert_eq!(hashes.len(), copies + 16);
    }
}

/// The failure, with the folder cut off; nothing may be left behind.
fn failure(folder: &Path, options: &TransformOptions) -> String {
    let out = folder.join("out");
    let said = match corpus::transform(folder, &out, options).unwrap_err() {
        TransformFailure::Corpus(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    };
    assert!(!out.exists(), "{said}");
    said.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn what_cannot_be_used_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let at = folder.path();
    let mut said = String::new();
    let mut say = |text: String| writeln!(said, "{text}\n--").unwrap();
    say(failure(at, &TransformOptions { id: "Made".to_owned(), ..options(&["fresh"]) }));
    say(failure(at, &TransformOptions { variants: 0, ..options(&["fresh"]) }));
    say(failure(at, &TransformOptions { variants: 1000, ..options(&["fresh"; 60]) }).replace(&at.display().to_string(), "CORPUS"));
    for item in ["nobody", "said"] {
        say(failure(at, &TransformOptions { items: vec![item.to_owned()], ..options(&["fresh"]) }));
    }
    // Twins themselves have no twins.
    say(failure(at, &TransformOptions { items: vec!["calm".to_owned(), "rain".to_owned()], ..options(&["fresh"]) }));
    say(failure(at, &TransformOptions { fonts: Vec::new(), ..options(&["qr+retypeset", "only-text"]) }));
    fs::write(at.join("pictures.csv"), "item_id,text_box\none,\"1,2,3\"\n").unwrap();
    say(failure(at, &options(&["fresh"])));
    fs::remove_file(at.join("pictures.csv")).unwrap();
    say(failure(at, &options(&["blank", "only-look"])));
    let whole = fs::read(at.join("two.png")).unwrap();
    fs::write(at.join("two.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at.join("one.png"), b"no picture").unwrap();
    say(failure(at, &options(&["fresh"])));
    insta::assert_snapshot!(said);
}
