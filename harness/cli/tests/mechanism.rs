//! From phrases to a claim about the platform, with the commands that a researcher uses: drawn, transformed, sent over sockets, concluded.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod support;

use support::{lacuna, succeed, table};

const FONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../content/tests/fonts/han.otf");

/// Two phrases drawn, their twins, and the battery that tells mechanisms apart.
fn battery(folder: &Path) {
    let at = |name: &str| folder.join(name).display().to_string();
    fs::write(at("phrases.txt"), "新疆集中营\n集中营\n").unwrap();
    let (phrases, drawn, made) = (at("phrases.txt"), at("drawn"), at("battery"));
    let described = ["--title", "Drawn", "--licence", "CC0-1.0", "--font", FONT, "--twin", "天气很好", "--style", "photo"];
    succeed(&[&["corpus", "render", &phrases, "--id", "drawn", "--out", &drawn], &described[..]].concat());
    let transformed = ["--battery", "mechanism", "--variants", "4", "--font", FONT];
    succeed(&[&["corpus", "transform", &drawn, "--id", "battery", "--out", &made], &transformed[..]].concat());
    succeed(&["corpus", "lint", &made]);
}

const EXPERIMENT: &str = r#"
schema = 1
name = "mechanism"
question = "By what are these pictures filtered?"
design = "mechanism"
seed = 5
[platform]
adapter = "simulator"
policy = "policy.toml"
[[account]]
id = "intl-a"
registered-in = "CA"
located-in = "CA"
[[account]]
id = "cn-a"
registered-in = "CN"
located-in = "CN"
[[arm]]
id = "to-cn"
senders = ["intl-a"]
recipients = ["cn-a"]
venue = "direct"
[corpora]
candidates = ["battery"]
controls = ["CONTROLS"]
[decision]
false-positive-rate = 0.01
[mechanism]
wait = "700ms"
[watch]
grace = "200ms"
late = "300ms"
"#;

/// Runs the experiment against a platform with one rule about files, and gives the run's folder.
fn run(folder: &Path, rule: &str) -> PathBuf {
    let at = |name: &str| folder.join(name);
    let policy = format!("schema = 1\nname = \"one\"\n[[file-rule]]\nid = \"one\"\n{rule}\n[network]\ndelay-median = \"2ms\"\n");
    fs::write(at("policy.toml"), policy).unwrap();
    let controls = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/controls-zh");
    fs::write(at("experiment.toml"), EXPERIMENT.replace("CONTROLS", controls)).unwrap();
    let (results, experiment) = (at("results").display().to_string(), at("experiment.toml").display().to_string());
    let said = succeed(&["run", &experiment, "--results", &results]);
    assert!(said.contains("By what files are filtered"), "{said}");
    let run = fs::read_dir(at("results").join("mechanism")).unwrap().next().unwrap().unwrap().path();
    succeed(&["verify", &run.display().to_string()]);
    run
}

/// What is claimed of the originals: `layer mechanism`, for each that suffices.
fn supported(run: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut of_item: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table(run, "mechanisms") {
        let claims = of_item.entry(row["item_id"].clone()).or_default();
        if row["supported"] == "true" {
            claims.insert(format!("{} {}", row["layer"], row["mechanism"]));
        }
    }
    of_item
}

fn expected(claims: &[&str]) -> BTreeSet<String> {
    claims.iter().map(|claim| (*claim).to_owned()).collect()
}

#[test]
fn a_text_that_feeds_an_index_is_found_in_what_was_drawn_and_transformed() {
    let folder = tempfile::tempdir().unwrap();
    battery(folder.path());
    let run = run(folder.path(), "text = [\"新疆\"]\ngray = \"luminosity\"\nlearns-after = \"300ms\"");
    let claims = supported(&run);
    assert_eq!(claims.len(), 2, "{claims:?}");
    let mut kinds: Vec<&BTreeSet<String>> = claims.values().collect();
    kinds.sort();
    let fed = expected(&["analysis text", "enforcement hash_index"]);
    assert_eq!(kinds, [&fed, &expected(&["enforcement none"])], "{claims:?}");
    let gray: BTreeSet<String> = table(&run, "mechanisms").iter().map(|row| row["grayscale"].clone()).collect();
    assert_eq!(gray, expected(&["", "luminosity"]));
    // No hash is shown on two paths, and what was sent lies in the run's folder.
    let sent = table(&run, "sent").into_iter().filter(|row| row["content_kind"] == "image");
    let sent: BTreeSet<String> = sent.map(|row| row["content_sha256"].clone()).collect();
    assert!(sent.len() > 10);
    assert!(sent.iter().all(|hash| run.join("files").join(hash).is_file()));
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("the text in them feeds the index") && page.contains("read in grey by luminosity"));
    // The pictures stand in the page, small.
    assert!(page.matches("<img src=\"data:image/jpeg;base64,").count() >= 5, "{page}");
    assert!(page.len() < 200_000, "{} bytes", page.len());
    a_damaged_picture_is_named_and_not_the_page_that_shows_it(&run);
}

fn a_damaged_picture_is_named_and_not_the_page_that_shows_it(run: &Path) {
    let verify = || {
        let output = lacuna(&["verify", "--output-format", "json", run.to_str().unwrap()]);
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = said["findings"].as_array().unwrap().iter();
        findings.map(|it| it["file"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let originals = table(run, "sent").into_iter().filter(|row| row["role"] == "candidate" && row["content_kind"] == "image");
    let sha256 = originals.map(|row| row["content_sha256"].clone()).next().unwrap();
    let (file, kept) = (run.join("files").join(&sha256), fs::read(run.join("files").join(&sha256)).unwrap());
    let mut damaged = kept.clone();
    damaged[kept.len() / 2] ^= 1;
    fs::write(&file, &damaged).unwrap();
    assert_eq!(verify(), BTreeSet::from([format!("files/{sha256}")]));
    // Whoever changes the page too is found by its hash.
    let page = run.join("report.html");
    let before = fs::read(&page).unwrap();
    fs::write(&page, [&before[..], b"<!-- -->"].concat()).unwrap();
    assert_eq!(verify(), BTreeSet::from([format!("files/{sha256}"), "report.html".to_owned()]));
    fs::write(&page, before).unwrap();
    fs::write(&file, kept).unwrap();
    assert_eq!(verify(), BTreeSet::new());
    // A file that is no picture any more, under the name of its bytes: the page says so, and is derived again.
    fs::remove_file(&file).unwrap();
    succeed(&["analyze", &run.display().to_string()]);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("is missing, or is not what was sent"));
    assert_eq!(verify(), BTreeSet::from([format!("files/{sha256}")]));
}

/// What they count, these designs do not give: they say so, and do not count nothing.
#[test]
fn what_counts_verdicts_says_that_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    battery(folder.path());
    fs::write(folder.path().join("policy.toml"), "schema = 1\nname = \"open\"\n").unwrap();
    let controls = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/controls-zh");
    let experiment = folder.path().join("experiment.toml");
    fs::write(&experiment, EXPERIMENT.replace("CONTROLS", controls)).unwrap();
    for command in ["plan", "evaluate"] {
        let output = lacuna(&[command, experiment.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("claims something else"));
    }
}

#[test]
fn a_name_that_is_acted_upon_at_once_is_found() {
    let folder = tempfile::tempdir().unwrap();
    battery(folder.path());
    let items = fs::read_to_string(folder.path().join("battery/items.csv")).unwrap();
    let original = items.lines().skip(1).find(|line| line.contains("集中营")).unwrap();
    let name = original.split(',').nth(3).unwrap().rsplit('/').next().unwrap().to_owned();
    let run = run(folder.path(), &format!("filename = [\"{name}\"]\nenforces = \"at-once\""));
    let claims = supported(&run);
    let mut kinds: Vec<&BTreeSet<String>> = claims.values().collect();
    kinds.sort();
    assert_eq!(kinds, [&expected(&["enforcement filename"]), &expected(&["enforcement none"])], "{claims:?}");
}
