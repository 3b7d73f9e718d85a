//! The power fails in the middle of a run: what was not synced is gone.
//!
//! The journal stands on a disk that forgets unsynced bytes; the simulator's log is the witness of what reached the platform.
//! Whatever the moment: nothing reached the platform that the surviving journal does not hold as started, the run can be
//! resumed from what survived, no probe reaches the platform twice, and the verdicts are right in the end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lacuna_design::{ENGINE_VERSION, Engine, Progress};
use lacuna_inference::verdicts;
use lacuna_model::{AccountIx, Entry, Fact, ProbeId, RunId, Timestamp, VenueKind, Verdict};
use lacuna_platform::{Platform, ResolvedSetting, ResolvedSettings};
use lacuna_records::contents::Contents;
use lacuna_records::experiment::{self, Experiment};
use lacuna_records::journal::{self, Encoder, Header, Reader, Storage, VolatileStorage};
use lacuna_runner::live::{Allowance, Clock, LiveError, LiveRun, client_ref, drive};
use lacuna_runner::replay::replay;
use lacuna_simulator::http::Server;
use rand::RngExt;
use tokio_util::sync::CancellationToken;

mod support;
use support::write_corpus;

/// How often the power fails.
const FAILURES: u64 = 40;

struct Unlimited;

impl Allowance for Unlimited {
    fn sent_on(&mut self, _: i64) -> std::io::Result<Vec<u64>> {
        Ok(vec![0; 2])
    }
    fn spend(&mut self, _: AccountIx, _: i64) -> std::io::Result<()> {
        Ok(())
    }
    fn expose(&mut self, _: Timestamp, _: &[(Arc<str>, VenueKind)]) -> std::io::Result<()> {
        Ok(())
    }
    fn settle(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write_experiment(folder: &Path) -> Experiment {
    write_corpus(folder, "candidates", &[("fine", 60), ("forbidden", 4)]);
    write_corpus(folder, "controls", &[("weather", 20)]);
    fs::write(
        folder.join("policy.toml"),
        "schema = 1\nname = \"p\"\n[[rule]]\nid = \"r\"\nall = [\"forbidden\"]\naction = \"drop\"\n[network]\ndelay-median = \"2ms\"\ndelay-p99 = \"8ms\"\n",
    )
    .unwrap();
    fs::write(
        folder.join("experiment.toml"),
        "schema = 1\nname = \"durability\"\ndesign = \"screen\"\nseed = 3\n[platform]\nadapter = \"simulator\"\npolicy = \"policy.toml\"\n\
         [[account]]\nid = \"a\"\nregistered-in = \"CA\"\nlocated-in = \"CA\"\n[[account]]\nid = \"b\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n\
         [[arm]]\nid = \"a-to-b\"\nsenders = [\"a\"]\nrecipients = [\"b\"]\nvenue = \"direct\"\n\
         [corpora]\ncandidates = [\"candidates\"]\ncontrols = [\"controls\"]\n[watch]\ngrace = \"100ms\"\nlate = \"150ms\"\n",
    )
    .unwrap();
    let (experiment, problems) = experiment::load(&folder.join("experiment.toml"), lacuna_platform::ADAPTERS, &[], &|_| Ok(()));
    assert!(problems.is_empty(), "{problems:#?}");
    experiment.unwrap()
}

/// How often each of our names reached the platform.
fn witnessed(log: &Path) -> BTreeMap<String, u32> {
    let mut seen = BTreeMap::new();
    for line in fs::read_to_string(log).unwrap_or_default().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        *seen.entry(line["client_ref"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    seen
}

/// The names of the probes that a journal holds as started.
fn started(journal: &[u8], run: &RunId) -> BTreeSet<String> {
    let reader = Reader::new(Path::new("journal.jsonl"), journal).unwrap();
    let entries = reader.map_while(Result::ok);
    let probes = entries.filter_map(|(_, _, entry)| match entry {
        Entry::Fact(Fact::SendStarted { probe, .. }) => Some(probe),
        _ => None,
    });
    probes.map(|probe: ProbeId| client_ref(run, probe)).collect()
}

fn live_run<S: Storage>(engine: Engine, run_id: &RunId, encoder: Encoder, storage: S, platform: Arc<dyn Platform>) -> LiveRun<S> {
    LiveRun {
        cursors: vec![None; 2],
        engine,
        run_id: run_id.clone(),
        encoder,
        storage,
        pending: Vec::new(),
        epoch: 0,
        resumed_by: None,
        platform,
        // Texts alone: nothing is kept there.
        contents: Contents::open(Path::new("no-files"), 0).unwrap(),
        allowance: Box::new(Unlimited),
        clock: Clock::start(Timestamp(0)),
        stop: CancellationToken::new(),
        progress: tokio::sync::watch::channel(Progress::default()).0,
    }
}

async fn one_failure(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let study = Arc::new(experiment.study.clone());
    let log = folder.path().join("witness.jsonl");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::start(experiment.policy.as_ref().unwrap(), seed, address, Some(&log)).await.unwrap();
    let mut settings = ResolvedSettings::default();
    settings.set("url", ResolvedSetting::Text(format!("http://{}", server.addr())));
    let accounts = vec![ResolvedSettings::default(); 2];
    let open = || -> Arc<dyn Platform> {
        Arc::from(lacuna_platform::open("simulator", Arc::clone(&study), &settings, &accounts).unwrap())
    };
    let mut random = lacuna_design::generator(seed, &["power"]);
    let run_id = RunId::new(format!("power-{seed}"));
    let header = Header {
        run_id: run_id.clone(),
        engine_version: ENGINE_VERSION,
        lacuna_version: "test".to_owned(),
        build: None,
        overrides: None,
        opened_at: Timestamp(0),
        study: Arc::clone(&study),
        inputs: Vec::new(),
        deviation: None,
    };
    let (encoder, first_line) = Encoder::new(&header);
    let storage = VolatileStorage::new(first_line);

    // The power fails at a random moment, and may leave a torn piece of what was not synced.
    let (moment, torn) = (Duration::from_micros(random.random_range(500..700_000)), random.random_range(0..400usize));
    let disk = storage.clone();
    let failure = tokio::spawn(async move {
        tokio::time::sleep(moment).await;
        disk.crash(torn)
    });
    let before = Box::pin(drive(live_run(Engine::new(Arc::clone(&study)), &run_id, encoder, storage, open()))).await;
    let survived = failure.await.unwrap();
    let held = started(&survived, &run_id);
    // What the platform saw was on disk before; a torn tail may hold more than was synced, never less.
    for name in witnessed(&log).keys() {
        assert!(held.contains(name), "seed {seed}: {name} reached the platform and is not in the journal");
    }
    if before.is_ok() {
        server.stop().await;
        return;
    }

    // Resume from what survived.
    let path = folder.path().join("journal.jsonl");
    fs::write(&path, &survived).unwrap();
    let scan = journal::recover(&path).unwrap().scan;
    let replayed = replay(&path).unwrap();
    let mut encoder = scan.encoder;
    let mut pending = Vec::new();
    for decision in replayed.unwritten {
        encoder.append(replayed.last_at, &Entry::Decision(decision), &mut pending);
    }
    let storage = VolatileStorage::new(fs::read(&path).unwrap());
    let run = LiveRun {
        pending,
        epoch: replayed.next_epoch,
        cursors: replayed.cursors,
        clock: Clock::start(replayed.last_at),
        ..live_run(replayed.engine, &run_id, encoder, storage, open())
    };
    let end = Box::pin(drive(run)).await.unwrap();
    server.stop().await;
    let journal = end.storage.crash(0);
    let held = started(&journal, &run_id);
    for (name, times) in witnessed(&log) {
        assert_eq!(times, 1, "seed {seed}: {name} reached the platform {times} times");
        assert!(held.contains(&name), "seed {seed}: {name} reached the platform and is not in the journal");
    }
    for record in verdicts::derive(end.engine.evidence()) {
        let forbidden = study.item(record.unit.item).message.starts_with("forbidden");
        let truth = if forbidden { Verdict::Dropped } else { Verdict::Delivered };
        assert_eq!(record.verdict, truth, "seed {seed}: {record:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_that_is_not_on_disk_and_nothing_leaves_twice() {
    lacuna_platform::tls::install_provider();
    let mut running = tokio::task::JoinSet::new();
    for seed in 0..FAILURES {
        running.spawn(one_failure(seed));
        if running.len() >= 8 {
            running.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// A disk on which so many bytes more find a place.
struct SmallDisk(usize);

impl Storage for SmallDisk {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(())
    }
    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let study = Arc::new(experiment.study.clone());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::start(experiment.policy.as_ref().unwrap(), 1, address, None).await.unwrap();
    let mut settings = ResolvedSettings::default();
    settings.set("url", ResolvedSetting::Text(format!("http://{}", server.addr())));
    let accounts = vec![ResolvedSettings::default(); 2];
    let platform = Arc::from(lacuna_platform::open("simulator", Arc::clone(&study), &settings, &accounts).unwrap());
    let run_id = RunId::new("full-disk");
    let header = Header {
        run_id: run_id.clone(),
        engine_version: ENGINE_VERSION,
        lacuna_version: "test".to_owned(),
        build: None,
        overrides: None,
        opened_at: Timestamp(0),
        study: Arc::clone(&study),
        inputs: Vec::new(),
        deviation: None,
    };
    let (encoder, _) = Encoder::new(&header);
    let ended = Box::pin(drive(live_run(Engine::new(study), &run_id, encoder, SmallDisk(10_000), platform))).await;
    server.stop().await;
    match ended.err() {
        Some(LiveError::Journal(error)) => assert_eq!(error.kind(), std::io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    }
}
