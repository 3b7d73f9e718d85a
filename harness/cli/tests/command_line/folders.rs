//! A run's folder: `analyze` derives it, `verify` finds what does not belong.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Said, folder, lacuna, run};

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            files.extend(self::files(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

#[test]
fn every_file_is_derived_again_and_one_flipped_byte_is_found() {
    let results = tempfile::tempdir().unwrap();
    let folder = folder(&run("experiments/small.toml", results.path(), &[]).json());
    let path = folder.display().to_string();
    let written = files(&folder);
    let verify = || Said::by(lacuna(&["verify", &path]));
    let said = verify();
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(said.stdout.ends_with("all is as the journal says\n"), "{}", said.stdout);

    for (name, bytes) in &written {
        if bytes.is_empty() {
            assert_eq!(name, "run.lock");
            continue;
        }
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(folder.join(name), changed).unwrap();
            let said = verify();
            assert_eq!(said.code, 2, "{name}, byte {place}: {}", said.stdout);
            assert!(said.stdout.contains(name.as_str()), "{name}, byte {place}: {}", said.stdout);
        }
        fs::write(folder.join(name), bytes).unwrap();
    }

    for name in written.keys().filter(|name| *name != "journal.jsonl" && *name != "run.lock") {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let said = Said::by(lacuna(&["analyze", &path, "--output-format", "json"]));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(said.json()["findings"].as_array().unwrap().len(), 6);
    assert_eq!(files(&folder), written);

    let report = folder.join("report.html");
    fs::write(&report, "what somebody wrote").unwrap();
    let said = Said::by(lacuna(&["report", &path]));
    assert_eq!((said.code, said.stdout.trim_end()), (0, &*report.display().to_string()), "{}", said.stderr);
    assert_eq!(files(&folder), written);

    let said = Said::by(lacuna(&["analyze", &path, "--spreadsheet-safe"]));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(folder.join("verdicts.spreadsheet.csv").is_file());
    assert_eq!(Said::by(lacuna(&["verify", &path, "--output-format", "json"])).json()["verdict"], "intact");
}
