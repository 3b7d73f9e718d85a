//! A platform that goes away in the middle of a run and comes back, over sockets: nothing is called dropped that is not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use lacuna_design::Progress;
use lacuna_model::{Outcome, Verdict};
use lacuna_records::experiment::{self, Experiment};
use lacuna_runner::registration::Registration;
use lacuna_runner::run::{RunEnd, RunRequest, run};
use lacuna_simulator::http::Server;
use tokio_util::sync::CancellationToken;

mod support;
use support::write_corpus;

/// How long the platform is away.
const AWAY: Duration = Duration::from_secs(5);

fn write_experiment(folder: &Path, url: &str) -> Experiment {
    write_corpus(folder, "candidates", &[("fine", 300), ("forbidden", 6)]);
    write_corpus(folder, "controls", &[("weather", 30)]);
    fs::write(
        folder.join("experiment.toml"),
        format!(
            "schema = 1\nname = \"outage\"\ndesign = \"screen\"\nseed = 5\n[platform]\nadapter = \"simulator\"\nurl = \"{url}\"\n\
             [[account]]\nid = \"a\"\nregistered-in = \"CA\"\nlocated-in = \"CA\"\n[[account]]\nid = \"b\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n\
             [[arm]]\nid = \"a-to-b\"\nsenders = [\"a\"]\nrecipients = [\"b\"]\nvenue = \"direct\"\n\
             [corpora]\ncandidates = [\"candidates\"]\ncontrols = [\"controls\"]\n\
             [decision]\npooling = \"off\"\n[watch]\ngrace = \"300ms\"\nlate = \"300ms\"\n"
        ),
    )
    .unwrap();
    let (experiment, problems) = experiment::load(&folder.join("experiment.toml"), lacuna_platform::ADAPTERS, &[], &|_| Ok(()));
    assert!(problems.is_empty(), "{problems:#?}");
    experiment.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_away_for_a_while_drops_nothing() {
    lacuna_platform::tls::install_provider();
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("policy.toml"),
        "schema = 1\nname = \"p\"\n[[rule]]\nid = \"r\"\nall = [\"forbidden\"]\naction = \"drop\"\n[network]\ndelay-median = \"10ms\"\ndelay-p99 = \"40ms\"\n",
    )
    .unwrap();
    let policy = lacuna_records::policy::load(&folder.path().join("policy.toml")).0.unwrap();
    let server = Server::start(&policy, 5, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None).await.unwrap();
    let address = server.addr();
    let experiment = write_experiment(folder.path(), &format!("http://{address}"));
    let study = experiment.study.clone();
    let request = RunRequest {
        experiment,
        results: folder.path().to_owned(),
        resume: None,
        registration: Registration::default(),
        build: None,
    };
    let (progress, mut watched) = tokio::sync::watch::channel(Progress::default());
    let running = tokio::spawn(run(request, CancellationToken::new(), progress, |_| {}));

    watched.wait_for(|progress| progress.sent >= 100).await.unwrap();
    let world = server.stop().await;
    tokio::time::sleep(AWAY).await;
    let server = Server::resume(world, address).await.unwrap();

    let summary = running.await.unwrap().unwrap();
    server.stop().await;
    assert_eq!(summary.end, RunEnd::Done);
    for record in &summary.verdicts {
        let forbidden = study.item(record.unit.item).message.starts_with("forbidden");
        assert_eq!(record.verdict, if forbidden { Verdict::Dropped } else { Verdict::Delivered }, "{record:?}");
    }
    let progress = summary.progress;
    let disturbed =
        progress.count(Outcome::SendFailed) + progress.count(Outcome::UnknownSubmission) + progress.count(Outcome::Void);
    assert!(disturbed > 0, "the outage was not noticed: {progress:?}");
}
