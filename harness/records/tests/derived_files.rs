//! What is derived from a journal: the tables of the contract, the same bytes each time, and nothing changed unseen.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use lacuna_model::{Decision, Entry, Fact, Probe};
use lacuna_records::journal::Reader;
use lacuna_records::projection::{AnalyzeError, AnalyzeOptions, PROJECTION_VERSION, analyze};
use lacuna_records::verify::{VerifyReport, verify};
use serde_json::{Value, json};
use support::texts::{header_of, isolating, played};
use support::{entries, example_entries, header_with_build, journal, journal_of, resumed_entries};
use tempfile::TempDir;

const EXACT: AnalyzeOptions = AnalyzeOptions { spreadsheet_safe: false };
const GUARDED: AnalyzeOptions = AnalyzeOptions { spreadsheet_safe: true };

/// A run's folder with a journal and nothing else.
fn run_of(journal: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("journal.jsonl"), journal).unwrap();
    (folder, run)
}

fn example() -> (TempDir, PathBuf) {
    run_of(&journal(&example_entries(), Some(0)))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(self::files(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn named(report: &VerifyReport) -> BTreeSet<&str> {
    report.findings.iter().map(|finding| finding.file.as_str()).collect()
}

/// Whether a file has one of these extensions.
fn is_named(path: &str, extensions: &[&str]) -> bool {
    Path::new(path).extension().is_some_and(|it| extensions.iter().any(|extension| it == *extension))
}

#[test]
fn the_example_run_is_derived_like_this() {
    let (_folder, run) = example();
    let analysis = analyze(&run, EXACT).unwrap();
    assert_eq!(analysis.folder, run);
    assert_eq!(analysis.seal.map(|seal| seal.exit_code), Some(0));
    let files = files(&run);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "accounts.csv",
            "combinations.csv",
            "contrasts.csv",
            "controls.csv",
            "datapackage.json",
            "enforcement.csv",
            "exposures.csv",
            "figures/contrasts.csv",
            "figures/contrasts.svg",
            "figures/drop-rates.csv",
            "figures/drop-rates.svg",
            "figures/latency.csv",
            "figures/latency.svg",
            "figures/timeline.csv",
            "figures/timeline.svg",
            "figures/verdicts.csv",
            "figures/verdicts.svg",
            "journal.jsonl",
            "manifest.json",
            "mechanisms.csv",
            "outcomes.csv",
            "probe_items.csv",
            "received.csv",
            "report.html",
            "rules.csv",
            "sent.csv",
            "verdicts.csv"
        ]
    );
    // The page and the pictures are the report's, and have their snapshots there; what they hash to changes with every word of them.
    for (name, bytes) in files.iter().filter(|(name, _)| is_named(name, &["csv", "json"])) {
        let mut text = String::from_utf8(bytes.clone()).unwrap();
        if name == "manifest.json" {
            let mut manifest: Value = serde_json::from_str(&text).unwrap();
            for file in manifest["files"].as_array_mut().unwrap() {
                if file["path"].as_str().is_some_and(|path| is_named(path, &["html", "svg"])) {
                    (file["bytes"], file["sha256"]) = ("…".into(), "…".into());
                }
            }
            text = serde_json::to_string_pretty(&manifest).unwrap();
        }
        insta::assert_snapshot!(name.replace(['.', '/'], "_"), text);
    }
}

#[test]
fn the_columns_are_those_that_were_promised() {
    let promised = [
        (
            "sent",
            "probe_id,sequence,arm_id,role,purpose,attempt,time_block,sender_account,client,venue,venue_id,content_kind,file_name,content_sha256,content_md5,content_bytes,width,height,perceptual_hash,text,sent_at,accepted_at,send_state,platform_message_id,notice,epoch,carrier_item_id,fragments",
        ),
        ("probe_items", "probe_id,position,item_id"),
        (
            "received",
            "sequence,recipient_account,sender_account,venue,venue_id,event,content_kind,file_name,content_sha256,content_md5,content_bytes,width,height,perceptual_hash,text,observed_at,platform_message_id",
        ),
        (
            "outcomes",
            "probe_id,arm_id,role,recipient_account,outcome,first_outcome,revised_at,matched_by,received_sequence,bracket_before_probe_id,bracket_after_probe_id,sent_at,observed_at,listened_until,latency_ms,file_state",
        ),
        (
            "verdicts",
            "item_id,arm_id,recipient_account,sender_registered_in,sender_located_in,recipient_registered_in,recipient_located_in,venue,verdict,reason,probes,delivered,delivered_late,dropped,refused,altered,retracted,void,pooled_delivered,pooled_dropped,drop_rate,drop_rate_low,drop_rate_high,control_loss_rate,e_value,q_value,filter_seen,listened_s,first_sent_at,last_sent_at,enforcement,enforcement_low,enforcement_high",
        ),
        ("combinations", "combination_id,arm_id,recipient_account,position,item_id,probes,dropped,e_value"),
        (
            "rules",
            "item_id,arm_id,recipient_account,signal,rule_id,component_position,component,component_role,matching,status,window_start,window_end,messages,rounds,certified,combination_id,extenuating_set,sent_alone,blocked_alone,e_value,first_probe_id",
        ),
        ("mechanisms", "item_id,arm_id,recipient_account,layer,mechanism,supported,e_value,probes,evidence,grayscale,reason"),
        (
            "exposures",
            "probe_id,kind,item_id,shown_item_id,shown_probe_id,delay_s,outcome,file_state,arm_outside_id,arm_inside_id",
        ),
        ("controls", "item_id,arm_id,recipient_account,probes,delivered,dropped,void,expelled"),
        (
            "contrasts",
            "item_id,factor,level_a,level_b,arm_a,arm_b,recipient_a,recipient_b,difference,difference_low,difference_high,e_value,q_value,scope,sender_a,sender_b,accounts_a,sends_a,dropped_a,accounts_b,sends_b,dropped_b,sender_registered_in,sender_located_in,recipient_registered_in,recipient_located_in,venue",
        ),
        (
            "enforcement",
            "category,arm_id,recipient_account,items,sends,dropped,drop_rate,drop_rate_low,drop_rate_high,enforcement,enforcement_low,enforcement_high,acted",
        ),
        ("accounts", "account,registered_in,located_in,client,event,at,detail"),
        ("figures/verdicts", "line,category,item_id,arm_id,recipient_account,verdict"),
        ("figures/drop-rates", "category,arm_id,recipient_account,measure,whole,part,rate,rate_low,rate_high"),
        ("figures/contrasts", "factor,level_a,level_b,item_id,difference,difference_low,difference_high,q_value,scope"),
        ("figures/timeline", "recipient_account,from,to,candidates,controls,controls_lost,controls_void"),
        ("figures/latency", "arm_id,recipient_account,from_ms,to_ms,messages"),
    ];
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    for (table, columns) in promised {
        let text = fs::read_to_string(run.join(format!("{table}.csv"))).unwrap();
        assert_eq!(text.lines().next().unwrap(), format!("schema_version,run_id,{columns}"));
    }
}

/// Every cell against the Table Schema that describes it: type, vocabulary, primary and foreign keys, hash.
#[test]
fn the_tables_are_what_the_data_package_says() {
    for (_folder, run) in [example(), isolated(400), isolated(3)] {
        analyze(&run, EXACT).unwrap();
        fits_the_package(&run);
    }
}

fn fits_the_package(run: &Path) {
    let package: Value = serde_json::from_slice(&fs::read(run.join("datapackage.json")).unwrap()).unwrap();
    let mut keys: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
    let mut references = Vec::new();
    for resource in package["resources"].as_array().unwrap() {
        let table = resource["name"].as_str().unwrap();
        let bytes = fs::read(run.join(resource["path"].as_str().unwrap())).unwrap();
        assert_eq!(resource["hash"], format!("sha256:{}", lacuna_content::sha256_hex(&bytes)));
        assert_eq!(resource["bytes"], bytes.len());
        let fields = resource["schema"]["fields"].as_array().unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<_> = fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
        let primary: Vec<_> =
            resource["schema"]["primaryKey"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
        let mut seen = BTreeSet::new();
        for row in reader.records().map(Result::unwrap) {
            for ((field, name), cell) in fields.iter().zip(&names).zip(&row) {
                assert!(fits(field, cell), "{table}.{name}: `{cell}`");
                keys.entry((table.to_owned(), name.clone())).or_default().insert(cell.to_owned());
            }
            let key: Vec<_> =
                primary.iter().map(|column| row[names.iter().position(|name| name == column).unwrap()].to_owned()).collect();
            assert!(primary.is_empty() || seen.insert(key), "{table}: the primary key is there twice");
        }
        for foreign in resource["schema"]["foreignKeys"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let from = (table.to_owned(), text(&foreign["fields"]));
            references.push((from, (text(&foreign["reference"]["resource"]), text(&foreign["reference"]["fields"]))));
        }
    }
    for (from, to) in references {
        // A table without rows has no keys.
        let (from_keys, to_keys) = (keys.get(&from).into_iter().flatten(), keys.get(&to));
        let missing: Vec<_> = from_keys.filter(|it| !it.is_empty() && to_keys.is_none_or(|keys| !keys.contains(*it))).collect();
        assert!(missing.is_empty(), "{from:?} -> {to:?}: {missing:?}");
    }
}

fn fits(field: &Value, cell: &str) -> bool {
    if cell.is_empty() {
        return field["constraints"]["required"] != true;
    }
    let known = field["constraints"]["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == cell));
    known
        && match field["type"].as_str().unwrap() {
            "string" => true,
            "integer" => cell.parse::<u64>().is_ok(),
            "number" => cell.parse::<f64>().is_ok(),
            "boolean" => matches!(cell, "true" | "false"),
            "datetime" => cell.len() == 24 && cell.ends_with('Z') && cell.parse::<jiff::Timestamp>().is_ok(),
            other => panic!("{other}"),
        }
}

const NEWS: &str = "据报道，新疆有再教育营。";

/// A run that isolates, in which a text is dropped that holds two words.
fn isolated(max_messages_per_text: u32) -> (TempDir, PathBuf) {
    let study = isolating(NEWS, max_messages_per_text);
    let entries = played(&study, 60, &|text| text.contains("新疆") && text.contains("教育"));
    run_of(&journal_of(&header_of(study), &entries, Some(0)))
}

/// The rows of a table as cells by column.
fn rows(run: &Path, table: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(run.join(table)).unwrap();
    let header = reader.headers().unwrap().clone();
    let cells = |row: csv::StringRecord| header.iter().zip(&row).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
    reader.records().map(Result::unwrap).map(cells).collect()
}

#[test]
fn the_rules_of_a_text_stand_where_it_says() {
    let (_folder, run) = isolated(400);
    analyze(&run, EXACT).unwrap();
    assert_eq!(verify(&run).findings, []);
    let rules = rows(&run, "rules.csv");
    let cell = |column: &str| rules.iter().map(|row| row[column].as_str()).collect::<Vec<_>>();
    assert_eq!(cell("component"), ["新疆", "教育"]);
    assert_eq!(cell("status"), ["certified"; 2]);
    assert_eq!(cell("certified"), ["true"; 2]);
    assert_eq!(cell("item_id"), ["news/1"; 2]);
    assert_eq!(cell("recipient_account"), ["cn-a"; 2]);
    assert_eq!(cell("component_position"), ["1", "2"]);
    assert_eq!(cell("rule_id")[0], cell("rule_id")[1]);
    for row in &rules {
        let [start, end] = ["window_start", "window_end"].map(|column| row[column].parse::<usize>().unwrap());
        assert_eq!(NEWS.chars().skip(start).take(end - start).collect::<String>(), row["component"]);
        assert!(row["e_value"].parse::<f64>().unwrap() >= 1_000.0, "{row:?}");
    }
    let sent = rows(&run, "sent.csv");
    let mut asked = 0;
    for row in sent.iter().filter(|row| !row["fragments"].is_empty()) {
        let parts = row["fragments"].split(';').map(|part| {
            let (start, end) = part.split_once('-').unwrap();
            let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
            NEWS.chars().skip(start).take(end - start).collect::<String>()
        });
        assert_eq!(parts.collect::<Vec<_>>().join(" "), row["text"]);
        asked += 1;
    }
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    let isolation = &manifest["isolation"];
    assert_eq!(isolation["messages"]["sum"], asked);
    assert_eq!(rules[0]["messages"], asked.to_string());
    assert_eq!((&isolation["max_messages_per_text"], &isolation["known_rules"]), (&400.into(), &1.into()));
    let counts = ["texts", "searched", "decided", "undecided", "rules", "rules_certified", "different_rules_certified"];
    assert_eq!(counts.map(|count| isolation[count].as_u64().unwrap()), [1, 1, 1, 0, 1, 1, 1]);
}

#[test]
fn a_text_whose_messages_are_used_up_says_where_the_rest_is() {
    let (_folder, run) = isolated(3);
    analyze(&run, EXACT).unwrap();
    let rules = rows(&run, "rules.csv");
    let last = rules.last().unwrap();
    assert_eq!((last["status"].as_str(), last["certified"].as_str(), last["messages"].as_str()), ("undecided", "false", "3"));
    let [start, end] = ["window_start", "window_end"].map(|column| last[column].parse::<usize>().unwrap());
    let window: String = NEWS.chars().skip(start).take(end - start).collect();
    assert!(window.contains("新疆") || window.contains("教育"), "{window}");
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["isolation"]["decided"], &manifest["isolation"]["undecided"]), (&0.into(), &1.into()));
}

/// Fragments that are inside of characters or behind the end, and searches that nobody asks anything of.
#[test]
fn senseless_fragments_are_left_out() {
    let golden = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal-v3.jsonl")).unwrap();
    let (_folder, run) = run_of(&golden);
    analyze(&run, EXACT).unwrap();
    assert_eq!(verify(&run).findings, []);
    let mut entries: Vec<Entry> = Reader::open(&run.join("journal.jsonl")).unwrap().map(|line| line.unwrap().2).collect();
    for entry in &mut entries {
        if let Entry::Decision(Decision::ProbePlanned(Probe { excerpt: Some(excerpt), .. })) = entry {
            excerpt.fragments = vec![1..2, 0..3, 5..7, 33..40, 35..36, 4_000_000_000..u32::MAX, 3..9];
        }
    }
    let (_folder, run) = run_of(&journal_of(&header_of(isolating(NEWS, 40)), &entries, Some(0)));
    analyze(&run, EXACT).unwrap();
    assert_eq!(verify(&run).findings, []);
    assert!(rows(&run, "sent.csv").iter().all(|row| matches!(row["fragments"].as_str(), "" | "0-1;1-3")));
}

#[test]
fn deriving_again_gives_the_same_bytes() {
    let (_folder, run) = example();
    analyze(&run, GUARDED).unwrap();
    let first = files(&run);
    assert!(analyze(&run, GUARDED).unwrap().changed.is_empty());
    assert_eq!(files(&run), first);
    fs::write(run.join("sent.csv"), "what somebody wrote").unwrap();
    assert_eq!(analyze(&run, GUARDED).unwrap().changed, ["sent.csv"]);
    assert_eq!(files(&run), first);
}

#[test]
fn the_manifest_and_the_report_say_with_what_a_run_was_made() {
    let (_folder, run) = run_of(&journal_of(&header_with_build(), &resumed_entries(), Some(0)));
    analyze(&run, EXACT).unwrap();
    assert_eq!(verify(&run).findings, []);
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["build"]["source"], json!({ "commit": "c0de".repeat(10), "changed": true }));
    assert_eq!(manifest["build"]["target"], "x86_64-unknown-linux-gnu");
    assert_eq!(manifest["overrides"][1], "account.intl-a.secret=env:INTL_A");
    let resumed = manifest["resumed"].as_array().unwrap();
    assert_eq!(resumed[0]["build"]["source"], json!({ "commit": "beef".repeat(10), "changed": false }));
    assert_eq!((&resumed[0]["lacuna_version"], &resumed[0]["overrides"]), (&"0.2.0".into(), &json!([])));
    // Of one that does not say it is known that it went on, and no more.
    assert_eq!((&resumed[1]["epoch"], &resumed[1]["build"], &resumed[1]["overrides"]), (&2.into(), &Value::Null, &Value::Null));
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    for said in ["c0dec0de", "with changes that are in no commit", "seed=20161130", "Lacuna <bdi>0.2.0</bdi>", "beefbeef"] {
        assert!(report.contains(said), "{said}");
    }

    // Journals from before say nothing of it, and neither does what is derived from them.
    let golden = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal-v5.jsonl")).unwrap();
    let (_folder, run) = run_of(&golden);
    analyze(&run, EXACT).unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["build"], &manifest["overrides"]), (&Value::Null, &Value::Null));
    assert_eq!(manifest["resumed"], Value::Null);
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("the journal does not say how"));
}

#[test]
fn a_damaged_journal_changes_nothing_that_was_derived() {
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    let mut damaged = journal(&example_entries(), Some(0));
    let place = damaged.len() - 400;
    damaged[place] ^= 1;
    fs::write(run.join("journal.jsonl"), damaged).unwrap();
    let before = files(&run);
    let error = analyze(&run, EXACT).err().unwrap().to_string();
    assert!(error.contains("journal.jsonl:4") && error.contains("the hash does not fit"), "{error}");
    assert_eq!(files(&run), before);
}

#[test]
fn guarded_copies_stand_beside_the_exact_tables() {
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    let exact = files(&run);
    analyze(&run, GUARDED).unwrap();
    let guarded = files(&run);
    assert!(exact.iter().all(|(name, bytes)| guarded[name] == *bytes), "the exact files do not depend on the copies");
    let text = |name: &str| String::from_utf8(guarded[name].clone()).unwrap();
    assert!(text("sent.csv").contains("\"=cmd, \"\"quoted\"\"") && text("sent.csv").contains(",-not allowed"));
    assert!(
        text("sent.spreadsheet.csv").contains("\"'=cmd, \"\"quoted\"\"")
            && text("sent.spreadsheet.csv").contains(",'-not allowed")
    );
    assert_eq!(text("outcomes.spreadsheet.csv"), text("outcomes.csv"));
}

#[test]
fn a_run_without_an_end_is_derived_and_says_so() {
    let (_folder, run) = run_of(&journal(&example_entries(), None));
    let analysis = analyze(&run, EXACT).unwrap();
    assert_eq!(analysis.seal, None);
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["exit_code"], &manifest["sealed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(named(&verify(&run)), BTreeSet::from(["journal.jsonl"]));
}

#[test]
fn a_whole_run_is_found_whole() {
    let (_folder, run) = example();
    analyze(&run, GUARDED).unwrap();
    fs::write(run.join("run.lock"), "").unwrap();
    let report = verify(&run);
    assert_eq!(report.findings, []);
    assert_eq!(report.notes, Vec::<String>::new());
    let all: BTreeSet<_> = files(&run).into_keys().filter(|name| name != "run.lock").collect();
    assert_eq!(report.checked.into_keys().collect::<BTreeSet<_>>(), all);
}

#[test]
fn any_changed_byte_of_any_file_is_found_and_the_file_is_named() {
    let (_folder, run) = example();
    add_content(&run, b"a picture");
    analyze(&run, GUARDED).unwrap();
    assert_eq!(verify(&run).findings, []);
    for (name, bytes) in files(&run) {
        // Every byte would take minutes; a stride that shares no factor with anything reaches every kind of place.
        let stride = if name == "manifest.json" { 7 } else { 1 + bytes.len() / 23 };
        let places = (0..bytes.len()).step_by(stride).chain([bytes.len() - 1]);
        for place in places {
            for change in [1, 0x20] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                fs::write(run.join(&name), &changed).unwrap();
                let report = verify(&run);
                assert!(named(&report).contains(name.as_str()), "{name}, byte {place}: {:?}", report.findings);
                assert!(name == "journal.jsonl" || name == "manifest.json" || named(&report).len() == 1, "{:?}", report.findings);
            }
        }
        fs::write(run.join(&name), &bytes).unwrap();
    }
    assert_eq!(verify(&run).findings, []);
}

#[test]
fn the_version_of_the_projection_cannot_be_changed_to_hide_behind_it() {
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    let now = format!("\"projection_version\": {PROJECTION_VERSION}");
    assert!(manifest.contains(&now));
    let newer = (PROJECTION_VERSION + 1).to_string();
    for version in ["0", newer.as_str(), "1e", "-1"] {
        let version = format!("\"projection_version\": {version}");
        fs::write(run.join("manifest.json"), manifest.replace(&now, &version)).unwrap();
        assert!(named(&verify(&run)).contains("manifest.json"), "{version}");
    }
}

#[test]
fn missing_cut_added_and_swapped_files_are_named() {
    let (_folder, run) = example();
    let content = add_content(&run, b"a picture");
    analyze(&run, EXACT).unwrap();
    let whole = files(&run);
    let restore = || {
        for (name, bytes) in &whole {
            fs::write(run.join(name), bytes).unwrap();
        }
        assert_eq!(verify(&run).findings, []);
    };
    for (name, bytes) in &whole {
        fs::remove_file(run.join(name)).unwrap();
        assert!(named(&verify(&run)).contains(name.as_str()), "{name} is missing");
        for length in [0, bytes.len() / 2, bytes.len() - 1] {
            fs::write(run.join(name), &bytes[..length]).unwrap();
            assert!(named(&verify(&run)).contains(name.as_str()), "{name} was cut to {length} bytes");
        }
        fs::write(run.join(name), [bytes.as_slice(), b"\n"].concat()).unwrap();
        assert!(named(&verify(&run)).contains(name.as_str()), "{name} was made longer");
        restore();
    }

    // Whole lines taken from the end of a journal leave its chain whole.
    let journal = &whole["journal.jsonl"];
    let lines: Vec<_> = journal.split_inclusive(|&byte| byte == b'\n').collect();
    for left in [lines.len() - 1, 5, 1] {
        fs::write(run.join("journal.jsonl"), lines[..left].concat()).unwrap();
        assert!(named(&verify(&run)).contains("journal.jsonl"), "{left} lines are left");
    }
    fs::write(run.join("journal.jsonl"), support::journal(&example_entries()[..12], Some(0))).unwrap();
    assert!(named(&verify(&run)).contains("journal.jsonl"), "another journal, whole in itself");
    restore();

    for added in ["notes.txt", "changes.csv", "files/0000.png", ".sent.csv.part", "figures/other.svg", "figures/latency.png"] {
        fs::write(run.join(added), "x").unwrap();
        assert_eq!(named(&verify(&run)), BTreeSet::from([added]));
        fs::remove_file(run.join(added)).unwrap();
    }
    fs::write(run.join(&content), "another picture").unwrap();
    assert_eq!(named(&verify(&run)), BTreeSet::from([content.as_str()]));
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_named_and_not_waited_for() {
    for name in ["sent.csv", "journal.jsonl", "manifest.json"] {
        let (_folder, run) = example();
        analyze(&run, EXACT).unwrap();
        fs::remove_file(run.join(name)).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(run.join(name)).status().unwrap().success());
        assert!(named(&verify(&run)).contains(name), "{name}");
    }
}

/// A content under the name of its hash.
fn add_content(run: &Path, bytes: &[u8]) -> String {
    let name = format!("files/{}.png", lacuna_content::sha256_hex(bytes));
    fs::create_dir(run.join("files")).unwrap();
    fs::write(run.join(&name), bytes).unwrap();
    name
}

#[test]
fn a_manifest_cannot_lead_out_of_its_folder() {
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    let path = run.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (file, other) in manifest["files"].as_array_mut().unwrap().iter_mut().zip(["/dev/zero", "files/../../../dev/zero"]) {
        file["path"] = other.into();
    }
    fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    assert_eq!(named(&verify(&run)), BTreeSet::from(["manifest.json"]));
}

#[test]
fn a_newer_projection_goes_beside_an_older_one() {
    let (_folder, run) = example();
    analyze(&run, EXACT).unwrap();
    // What a projection 1 could have left: other columns, and hashes that fit them.
    let old_table = b"probe_id\n";
    fs::write(run.join("sent.csv"), old_table).unwrap();
    let path = run.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["projection_version"] = 1.into();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == "sent.csv" {
            file["bytes"] = old_table.len().into();
            file["sha256"] = lacuna_content::sha256_hex(old_table).into();
        }
    }
    fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    let before = files(&run);

    let analysis = analyze(&run, EXACT).unwrap();
    let derived = format!("derived-v{PROJECTION_VERSION}");
    assert_eq!(analysis.folder, run.join(&derived));
    let after = files(&run);
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes), "the older files stay as they are");
    assert!(after.contains_key(&format!("{derived}/verdicts.csv")));
    let report = verify(&run);
    assert_eq!(report.findings, []);
    assert_eq!(report.notes, ["manifest.json is of projection 1: its files were checked by their hashes alone"]);

    fs::write(run.join("sent.csv"), "probe_ID\n").unwrap();
    fs::write(run.join(&derived).join("verdicts.csv"), "").unwrap();
    assert_eq!(named(&verify(&run)), BTreeSet::from(["sent.csv", format!("{derived}/verdicts.csv").as_str()]));

    manifest["projection_version"] = (PROJECTION_VERSION + 1).into();
    fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    let newer = analyze(&run, EXACT);
    assert!(matches!(newer, Err(AnalyzeError::Newer { found, .. }) if found == PROJECTION_VERSION + 1));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Whatever a journal holds, however senseless, it is derived without a panic, and the same each time.
    #[test]
    fn any_journal_is_derived(entries in entries(0..60), budget in proptest::option::of(0u32..20)) {
        let header = budget.map_or_else(support::header, |budget| header_of(isolating("据报道，新疆有再教育营。", budget)));
        let (_folder, run) = run_of(&journal_of(&header, &entries, Some(0)));
        analyze(&run, EXACT).unwrap();
        // The files that it names are not there, and nothing else is wrong.
        let missing: BTreeSet<String> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Fact(Fact::Observed(observation)) => Some(format!("files/{}", observation.file.as_ref()?.facts.sha256)),
                _ => None,
            })
            .collect();
        let report = verify(&run);
        proptest::prop_assert_eq!(named(&report), missing.iter().map(String::as_str).collect());
    }
}
