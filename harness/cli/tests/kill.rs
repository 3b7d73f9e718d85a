//! `kill -9` at random moments of a run, then `--resume`.
//!
//! The platform is a `lacuna simulate` of its own; its log, written before a submission is answered, is the witness. However
//! the moment falls: no probe reached the platform twice, none that reached it is missing from the journal, and the
//! verdicts of the resumed run are right. The moments are drawn from a printed seed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lacuna_model::{Entry, Fact};
use lacuna_records::journal::Reader;
use lacuna_runner::live::client_ref;

#[path = "../../runner/tests/support/pictures.rs"]
mod pictures;
#[path = "../../runner/tests/support/mod.rs"]
mod support;
use pictures::add_pictures;
use support::write_corpus;

/// How often a run is killed, and how many are under way at a time.
const KILLS: u64 = 200;
const AT_A_TIME: u64 = 6;

/// How often one with pictures is.
const KILLS_WITH_PICTURES: u64 = 8;

/// The seed of the moments.
const SEED: u64 = 20_161_130;

fn lacuna() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What is sent.
#[derive(Clone, Copy)]
enum Sent {
    Texts,
    Pictures,
}

impl Sent {
    /// Verdicts of a run.
    fn rows(self) -> usize {
        match self {
            Self::Texts => 40 * 4,
            Self::Pictures => 12 * 4,
        }
    }
}

fn write_experiment(folder: &Path, sent: Sent) -> PathBuf {
    let finds = match sent {
        Sent::Texts => {
            write_corpus(folder, "candidates", &[("fine", 36), ("forbidden", 4)]);
            write_corpus(folder, "controls", &[("weather", 20)]);
            "[[rule]]\nid = \"r\"\nall = [\"forbidden\"]"
        }
        Sent::Pictures => {
            write_corpus(folder, "candidates", &[]);
            write_corpus(folder, "controls", &[]);
            add_pictures(folder, "candidates", &[("fine", 10, ""), ("forbidden", 2, "")]);
            add_pictures(folder, "controls", &[("weather", 12, "")]);
            "[[file-rule]]\nid = \"r\"\nfilename = [\"forbidden\"]\nenforces = \"at-once\""
        }
    };
    fs::write(
        folder.join("policy.toml"),
        format!(
            "schema = 1\nname = \"p\"\n{finds}\nwhen = {{ recipient-registered-in = [\"CN\"] }}\naction = \"drop\"\n\
         [network]\ndelay-median = \"3ms\"\ndelay-p99 = \"12ms\"\n"
        ),
    )
    .unwrap();
    let experiment = folder.join("experiment.toml");
    fs::write(
        &experiment,
        "schema = 1\nname = \"killed\"\ndesign = \"screen\"\nseed = 3\n[platform]\nadapter = \"simulator\"\nurl = \"http://127.0.0.1:1\"\n\
         [[account]]\nid = \"a\"\nregistered-in = \"CA\"\nlocated-in = \"CA\"\n[[account]]\nid = \"b\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n\
         [[account]]\nid = \"c\"\nregistered-in = \"DE\"\nlocated-in = \"DE\"\n\
         [[arm]]\nid = \"direct\"\nsenders = [\"a\"]\nrecipients = [\"b\", \"c\"]\nvenue = \"direct\"\n\
         [[arm]]\nid = \"group\"\nsenders = [\"c\"]\nrecipients = [\"a\", \"b\"]\nvenue = \"group\"\n\
         [corpora]\ncandidates = [\"candidates\"]\ncontrols = [\"controls\"]\n[watch]\ngrace = \"100ms\"\nlate = \"300ms\"\n",
    )
    .unwrap();
    experiment
}

/// A simulator in a process of its own, ended when the test is done with it.
struct Simulator {
    process: Child,
    url: String,
}

impl Simulator {
    fn start(folder: &Path) -> Self {
        let mut process = lacuna()
            .args(["simulate", "--listen", "127.0.0.1:0", "--policy"])
            .arg(folder.join("policy.toml"))
            .arg("--log")
            .arg(folder.join("witness.jsonl"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.contains("127.0.0.1")).expect("an address").to_owned();
        let url = if url.starts_with("http") { url } else { format!("http://{url}") };
        Self { process, url }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How often each of our names reached the platform.
fn witnessed(folder: &Path) -> BTreeMap<String, u32> {
    let log = fs::read_to_string(folder.join("witness.jsonl")).unwrap_or_default();
    let mut seen = BTreeMap::new();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        *seen.entry(line["client_ref"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    seen
}

/// Everything that reached the platform did so once and stands in the journal as started.
fn check_witness(folder: &Path, journal: &Path, seed: u64) {
    let reader = Reader::open(journal).unwrap();
    let run = reader.header().run_id.clone();
    let started = reader.map_while(Result::ok).filter_map(|(_, _, entry)| match entry {
        Entry::Fact(Fact::SendStarted { probe, .. }) => Some(client_ref(&run, probe)),
        _ => None,
    });
    let started: Vec<String> = started.collect();
    for (name, times) in witnessed(folder) {
        assert_eq!(times, 1, "seed {seed}: {name} reached the platform {times} times");
        assert!(started.contains(&name), "seed {seed}: {name} reached the platform and is not in the journal");
    }
}

fn check_verdicts(run: &Path, sent: Sent, seed: u64) {
    let table = fs::read_to_string(run.join("verdicts.csv")).unwrap();
    let mut rows = table.lines();
    let header: Vec<&str> = rows.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    let (item, recipient, verdict) = (column("item_id"), column("recipient_account"), column("verdict"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        let dropped = cells[item].contains("forbidden") && cells[recipient] == "b";
        assert_eq!(cells[verdict], if dropped { "dropped" } else { "delivered" }, "seed {seed}: {row}");
        count += 1;
    }
    assert_eq!(count, sent.rows(), "seed {seed}");
}

/// `SplitMix64`, for the moments.
fn draw(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The folder of the run under these results, once its journal is there.
fn run_folder(results: &Path) -> Option<PathBuf> {
    let run = fs::read_dir(results.join("killed")).ok()?.next()?.ok()?.path();
    run.join("journal.jsonl").exists().then_some(run)
}

/// How long a run takes from its journal's first line to its end, undisturbed.
fn undisturbed(sent: Sent) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let experiment = write_experiment(folder, sent);
    let simulator = Simulator::start(folder);
    let results = folder.join("results");
    let mut process = lacuna()
        .arg("run")
        .arg(&experiment)
        .args(["--set", &format!("platform.url={}", simulator.url), "--results"])
        .arg(&results)
        .spawn()
        .unwrap();
    while run_folder(&results).is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    assert!(process.wait().unwrap().success());
    began.elapsed()
}

/// `true` if the run was killed on its way.
fn one_kill(seed: u64, sent: Sent, longest: Duration) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let experiment = write_experiment(folder, sent);
    let simulator = Simulator::start(folder);
    let results = folder.join("results");
    fs::create_dir(&results).unwrap();
    let url = format!("platform.url={}", simulator.url);
    let run = |resume: Option<&Path>| {
        let mut command = lacuna();
        command.arg("run").arg(&experiment).arg("--set").arg(&url).arg("--results").arg(&results);
        if let Some(run) = resume {
            command.arg("--resume").arg(run);
        }
        command
    };
    let mut process = run(None).spawn().unwrap();
    while run_folder(&results).is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(longest.mul_f64(draw(seed) as f64 / u64::MAX as f64));
    process.kill().unwrap();
    process.wait().unwrap();

    let found = run_folder(&results).unwrap();
    let journal = found.join("journal.jsonl");
    if Reader::open(&journal).is_err() {
        assert!(witnessed(folder).is_empty(), "seed {seed}: something was sent without a journal");
        return false;
    }
    check_witness(folder, &journal, seed);
    let sealed = fs::read_to_string(&journal).unwrap().lines().last().is_some_and(|line| line.contains("\"entry\":\"sealed\""));
    if !sealed {
        let output = run(Some(&found)).output().unwrap();
        assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stderr));
        check_witness(folder, &journal, seed);
    } else if !found.join("manifest.json").exists() {
        // Killed between the seal and the derived files.
        assert!(lacuna().arg("analyze").arg(&found).status().unwrap().success(), "seed {seed}");
    }
    if !lacuna().arg("verify").arg(&found).status().unwrap().success() {
        // Killed while the derived files were being written: deriving them again is all that it takes.
        assert!(
            sealed && lacuna().arg("analyze").arg(&found).status().unwrap().success(),
            "seed {seed}: not clean after a resume"
        );
        assert!(lacuna().arg("verify").arg(&found).status().unwrap().success(), "seed {seed}: not clean");
    }
    check_verdicts(&found, sent, seed);
    !sealed
}

#[test]
fn a_killed_run_with_pictures_goes_on_from_its_folder() {
    let longest = undisturbed(Sent::Pictures);
    println!("moments from seed {SEED}, over {longest:?}");
    let resumed = (0..KILLS_WITH_PICTURES).filter(|kill| one_kill(SEED + kill, Sent::Pictures, longest)).count();
    assert!(resumed > 0, "the moments miss the run");
}

#[test]
fn a_killed_run_loses_nothing_and_repeats_nothing() {
    let longest = undisturbed(Sent::Texts);
    println!("moments from seed {SEED}, over {longest:?}");
    let next = AtomicU64::new(0);
    let resumed = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let kill = next.fetch_add(1, Ordering::Relaxed);
                    if kill >= KILLS {
                        break;
                    }
                    resumed.fetch_add(u64::from(one_kill(SEED + kill, Sent::Texts, longest)), Ordering::Relaxed);
                }
            });
        }
    });
    let resumed = resumed.into_inner();
    println!("{resumed} of {KILLS} runs were killed on their way and resumed");
    assert!(resumed > KILLS * 3 / 4, "the moments miss the run: {resumed} of {KILLS}");
}
