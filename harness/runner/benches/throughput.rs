//! How fast the whole harness is: live runs over loopback sockets with the journal synced, and runs in virtual time.
//!
//! `cargo bench -p lacuna-runner --bench throughput` prints a table; each case runs in a process of its own, so that its
//! peak memory is its own (simulator and harness together). The cases are seeded; the times are this machine's.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends loudly")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use lacuna_design::{Engine, Progress};
use lacuna_records::experiment::{self, Experiment};
use lacuna_runner::registration::Registration;
use lacuna_runner::run::{RunRequest, run};
use lacuna_runner::virtual_time;
use tokio_util::sync::CancellationToken;

/// name, sending accounts, probes, policy of the network.
const CASES: &[(&str, usize, usize, &str)] = &[
    ("live, no delay, 4 senders", 4, 100_000, ""),
    ("live, no delay, 16 senders", 16, 100_000, ""),
    ("live, no delay, 64 senders", 64, 100_000, ""),
    ("live, 20 ms median, 1 % loss, 16 senders", 16, 16_000, "loss = 0.01\ndelay-median = \"20ms\"\ndelay-p99 = \"200ms\"\n"),
    ("virtual, no delay, 16 senders", 16, 1_000_000, ""),
    (
        "virtual, 20 ms median, 1 % loss, 16 senders",
        16,
        1_000_000,
        "loss = 0.01\ndelay-median = \"20ms\"\ndelay-p99 = \"200ms\"\n",
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(case) = arguments.iter().position(|it| it == "--case").and_then(|place| arguments.get(place + 1)) {
        one(case.parse().expect("a number"));
        return;
    }
    println!("{}", machine());
    println!("fdatasync of a 4 kB append: {}", sync_time());
    println!(
        "{:<46} {:>8} {:>9} {:>9} {:>10} {:>8} {:>9} {:>9}",
        "case", "probes", "controls", "wall s", "probes/s", "cpu s", "peak MB", "ms/item"
    );
    let me = std::env::current_exe().expect("a path");
    for case in 0..CASES.len() {
        let status = Command::new(&me).args(["--case", &case.to_string()]).status().expect("a process");
        assert!(status.success());
    }
}

fn one(case: usize) {
    let (name, senders, probes, network) = CASES[case];
    let folder = tempfile::Builder::new().prefix("lacuna-bench-").tempdir_in(target_folder()).expect("a folder");
    let experiment = experiment(folder.path(), senders, probes / senders, network);
    let items = experiment.study.items.len() - 60;
    let began = Instant::now();
    let (progress, listened) =
        if name.starts_with("live") { live(experiment, folder.path()) } else { in_virtual_time(&experiment) };
    // What is only waiting at the end is not throughput.
    let wall = began.elapsed().as_secs_f64() - listened;
    let sent = progress.sent as f64;
    println!(
        "{name:<46} {:>8} {:>9} {wall:>9.2} {:>10.0} {:>8.2} {:>9.0} {:>9.3}",
        progress.sent,
        progress.controls,
        sent / wall,
        cpu_seconds(),
        peak_megabytes(),
        wall * 1000.0 / items as f64,
    );
}

fn live(experiment: Experiment, folder: &Path) -> (Progress, f64) {
    lacuna_platform::tls::install_provider();
    let late = experiment.study.watch.late.as_secs_f64();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (progress, _) = tokio::sync::watch::channel(Progress::default());
    let request = RunRequest {
        experiment,
        results: folder.join("results"),
        resume: None,
        registration: Registration::default(),
        build: None,
    };
    fs::create_dir_all(folder.join("results")).expect("a folder");
    let summary = runtime.block_on(run(request, CancellationToken::new(), progress, |_| {})).expect("a run");
    (summary.progress, late)
}

fn in_virtual_time(experiment: &Experiment) -> (Progress, f64) {
    let study = std::sync::Arc::new(experiment.study.clone());
    let policy = experiment.policy.clone().expect("a policy");
    let engine: Engine = virtual_time::run(&study, &policy, &[], &mut |_, _| {});
    (engine.progress(), 0.0)
}

fn experiment(folder: &Path, senders: usize, items: usize, network: &str) -> Experiment {
    let mut text = String::from(
        "schema = 1\nname = \"throughput\"\ndesign = \"screen\"\nseed = 7\n[platform]\nadapter = \"simulator\"\npolicy = \"policy.toml\"\n\
         [corpora]\ncandidates = [\"candidates\"]\ncontrols = [\"controls\"]\n[watch]\ngrace = \"1s\"\nlate = \"1s\"\n\
         [safety]\nmax-messages = 100000000\nmax-messages-per-account-per-day = 100000000\n",
    );
    for sender in 0..senders {
        for (kind, region) in [("s", "CA"), ("r", "CN")] {
            writeln!(text, "[[account]]\nid = \"{kind}{sender}\"\nregistered-in = \"{region}\"\nlocated-in = \"{region}\"")
                .expect("text");
        }
        writeln!(
            text,
            "[[arm]]\nid = \"arm{sender}\"\nsenders = [\"s{sender}\"]\nrecipients = [\"r{sender}\"]\nvenue = \"direct\""
        )
        .expect("text");
    }
    fs::write(folder.join("experiment.toml"), text).expect("a file");
    fs::write(
        folder.join("policy.toml"),
        format!("schema = 1\nname = \"open\"\n[[rule]]\nid = \"r\"\nall = [\"nothing of this\"]\naction = \"drop\"\n[network]\n{network}"),
    )
    .expect("a file");
    for (name, count) in [("candidates", items), ("controls", 60)] {
        let corpus = folder.join(name);
        fs::create_dir(&corpus).expect("a folder");
        fs::write(
            corpus.join("corpus.toml"),
            format!("id = \"{name}\"\ntitle = \"{name}\"\nversion = \"1\"\nlicence = \"CC0-1.0\"\nsource = \"made\"\ncitation = \"none\"\nlanguage = \"en\"\ncontent-warning = \"none\"\n"),
        )
        .expect("a file");
        let mut rows = fs::File::create(corpus.join("items.csv")).expect("a file");
        writeln!(rows, "item_id,kind,text,file,language,category,expected,source_url,date_added,notes").expect("a line");
        for item in 0..count {
            writeln!(rows, "i{item},text,{name} number {item} of a list that is sent,,en,made,,,2026-11-22,").expect("a line");
        }
    }
    let (experiment, problems) = experiment::load(&folder.join("experiment.toml"), lacuna_platform::ADAPTERS, &[], &|_| Ok(()));
    assert!(problems.is_empty(), "{problems:?}");
    experiment.expect("an experiment")
}

/// On the disk of the build, not in a folder that may be memory.
fn target_folder() -> PathBuf {
    std::env::current_exe().expect("a path").parent().expect("a folder").to_owned()
}

fn sync_time() -> String {
    let folder = tempfile::tempdir_in(target_folder()).expect("a folder");
    let mut file = fs::File::create(folder.path().join("sync")).expect("a file");
    let mut times: Vec<u128> = (0..500)
        .map(|_| {
            file.write_all(&[b'x'; 4096]).expect("a write");
            let began = Instant::now();
            file.sync_data().expect("a sync");
            began.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    format!("median {} us, 99th percentile {} us", times[250], times[495])
}

fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1))
        .unwrap_or("?")
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{cores} cores, {model}")
}

fn status(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find(|line| line.starts_with(key))
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|it| it.parse().ok())
        .unwrap_or(0.0)
}

fn peak_megabytes() -> f64 {
    status("VmHWM") / 1024.0
}

/// User and system time of this process, in seconds; fields 14 and 15 of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
