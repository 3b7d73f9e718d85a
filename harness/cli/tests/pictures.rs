//! Pictures through whole runs, over sockets: sent, filtered, received, recognised, kept.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lacuna_model::{Entry, Fact, Observation, ProbeId, SendResult};
use lacuna_records::journal::Reader;

mod support;

use support::corpora::write_corpus;
use support::pictures::add_pictures;
use support::{Row, table};

fn lacuna(arguments: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lacuna")).args(arguments).arg(path).output().unwrap()
}

/// Writes an experiment, runs it, has the run verified, and gives its folder.
fn run(folder: &Path, experiment: &str, policy: &str) -> PathBuf {
    fs::write(folder.join("policy.toml"), policy).unwrap();
    let file = folder.join("experiment.toml");
    fs::write(&file, experiment).unwrap();
    let results = folder.join("results");
    let output = lacuna(&["run", "--results", results.to_str().unwrap()], &file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = fs::read_dir(results.join("pictures")).unwrap().next().unwrap().unwrap().path();
    let output = lacuna(&["verify"], &run);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    run
}

/// Every verdict must be what `is_dropped` says of item and recipient.
fn check_verdicts(run: &Path, count: usize, is_dropped: impl Fn(&str, &str) -> bool) {
    let rows = table(run, "verdicts");
    assert_eq!(rows.len(), count);
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| {
            row["verdict"] != if is_dropped(&row["item_id"], &row["recipient_account"]) { "dropped" } else { "delivered" }
        })
        .map(|row| format!("{} for {} on {}: {}", row["item_id"], row["recipient_account"], row["arm_id"], row["verdict"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whatever arrived is what was sent, to the byte, under its name, and is kept. Gives the hashes that were received.
fn check_bytes(run: &Path) -> BTreeSet<String> {
    let sent: BTreeMap<String, Row> =
        table(run, "sent").into_iter().map(|row| (row["platform_message_id"].clone(), row)).collect();
    let messages: Vec<Row> = table(run, "received").into_iter().filter(|row| row["event"] == "message").collect();
    assert!(!messages.is_empty());
    for row in &messages {
        let sent = &sent[&row["platform_message_id"]];
        for column in
            ["content_kind", "file_name", "content_sha256", "content_md5", "content_bytes", "width", "height", "perceptual_hash"]
        {
            assert!(!row[column].is_empty(), "{column}: {row:?}");
            assert_eq!(row[column], sent[column], "{column}");
        }
        let bytes = fs::read(run.join("files").join(&row["content_sha256"])).unwrap();
        assert_eq!(lacuna_content::sha256_hex(&bytes), row["content_sha256"]);
    }
    messages.into_iter().map(|row| row["content_sha256"].clone()).collect()
}

const SIMULATED: &str = r#"
schema = 1
name = "pictures"
design = "screen"
seed = 11
[platform]
adapter = "simulator"
policy = "policy.toml"
[[account]]
id = "a"
registered-in = "CA"
located-in = "CA"
[[account]]
id = "b"
registered-in = "CN"
located-in = "CN"
[[account]]
id = "c"
registered-in = "DE"
located-in = "DE"
[[arm]]
id = "direct"
senders = ["a"]
recipients = ["b", "c"]
venue = "direct"
[[arm]]
id = "group"
senders = ["c"]
recipients = ["a", "b"]
venue = "group"
[corpora]
candidates = ["candidates"]
controls = ["controls"]
[watch]
grace = "300ms"
late = "300ms"
"#;

const FILTERED: &str = r#"
schema = 1
name = "filtered"
[[file-rule]]
id = "by-name"
filename = ["forbidden"]
when = { recipient-registered-in = ["CN"] }
enforces = "at-once"
[[file-rule]]
id = "by-text"
text = ["新疆"]
when = { recipient-registered-in = ["CN"] }
enforces = "at-once"
[network]
delay-median = "3ms"
delay-p99 = "12ms"
"#;

fn write_pictures(folder: &Path) {
    write_corpus(folder, "candidates", &[]);
    write_corpus(folder, "controls", &[]);
    add_pictures(folder, "candidates", &[("fine", 10, "fine"), ("forbidden", 3, ""), ("read", 3, "关于新疆")]);
    add_pictures(folder, "controls", &[("weather", 12, "weather")]);
}

fn is_filtered(item: &str, recipient: &str) -> bool {
    recipient == "b" && (item.contains("forbidden") || item.contains("read"))
}

#[test]
fn a_simulated_filter_of_pictures_is_found() {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path());
    let run = run(folder.path(), SIMULATED, FILTERED);
    check_verdicts(&run, 16 * 4, is_filtered);
    check_bytes(&run);
    // What was sent is kept too, whether or not it arrived.
    for row in table(&run, "sent") {
        assert!(run.join("files").join(&row["content_sha256"]).is_file(), "{row:?}");
    }
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    for entry in fs::read_dir(run.join("files")).unwrap() {
        assert!(manifest.contains(&format!("files/{}", entry.unwrap().file_name().to_str().unwrap())));
    }

    // A file that is changed or missing is found, and named.
    let victim = fs::read_dir(run.join("files")).unwrap().next().unwrap().unwrap().path();
    let name = format!("files/{}", victim.file_name().unwrap().to_str().unwrap());
    let bytes = fs::read(&victim).unwrap();
    let findings = |bytes: Option<&[u8]>| {
        match bytes {
            Some(bytes) => fs::write(&victim, bytes).unwrap(),
            None => fs::remove_file(&victim).unwrap(),
        }
        let output = lacuna(&["verify"], &run);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(findings(Some(&bytes)).0);
    for bytes in [Some(&b"other"[..]), None] {
        let (clean, report) = findings(bytes);
        assert!(!clean && report.contains(&name), "{report}");
    }
}

#[test]
fn pictures_that_were_encoded_anew_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path());
    let run = run(folder.path(), SIMULATED, &format!("{FILTERED}[files]\nreencode = true\n"));
    check_verdicts(&run, 16 * 4, is_filtered);

    let reader = Reader::open(&run.join("journal.jsonl")).unwrap();
    let study = reader.header().study.clone();
    let mut items = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut received = 0;
    let mut seen = Vec::new();
    for line in reader {
        match line.unwrap().2 {
            Entry::Decision(lacuna_model::Decision::ProbePlanned(probe)) => {
                items.insert(probe.id, probe.items[0]);
            }
            Entry::Fact(Fact::SendResult { probe, result: SendResult::Accepted { platform_id: Some(name) } }) => {
                names.insert(name.0, probe);
            }
            Entry::Fact(Fact::Observed(Observation { file: Some(file), platform_id: Some(name), .. })) => seen.push((name, file)),
            _ => {}
        }
    }
    for (name, file) in seen {
        let probe: ProbeId = names[&name.0];
        let sent = &study.item(items[&probe]).file.as_ref().unwrap().facts;
        let recognised = file.recognised.expect("it is recognised");
        assert_eq!(recognised.item, items[&probe], "{}", sent.name);
        assert!(recognised.distance.is_some());
        assert_eq!((file.facts.format.as_str(), file.facts.width), ("jpeg", sent.width));
        assert_ne!(file.facts.sha256, sent.sha256);
        assert!(run.join("files").join(&*file.facts.sha256).is_file());
        received += 1;
    }
    assert!(received > 16 * 2, "{received}");
}

#[cfg(feature = "servers")]
#[test]
fn a_real_server_that_filters_links_to_pictures_is_seen_through() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/servers/prosody");
    let account = |id: &str, region: &str, host: &str| {
        format!(
            "[[account]]\nid = \"{id}\"\nregistered-in = \"{region}\"\nlocated-in = \"{region}\"\naddress = \"{id}@{host}\"\n"
        )
    };
    let arm = |id: &str, senders: &str, recipients: &str, venue: &str| {
        format!("[[arm]]\nid = \"{id}\"\nsenders = [{senders}]\nrecipients = [{recipients}]\nvenue = \"{venue}\"\n")
    };
    let experiment = [
        "schema = 1\nname = \"pictures\"\ndesign = \"screen\"\nseed = 12\n".to_owned(),
        format!("[platform]\nadapter = \"xmpp\"\nlaunch = \"{}\"\npolicy = \"policy.toml\"\n", server.display()),
        account("cn-a", "CN", "cn.test"),
        account("cn-b", "CN", "cn.test"),
        account("us-a", "US", "us.test"),
        account("us-b", "US", "us.test"),
        arm("to-cn", "\"us-a\"", "\"cn-a\"", "direct"),
        arm("to-us", "\"cn-a\"", "\"us-a\"", "direct"),
        arm("group", "\"us-b\"", "\"cn-a\", \"cn-b\", \"us-a\"", "group"),
        "[corpora]\ncandidates = [\"candidates\"]\ncontrols = [\"controls\"]\n".to_owned(),
        "[watch]\ngrace = \"500ms\"\nlate = \"500ms\"\n".to_owned(),
    ];
    let policy = "schema = 1\nname = \"links\"\n\
        [[file-rule]]\nid = \"cn\"\nfilename = [\"forbidden\"]\nenforces = \"at-once\"\nwhen = { recipient-registered-in = [\"CN\"] }\n\
        [[file-rule]]\nid = \"us\"\nfilename = [\"闭门 (\"]\nenforces = \"at-once\"\nwhen = { recipient-registered-in = [\"US\"] }\n";
    let folder = tempfile::tempdir().unwrap();
    write_corpus(folder.path(), "candidates", &[]);
    write_corpus(folder.path(), "controls", &[]);
    add_pictures(folder.path(), "candidates", &[("fine", 6, ""), ("forbidden", 3, ""), ("闭门 (x)&", 3, "")]);
    add_pictures(folder.path(), "controls", &[("weather", 10, "")]);
    let run = run(folder.path(), &experiment.concat(), policy);
    check_verdicts(&run, 12 * 5, |item, recipient| {
        item.contains("forbidden") && recipient.starts_with("cn") || item.contains("named") && recipient.starts_with("us")
    });
    let received = check_bytes(&run);
    assert!(received.len() >= 12, "every picture arrived somewhere: {}", received.len());
    for row in table(&run, "received").iter().filter(|row| row["event"] == "message") {
        assert_eq!(row["text"], "", "the address is no caption");
    }
}
