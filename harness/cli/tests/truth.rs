//! The repository's own experiments, run as a user runs them: every verdict must be what the policy says.
//!
//! The quickstart runs against the built-in simulator over loopback. With the feature `servers`, the same is asked of a real
//! XMPP server that filters by rules made from the policy: there the filter is somebody else's code.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lacuna_model::policy::Action;
use lacuna_model::{Study, Timestamp};
use lacuna_records::experiment::{self, Experiment};
use lacuna_simulator::world::{AccountProfile, World};

mod support;

use support::table;

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments")
}

/// Runs an experiment of the repository and returns it with the folder of the run.
fn run(name: &str, results: &Path) -> (Experiment, PathBuf) {
    run_file(&experiments().join(name), &[], results)
}

/// Runs an experiment file with some keys set otherwise.
fn run_file(file: &Path, set: &[String], results: &Path) -> (Experiment, PathBuf) {
    let (experiment, problems) = experiment::load(file, lacuna_platform::ADAPTERS, set, &|_| Ok(()));
    assert!(problems.is_empty(), "{problems:#?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.arg("run").arg(file).arg("--results").arg(results);
    for set in set {
        command.args(["--set", set]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let experiment = experiment.unwrap();
    let run = fs::read_dir(results.join(&experiment.study.name)).unwrap().next().unwrap().unwrap().path();
    (experiment, run)
}

/// What the policy does to an item on an arm for a recipient, as a verdict.
fn truth(experiment: &Experiment) -> BTreeMap<(String, String, String), &'static str> {
    let study: &Study = &experiment.study;
    let mut world = World::new(experiment.policy.as_ref().unwrap(), study.seed, Timestamp(0));
    let members: Vec<_> = study
        .accounts
        .iter()
        .map(|account| {
            let (registered_in, located_in) = (account.registered_in, account.located_in);
            world.add_account(AccountProfile { id: account.id.clone(), registered_in, located_in })
        })
        .collect();
    let places: Vec<_> = study
        .venues
        .iter()
        .map(|venue| world.add_venue(venue.kind, &venue.members.iter().map(|member| members[member.get()]).collect::<Vec<_>>()))
        .collect();
    let mut truth = BTreeMap::new();
    for item in &study.items {
        for channel in &study.channels {
            for recipient in &channel.recipients {
                let (sender, place) = (members[channel.sender.get()], places[channel.venue.get()]);
                let rule = world.rule_for(sender, members[recipient.get()], place, &item.message);
                let verdict = match rule.map(|rule| rule.action) {
                    None => "delivered",
                    Some(Action::Drop) => "dropped",
                    Some(Action::Refuse) => "refused",
                    Some(Action::Mask) => "altered",
                    Some(Action::Retract) => "retracted",
                    Some(Action::Hold) => "delayed",
                };
                let key = (item.id.to_string(), study.arm(channel.arm).id.to_string(), study.account(*recipient).id.to_string());
                let before = truth.insert(key, verdict);
                assert!(before.is_none_or(|before| before == verdict), "the senders of an arm differ in {}", item.id);
            }
        }
    }
    truth
}

/// Compares every verdict, and returns how often each was claimed.
fn compare(experiment: &Experiment, run: &Path) -> BTreeMap<String, usize> {
    let truth = truth(experiment);
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for row in table(run, "verdicts") {
        let key = (row["item_id"].clone(), row["arm_id"].clone(), row["recipient_account"].clone());
        if truth[&key] != row["verdict"] {
            wrong.push(format!("{key:?}: {} instead of {}", row["verdict"], truth[&key]));
        }
        *seen.entry(row["verdict"].clone()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    seen
}

#[test]
fn the_quickstart_says_what_its_policy_does() {
    let results = tempfile::tempdir().unwrap();
    let (experiment, run) = run("quickstart.toml", results.path());
    let seen = compare(&experiment, &run);
    for verdict in ["delivered", "delayed", "dropped", "refused", "altered", "retracted"] {
        assert!(seen.contains_key(verdict), "{verdict} was never claimed: {seen:?}");
    }
    let outcomes: BTreeSet<String> = table(&run, "outcomes").into_iter().map(|row| row["outcome"].clone()).collect();
    for outcome in ["delivered", "delivered_late", "dropped", "refused", "altered", "retracted"] {
        assert!(outcomes.contains(outcome), "{outcome} was never seen: {outcomes:?}");
    }
}

#[cfg(feature = "servers")]
#[test]
fn a_real_server_does_what_its_policy_says_and_lacuna_sees_it() {
    let results = tempfile::tempdir().unwrap();
    let (experiment, run) = run("xmpp-regions.toml", results.path());
    let seen = compare(&experiment, &run);
    for verdict in ["delivered", "dropped", "refused"] {
        assert!(seen.contains_key(verdict), "{verdict} was never claimed: {seen:?}");
    }

    // A rule that holds for one region only: the same item, the same group message, two recipients, two verdicts.
    let rows = table(&run, "verdicts");
    let mut by_message: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        by_message.entry((&row["item_id"], &row["arm_id"])).or_default().insert(&row["verdict"]);
    }
    assert!(by_message.values().any(|verdicts| verdicts.contains("dropped") && verdicts.contains("delivered")));

    // Whatever arrived is what was sent, to the byte.
    let sent: BTreeMap<_, _> = table(&run, "sent").into_iter().map(|row| (row["probe_id"].clone(), row)).collect();
    let received: BTreeMap<_, _> = table(&run, "received").into_iter().map(|row| (row["sequence"].clone(), row)).collect();
    let mut texts = String::new();
    let mut longest = 0;
    for outcome in table(&run, "outcomes").iter().filter(|row| row["outcome"] == "delivered") {
        let (sent, received) = (&sent[&outcome["probe_id"]], &received[&outcome["received_sequence"]]);
        assert_eq!(sent["text"], received["text"]);
        longest = longest.max(sent["text"].chars().count());
        texts.push_str(&sent["text"]);
    }
    assert!(longest >= 4_000, "{longest}");
    for difficult in ["<", ">", "&", "\"", "'", "\n", "中", "🐼"] {
        assert!(texts.contains(difficult), "no text with {difficult:?} arrived");
    }
}

/// A longer list, of which little is blocked: neutral texts, and those of the repository's list that no other word can switch off.
#[cfg(feature = "servers")]
fn write_long_list(folder: &Path) {
    let short = experiments().join("../corpora/xmpp-regions");
    let corpus = fs::read_to_string(short.join("corpus.toml")).unwrap().replace("xmpp-regions", "xmpp-long");
    fs::write(folder.join("corpus.toml"), corpus).unwrap();
    let mut reader = csv::Reader::from_path(short.join("items.csv")).unwrap();
    let mut writer = csv::Writer::from_path(folder.join("items.csv")).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    for row in reader.records().map(Result::unwrap).filter(|row| row[2].chars().count() < 100 && !row[2].contains("旅游节")) {
        writer.write_record(&row).unwrap();
    }
    for number in 0..150 {
        let text = format!("第{number}号电影的票房");
        writer.write_record([&format!("n{number:03}"), "text", &text, "", "zh-Hans", "film", "", "", "", ""]).unwrap();
    }
    writer.flush().unwrap();
}

#[cfg(feature = "servers")]
#[test]
fn on_a_real_server_verdicts_are_the_same_pooled_and_unpooled() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("long");
    fs::create_dir(&list).unwrap();
    write_long_list(&list);
    let file = experiments().join("xmpp-regions.toml");
    let mut verdicts = Vec::new();
    let mut sent = Vec::new();
    for pooling in ["off", "auto"] {
        let results = folder.path().join(pooling);
        let list = format!("corpora.candidates=[{:?}]", list.to_str().unwrap());
        let (experiment, run) = run_file(&file, &[list, format!("decision.pooling={pooling}")], &results);
        let seen = compare(&experiment, &run);
        assert!(seen["dropped"] > 20, "{seen:?}");
        let claims: BTreeMap<_, _> = table(&run, "verdicts")
            .into_iter()
            .map(|row| {
                ((row["item_id"].clone(), row["arm_id"].clone(), row["recipient_account"].clone()), row["verdict"].clone())
            })
            .collect();
        verdicts.push(claims);
        sent.push(table(&run, "sent").len());
    }
    assert_eq!(verdicts[0], verdicts[1]);
    println!("{} units: {} messages unpooled, {} pooled", verdicts[0].len(), sent[0], sent[1]);
    assert!(sent[1] < sent[0], "{sent:?}");
}
