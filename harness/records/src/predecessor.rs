//! What the runs of a predecessor say of an experiment's items: which are asked again, and which changes have to be made sure of.
//!
//! Nothing of it convicts. A verdict of a run rests on the sends of that run.

use std::path::PathBuf;

use lacuna_inference::comparison::{PathKey, Retest, Snapshot, UnitKey, retest};
use lacuna_model::{ArmIx, Earlier, ItemId, ItemIx, Role, Study, Timestamp, Verdict};
use sha2::{Digest, Sha256};

use crate::comparison;
use crate::history::{MOST_RUNS, runs_in};
use crate::journal::InputHash;
use crate::projection::hash_file;
use crate::run_folder::JOURNAL;

/// What `inputs` of a journal call a run of a predecessor.
pub const PREDECESSOR: &str = "predecessor";

/// `[predecessor]`: the runs that a run goes on from.
#[derive(Clone, PartialEq, Debug)]
pub struct Predecessor {
    /// As it was written.
    pub written: PathBuf,
    /// A run's folder, or the folder of all runs of an experiment.
    pub runs: PathBuf,
    /// Known items that were blocked are asked again if they have changed with at least this probability; delivered ones, which share their
    /// messages, with a twentieth of it.
    pub retest_above: f64,
    /// The share of the others that is asked nevertheless.
    pub retest_sample: f64,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// The journals that were read, the oldest run first.
    pub inputs: Vec<InputHash>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

impl Predecessor {
    /// Reads the newest runs and gives to the study what they say of it, as of `now`.
    pub fn apply(&self, study: &mut Study, now: Timestamp) -> Found {
        let mut found = Found::default();
        let mut runs: Vec<Snapshot> = Vec::new();
        for (folder, written) in self.folders(&mut found.warnings) {
            if runs.len() == MOST_RUNS {
                break;
            }
            let journal = folder.join(JOURNAL);
            let read = comparison::read(&folder).map_err(|error| error.to_string());
            let hashed = hash_file(&journal, JOURNAL).map_err(|error| format!("{}: {error}", journal.display()));
            match read.and_then(|run| Ok((run, hashed?))) {
                Ok((run, _)) if !run.is_sealed => {
                    found.warnings.push(format!("{}: did not come to its end, so nothing is taken from it", folder.display()));
                }
                Ok((run, _)) if run.experiment != study.name => {
                    found.warnings.push(format!(
                        "{}: is a run of another experiment, `{}`, so nothing is taken from it",
                        folder.display(),
                        run.experiment
                    ));
                }
                Ok((run, hash)) => {
                    let path = written.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
                    found.inputs.push(InputHash {
                        kind: PREDECESSOR.to_owned(),
                        path: format!("{path}/{JOURNAL}"),
                        sha256: hash.sha256,
                    });
                    runs.push(run.snapshot);
                }
                Err(warning) => found.warnings.push(format!("{warning}, so nothing is taken from it")),
            }
        }
        // They came the newest first.
        runs.reverse();
        found.inputs.reverse();
        for run in &mut runs {
            let left_out = run.keep_comparable(study);
            if left_out > 0 {
                found.warnings.push(format!(
                    "{}: differs in its adapter, an arm, an account, a client or an item, so that {left_out} of its items × arms × recipients \
                     say nothing",
                    run.run
                ));
            }
        }
        if runs.is_empty() {
            let what = if self.runs.is_dir() { "holds no earlier run" } else { "is not there (the first run makes it)" };
            found.warnings.push(format!("{}: {what}, so that every item is asked", self.runs.display()));
        } else {
            study.earlier = Some(self.earlier(&runs, study, now));
        }
        found
    }

    /// The folders of the runs, the newest first, and how the experiment would name them.
    fn folders(&self, warnings: &mut Vec<String>) -> Vec<(PathBuf, PathBuf)> {
        if self.runs.join(JOURNAL).is_file() {
            return vec![(self.runs.clone(), self.written.clone())];
        }
        let names = runs_in(&self.runs, warnings);
        names.into_iter().map(|name| (self.runs.join(&name), self.written.join(&name))).collect()
    }

    fn earlier(&self, runs: &[Snapshot], study: &Study, now: Timestamp) -> Earlier {
        let mut earlier = Earlier { runs: runs.iter().map(|run| run.run.clone()).collect(), ..Earlier::default() };
        let retests = retest(runs, now);
        for (index, item) in (0u32..).map(ItemIx).zip(&study.items).filter(|(_, item)| item.role == Role::Candidate) {
            let mut all_known = true;
            for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
                for recipient in &it.recipients {
                    let path = PathKey { arm: it.id.clone(), recipient: study.account(*recipient).id.clone() };
                    let key = UnitKey { item: item.id.clone(), path };
                    match runs.iter().rev().find_map(|run| run.state(&key)) {
                        Some(Verdict::Delivered) => earlier.delivered.push((index, arm, *recipient)),
                        Some(_) => earlier.blocked.push((index, arm, *recipient)),
                        None => all_known = false,
                    }
                }
            }
            if all_known && !self.is_due(&item.id, retests.get(&item.id), study.seed, runs) {
                earlier.not_due.push(index);
            }
        }
        // An arm may list its recipients in any order.
        earlier.delivered.sort_unstable();
        earlier.blocked.sort_unstable();
        earlier
    }

    /// Whether a known item is asked again.
    fn is_due(&self, item: &ItemId, known: Option<&Retest>, seed: u64, runs: &[Snapshot]) -> bool {
        let likely = known.is_none_or(|known| known.is_due(self.retest_above));
        likely || share(seed, runs.last().map_or("", |run| run.run.as_str()), item.as_str()) < self.retest_sample
    }
}

/// A number between 0 and 1, drawn anew for every run and item.
fn share(seed: u64, run: &str, item: &str) -> f64 {
    let mut hash = Sha256::new().chain_update(seed.to_be_bytes());
    for part in ["retest", run, item] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let drawn = digest.iter().take(8).fold(0u64, |drawn, byte| drawn << 8 | u64::from(*byte));
    (drawn >> 11) as f64 / (1u64 << 53) as f64
}
