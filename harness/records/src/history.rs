//! What earlier runs of an experiment found, as a prior of its next run: it steers the order of questions, and convicts nobody.
//!
//! Of each of the newest runs in `results/<experiment>/` the verdicts are read, those of the newest projection if there are
//! several. A file counts only if it is the one that the manifest beside it describes; everything else is left out and told.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use lacuna_model::{Role, Study, Verdict};

use crate::journal::InputHash;
use crate::projection::{PROJECTION_FOLDER_PREFIX, SCHEMA_VERSION, StoredManifest, hash_file};
use crate::run_folder::JOURNAL;

/// So many runs are looked at, the newest first: what a list blocks changes, and older runs say less and less about it.
pub const MOST_RUNS: usize = 10;

/// What `inputs` of a journal call a file of verdicts that a study's priors come from.
pub const HISTORY: &str = "history";

const VERDICTS: &str = "verdicts.csv";

/// Where the priors of a study come from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The files that were read, the newest run first; paths begin with the run's name.
    pub inputs: Vec<InputHash>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

/// Units of one item, counted over runs.
#[derive(Clone, Copy, Default)]
struct Counts {
    blocked: u32,
    passed: u32,
}

/// Counts what the newest runs in `results` found of each candidate and canary of the study, and makes it their prior. Memory
/// holds two numbers an item.
pub fn apply(results: &Path, study: &mut Study) -> History {
    let mut history = History::default();
    let folder = results.join(&study.name);
    let runs = runs_in(&folder, &mut history.warnings);
    let mut items: HashMap<&str, Counts> =
        study.items.iter().filter(|it| it.role != Role::Control).map(|it| (it.id.as_str(), Counts::default())).collect();
    let mut before = items.clone();
    for run in runs {
        if history.inputs.len() == MOST_RUNS {
            break;
        }
        match read(&folder, &run, &mut items) {
            Ok(None) => {}
            Ok(Some(input)) => {
                history.inputs.push(input);
                before.clone_from(&items);
            }
            Err(warning) => {
                // Part of it was counted.
                items.clone_from(&before);
                history.warnings.push(format!("{}: {warning}, so it is no part of the history", folder.join(&run).display()));
            }
        }
    }
    let counts: Vec<Counts> = study.items.iter().map(|it| items.get(it.id.as_str()).copied().unwrap_or_default()).collect();
    for (item, counts) in study.items.iter_mut().zip(counts) {
        item.prior.blocked_before = counts.blocked;
        item.prior.passed_before = counts.passed;
    }
    history
}

/// Gives to a study what earlier runs had found when a run of it `began`: whatever else is in it follows from the experiment's
/// files alone.
pub fn remember(began: &Study, study: &mut Study) {
    for (before, now) in began.items.iter().zip(&mut study.items).filter(|(before, now)| before.id == now.id) {
        now.prior.blocked_before = before.prior.blocked_before;
        now.prior.passed_before = before.prior.passed_before;
    }
}

/// The names of the runs in a folder, the newest first: they begin with the time of their opening.
fn runs_in(folder: &Path, warnings: &mut Vec<String>) -> Vec<String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            warnings.push(format!("{}: {error}, so there is no history", folder.display()));
            return Vec::new();
        }
    };
    let mut runs = Vec::new();
    let mut foreign = Vec::new();
    for entry in entries.flatten() {
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with('.') || is_evaluation(&name) => {}
            Ok(name) if entry.path().join(JOURNAL).is_file() => runs.push(name),
            Ok(name) => foreign.push(name),
            Err(name) => foreign.push(name.display().to_string()),
        }
    }
    foreign.sort();
    if let [first, rest @ ..] = foreign.as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(", as are {} others", rest.len()) };
        warnings.push(format!("{}: is no run{more}, and was not read", folder.join(first).display()));
    }
    runs.sort_unstable_by(|a, b| b.cmp(a));
    runs
}

/// What `lacuna evaluate` keeps beside the runs.
fn is_evaluation(name: &str) -> bool {
    name.starts_with("evaluate-") && Path::new(name).extension().is_some_and(|it| it == "csv")
}

/// Counts the verdicts of one run. `None` for a run without any: it goes on, or did not come to its end.
fn read(folder: &Path, run: &str, items: &mut HashMap<&str, Counts>) -> Result<Option<InputHash>, String> {
    let Some(inside) = newest_projection(&folder.join(run)) else { return Ok(None) };
    let path = inside.join(VERDICTS);
    let stored = StoredManifest::read(&inside).ok_or("there is no manifest that describes its verdicts")?;
    let found = hash_file(&path, VERDICTS).map_err(|error| format!("{VERDICTS} cannot be read: {error}"))?;
    if !stored.files.contains(&found) {
        return Err(format!("{VERDICTS} is not the one that the manifest describes (`lacuna verify` tells more)"));
    }
    let file = File::open(&path).map_err(|error| format!("{VERDICTS} cannot be read: {error}"))?;
    count(BufReader::with_capacity(1 << 16, file), items).map_err(|error| format!("{VERDICTS}: {error}"))?;
    let inside = inside.strip_prefix(folder).unwrap_or(&inside);
    let path = inside.join(VERDICTS).components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Ok(Some(InputHash { kind: HISTORY.to_owned(), path, sha256: found.sha256 }))
}

/// Where the verdicts of the newest projection of a run stand.
fn newest_projection(run: &Path) -> Option<PathBuf> {
    let version = |name: &str| name.strip_prefix(PROJECTION_FOLDER_PREFIX)?.parse::<u32>().ok();
    let entries = fs::read_dir(run).ok()?.flatten();
    let folders = entries.filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path())));
    let derived = folders.filter(|(_, folder)| folder.join(VERDICTS).is_file()).max_by_key(|(version, _)| *version);
    let own = run.join(VERDICTS).is_file().then(|| run.to_owned());
    derived.map(|(_, folder)| folder).or(own)
}

fn count(file: impl std::io::Read, items: &mut HashMap<&str, Counts>) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| error.to_string())?;
    let column = |name: &str| header.iter().position(|it| it == name).ok_or_else(|| format!("there is no column `{name}`"));
    let (schema, item) = (column("schema_version")?, column("item_id")?);
    let (verdict, filter_seen) = (column("verdict")?, column("filter_seen")?);
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| error.to_string())? {
        let cell = |place: usize| row.get(place).unwrap_or_default();
        if cell(schema).parse::<u32>().is_ok_and(|found| found > SCHEMA_VERSION) {
            return Err(format!("it has schema version {}, this Lacuna reads up to {SCHEMA_VERSION}", cell(schema)));
        }
        let Some(counts) = items.get_mut(cell(item)) else { continue };
        let written = cell(verdict);
        let known = Verdict::ALL.iter().find(|it| it.as_str() == written);
        match known.ok_or_else(|| format!("`{written}` is no verdict"))? {
            Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted | Verdict::Inconsistent => {
                counts.blocked = counts.blocked.saturating_add(1);
            }
            // Where nothing was ever kept back, an arrival says nothing about the item.
            Verdict::Delivered | Verdict::Delayed if cell(filter_seen) == "true" => {
                counts.passed = counts.passed.saturating_add(1);
            }
            Verdict::Delivered | Verdict::Delayed | Verdict::Inconclusive => {}
        }
    }
    Ok(())
}
