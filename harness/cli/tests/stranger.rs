//! What a third party can find out about a run with the folder alone, and with the repository: `lacuna verify`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use lacuna_records::journal::ChainHash;
use lacuna_records::verify::{VerifyVerdict, verify};
use serde_json::Value;

mod support;
use support::corpora::write_corpus;
use support::experiments::{drops_names, pair};
use support::files;
use support::pictures::add_pictures;

fn lacuna(arguments: &[&str]) -> (i32, Value) {
    let arguments = [arguments, &["--output-format", "json"]].concat();
    let output = Command::new(env!("CARGO_BIN_EXE_lacuna")).args(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_str(&said).unwrap_or(Value::String(told));
    (output.status.code().unwrap(), value)
}

/// Writes the experiment, runs it, and gives the run's folder.
fn run(folder: &Path, more: &[&str]) -> PathBuf {
    write_corpus(folder, "candidates", &[]);
    write_corpus(folder, "controls", &[]);
    add_pictures(folder, "candidates", &[("fine", 2, ""), ("forbidden", 1, "")]);
    add_pictures(folder, "controls", &[("weather", 6, "weather")]);
    fs::write(folder.join("policy.toml"), drops_names("forbidden")).unwrap();
    let experiment = folder.join("experiment.toml");
    fs::write(&experiment, pair("stranger", "screen", "")).unwrap();
    let results = folder.join("results");
    let run = ["run", experiment.to_str().unwrap(), "--results", results.to_str().unwrap()];
    let (code, summary) = lacuna(&[&run, more].concat());
    assert_eq!(code, 0, "{summary}");
    PathBuf::from(summary["folder"].as_str().unwrap())
}

fn copy(files: &BTreeMap<String, Vec<u8>>, to: &Path) {
    for (name, bytes) in files {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn is_named(run: &Path, file: &str) -> bool {
    verify(run).findings.iter().any(|finding| finding.file == file)
}

/// As the command tells it.
fn is_told(run: &Path, file: &str) -> bool {
    let (code, verdict) = lacuna(&["verify", run.to_str().unwrap()]);
    let files = verdict["files"].as_array().unwrap();
    let found = files.iter().any(|it| it["file"] == file && it["status"] != "intact");
    code == 2 && verdict["verdict"] != "intact" && found
}

/// The `n`-th random number of a seed: `SplitMix64`.
fn draw(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn below(seed: u64, n: &mut u64, bound: usize) -> usize {
    *n += 1;
    usize::try_from(draw(seed, *n) % bound as u64).unwrap()
}

/// Files of a copied run are damaged in every way that chance finds, and each is named. `run.lock` is empty and holds nothing that
/// could be changed.
#[test]
fn five_hundred_random_flips_of_a_copied_run_are_all_found() {
    const FLIPS: u64 = 500;
    const SEED: u64 = 20_161_130;
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &[]);
    assert_eq!(lacuna(&["analyze", "--spreadsheet-safe", run.to_str().unwrap()]).0, 0);
    let whole = files(&run);
    assert_eq!(whole["run.lock"], b"");
    let names: Vec<&String> = whole.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name.starts_with("files/")) && names.iter().any(|name| name.starts_with("figures/")));
    println!("seed {SEED}");
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let elsewhere = tempfile::tempdir().unwrap();
                let run = elsewhere.path();
                copy(&whole, run);
                assert_eq!(verify(run).verdict(), VerifyVerdict::Intact);
                loop {
                    let flip = next.fetch_add(1, Ordering::Relaxed);
                    if flip >= FLIPS {
                        break;
                    }
                    let mut n = flip * 8;
                    let name = names[below(SEED, &mut n, names.len())];
                    let mut bytes = whole[name].clone();
                    let (place, bit) = (below(SEED, &mut n, bytes.len()), below(SEED, &mut n, 8));
                    bytes[place] ^= 1 << bit;
                    fs::write(run.join(name), &bytes).unwrap();
                    assert!(is_named(run, name), "seed {SEED}, flip {flip}: bit {bit} of byte {place} of {name}");
                    if flip.is_multiple_of(100) {
                        assert!(is_told(run, name), "seed {SEED}, flip {flip}: bit {bit} of byte {place} of {name}");
                    }
                    fs::write(run.join(name), &whole[name]).unwrap();
                }
                assert_eq!(verify(run).verdict(), VerifyVerdict::Intact);
            });
        }
    });
}

#[test]
fn longer_shorter_swapped_removed_and_added_files_are_named() {
    const SEED: u64 = 7;
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &[]);
    let whole = files(&run);
    let names: Vec<&String> = whole.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(name, _)| name).collect();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = elsewhere.path();
    copy(&whole, run);
    println!("seed {SEED}");
    let mut n = 0;
    for name in &names {
        let (path, bytes) = (run.join(name), &whole[*name]);
        fs::write(&path, [bytes, &[u8::try_from(below(SEED, &mut n, 256)).unwrap()][..]].concat()).unwrap();
        assert!(is_named(run, name), "{name} with a byte more");
        let length = below(SEED, &mut n, bytes.len());
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(is_named(run, name), "{name} cut to {length} bytes");
        fs::remove_file(&path).unwrap();
        assert!(is_named(run, name), "{name} removed");
        let other = names[below(SEED, &mut n, names.len())];
        if whole[other] != *bytes {
            fs::write(&path, &whole[other]).unwrap();
            fs::write(run.join(other), bytes).unwrap();
            assert!(is_named(run, name) && is_named(run, other), "{name} and {other} swapped");
            fs::write(run.join(other), &whole[other]).unwrap();
        }
        fs::write(&path, bytes).unwrap();
    }
    for added in ["notes.txt", "files/notes.txt", "figures/notes.svg"] {
        fs::write(run.join(added), "x").unwrap();
        assert!(is_told(run, added), "{added}");
        fs::remove_file(run.join(added)).unwrap();
    }
    assert_eq!(verify(run).verdict(), VerifyVerdict::Intact);
}

/// A journal with each line changed, and a chain that fits again: what somebody can make who is not in a hurry.
fn rechained(journal: &str, change: impl Fn(&str) -> String) -> String {
    let mut chain = ChainHash::START;
    let mut changed = String::new();
    for line in journal.lines() {
        let (body, _) = line.rsplit_once(",\"hash\":\"").unwrap();
        let body = change(body);
        chain = chain.link(body.as_bytes());
        writeln!(changed, "{body},\"hash\":\"{chain}\"}}").unwrap();
    }
    assert_ne!(changed, journal);
    changed
}

/// How each file was checked, as the command tells it.
fn checks(verdict: &Value) -> BTreeMap<String, String> {
    let files = verdict["files"].as_array().unwrap().iter().map(|file| {
        let checks = file["checks"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        (file["file"].as_str().unwrap().to_owned(), checks.collect::<Vec<_>>().join(" "))
    });
    files.collect()
}

#[test]
fn the_repository_and_the_seed_give_the_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["--seed", "5", "--set", "watch.late=250ms"]);
    // By now there is a history that the run did not have.
    let experiment = folder.path().join("experiment.toml");
    let results = folder.path().join("results");
    assert_eq!(lacuna(&["run", experiment.to_str().unwrap(), "--results", results.to_str().unwrap()]).0, 0);
    let verify = |more: &[&str]| {
        let command = ["verify", run.to_str().unwrap(), "--experiment", experiment.to_str().unwrap()];
        lacuna(&[&command, more].concat())
    };
    let overridden = ["--set", "watch.late=250ms"];

    let (code, verdict) = verify(&overridden);
    assert_eq!((code, &verdict["verdict"], &verdict["replan"]["status"]), (0, &"intact".into(), &"same".into()), "{verdict}");
    assert_eq!(verdict["replan"]["seed"], 5);
    assert!(verdict["replan"]["retraced"]["decisions"].as_u64().unwrap() > 3);
    assert_eq!(verdict["run"]["run_id"], run.file_name().unwrap().to_str().unwrap());
    let checks = checks(&verdict);
    let content = checks.keys().find(|file| file.starts_with("files/")).unwrap();
    let expected = [("journal.jsonl", "chain seal"), ("verdicts.csv", "rederived"), (content.as_str(), "hash")];
    assert!(expected.iter().all(|(file, how)| checks[*file] == *how), "{checks:?}");

    let (code, verdict) = verify(&[]);
    let replan = &verdict["replan"];
    assert_eq!((code, &verdict["verdict"], &replan["status"]), (2, &"unverifiable".into(), &"other_experiment".into()));
    assert_eq!((&replan["study"], &replan["inputs"]), (&"[watch]".into(), &Value::Array(Vec::new())));

    let items = folder.path().join("candidates/items.csv");
    let listed = fs::read_to_string(&items).unwrap();
    fs::write(&items, listed.replace("fine0,image,,", "fine0,image,caption,")).unwrap();
    let (code, verdict) = verify(&overridden);
    let replan = &verdict["replan"];
    assert_eq!((code, &replan["status"], &replan["study"]), (2, &"other_experiment".into(), &"an item of a corpus".into()));
    let changed: Vec<&str> = replan["inputs"].as_array().unwrap().iter().map(|it| it["file"].as_str().unwrap()).collect();
    assert_eq!(changed, ["corpus candidates"]);
    assert!(replan["retraced"]["decisions"].as_u64().unwrap() > 3, "the decisions follow from the journal all the same");
    fs::write(&items, listed).unwrap();

    let journal = run.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, rechained(&text, |line| line.replace("\"attempt\":1", "\"attempt\":2"))).unwrap();
    assert_eq!(lacuna(&["analyze", run.to_str().unwrap()]).0, 0);
    let (code, verdict) = lacuna(&["verify", run.to_str().unwrap()]);
    assert_eq!((code, &verdict["verdict"]), (0, &"intact".into()), "a whole chain and files that fit: {verdict}");
    let (code, verdict) = verify(&overridden);
    assert_eq!((code, &verdict["verdict"], &verdict["replan"]["status"]), (2, &"damaged".into(), &"diverged".into()));
    assert!(verdict["replan"]["divergence"].as_str().unwrap().contains("the replay of its facts says"));

    let now = format!("\"engine_version\":{}", verdict["by"]["engine_version"]);
    fs::write(&journal, rechained(&text, |line| line.replace(&now, "\"engine_version\":1"))).unwrap();
    assert_eq!(lacuna(&["analyze", run.to_str().unwrap()]).0, 0);
    let (code, verdict) = verify(&overridden);
    assert_eq!((code, &verdict["verdict"]), (2, &"unverifiable".into()), "another engine is no damage: {verdict}");
    assert_eq!(verdict["replan"]["status"], "other_engine");

    fs::write(&journal, "{}\n").unwrap();
    let (code, verdict) = verify(&overridden);
    assert_eq!((code, &verdict["verdict"], &verdict["replan"]), (2, &"damaged".into(), &Value::Null));
}
