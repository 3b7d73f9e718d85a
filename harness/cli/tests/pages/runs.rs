//! Small runs of every kind, and so pages of every kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::policy::{FileHandling, Network, Policy};
use lacuna_model::{Duration, Study};
use lacuna_runner::generated::{ExposedFiles, Searched};

use crate::support::experiments::{SIX_PICTURES, TWO_PICTURES, drops_names, hostile_experiment, pair, write_pictures};

use crate::support::{ended, file, run, succeed};

#[path = "../../../runner/tests/virtual_time/run.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod driven;

/// The run of the tests' small experiment.
pub fn screen(folder: &Path) -> PathBuf {
    run(&file("experiments/small.toml"), &folder.join("results"), &[])
}

/// The folders of the runs.
pub fn of_every_kind(folder: &Path) -> Vec<PathBuf> {
    let screen = screen(folder);
    vec![
        interrupted(&screen, &folder.join("interrupted")),
        screen,
        stopped(folder),
        hostile(folder),
        with_pictures(folder),
        about_pictures(folder),
        about_texts(&folder.join("texts")),
        about_exposure(&folder.join("exposure")),
    ]
}

/// A run that stopped at its budget, with most of its questions open.
fn stopped(folder: &Path) -> PathBuf {
    let settings = ["--set", "safety.max-messages=5"];
    let (code, run) = ended(&file("experiments/small.toml"), &folder.join("results"), &settings);
    assert_eq!(code, 4);
    run
}

/// A journal that ends in the middle.
fn interrupted(run: &Path, folder: &Path) -> PathBuf {
    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    derived(folder, journal.split_inclusive('\n').take(journal.lines().count() / 2).collect::<String>())
}

fn derived(folder: &Path, journal: impl AsRef<[u8]>) -> PathBuf {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("journal.jsonl"), journal).unwrap();
    succeed(&["analyze".as_ref(), folder.as_os_str()]);
    folder.to_owned()
}

/// Messages to conversations and to a group, whose texts, categories and question want to be markup.
fn hostile(folder: &Path) -> PathBuf {
    const GROUP: &str =
        "[[arm]]\nid = \"group\"\nsenders = [\"intl-a\"]\nrecipients = [\"intl-b\", \"cn-a\"]\nvenue = \"group\"\n";
    let path = hostile_experiment(folder);
    let experiment = fs::read_to_string(&path).unwrap();
    let experiment = experiment
        .replace("[corpora]", &format!("{GROUP}[corpora]"))
        .replace("\"What becomes of six texts?\"", "'</h1></title><script>alert(\"1\")</script> & &amp; <!--'");
    fs::write(&path, experiment).unwrap();
    run(&path, &folder.join("results"), &[])
}

fn with_pictures(folder: &Path) -> PathBuf {
    let folder = folder.join("pictures");
    write_pair_of_pictures(&folder, "screen", "");
    run(&folder.join("experiment.toml"), &folder.join("results"), &[])
}

fn about_pictures(folder: &Path) -> PathBuf {
    let folder = folder.join("mechanism");
    write_pair_of_pictures(&folder, "mechanism", "[mechanism]\nwait = \"100ms\"\n");
    let (code, run) = ended(&folder.join("experiment.toml"), &folder.join("results"), &[]);
    // Only a battery would tell all.
    assert!(matches!(code, 0 | 3), "{code}");
    run
}

fn write_pair_of_pictures(folder: &Path, design: &str, more: &str) {
    fs::create_dir(folder).unwrap();
    write_pictures(folder, "candidates", 0, &TWO_PICTURES);
    write_pictures(folder, "controls", 1_000, &SIX_PICTURES);
    fs::write(folder.join("policy.toml"), drops_names("two")).unwrap();
    fs::write(folder.join("experiment.toml"), pair("pictures", design, more)).unwrap();
}

/// In virtual time: what is in the files does not matter to the page.
fn driven((study, policy): (Study, Policy), folder: &Path) -> PathBuf {
    derived(folder, driven::Run::drive(&Arc::new(study), &policy, &[]).sealed_journal())
}

fn about_texts(folder: &Path) -> PathBuf {
    let text = "First <b>one</b> & then \u{202e}two, and </mark> much later three & four of them.";
    let rule = ["<b>one</b>", "</mark>"].map(str::to_owned).to_vec();
    let seed = 20_261_122;
    driven(Searched { seed, texts: vec![text.to_owned()], rules: vec![rule], known: Vec::new(), network: quick() }.make(), folder)
}

fn about_exposure(folder: &Path) -> PathBuf {
    let (learns_after, delays) = (Duration::from_secs(40), [30, 60, 300].map(Duration::from_secs).to_vec());
    let (seed, handling) = (20_261_122, FileHandling::default());
    driven(ExposedFiles { seed, pairs: 30, surveilled: true, learns_after, handling, delays, network: quick() }.make(), folder)
}

fn quick() -> Network {
    Network { delay_median: Duration::from_millis(20), delay_p99: Duration::from_millis(200), ..Network::default() }
}
