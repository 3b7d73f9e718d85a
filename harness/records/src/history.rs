//! What earlier runs of an experiment found, as a prior of its next run: it steers the order of questions, and convicts nobody.
//!
//! Of each of the newest runs in `results/<experiment>/` the verdicts are read, those of the newest projection if there are
//! several; where something is isolated, so are its certified rules. A file counts only if it is the one that the manifest beside
//! it describes; everything else is left out and told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::{Role, Study, Verdict};

use crate::comparison::COMPARISON_FOLDER_PREFIX;
use crate::journal::InputHash;
use crate::projection::{JUNIT_PREFIX, PROJECTION_FOLDER_PREFIX, SCHEMA_VERSION, StoredManifest, hash_file, rule_id};
use crate::run_folder::JOURNAL;

/// So many runs are looked at, the newest first: what a list blocks changes, and older runs say less and less about it.
pub const MOST_RUNS: usize = 10;

/// What `inputs` of a journal call a file of verdicts that a study's priors come from.
pub const HISTORY: &str = "history";

const VERDICTS: &str = "verdicts.csv";
const RULES: &str = "rules.csv";

/// So many rules of earlier runs are remembered: each is looked for in each text.
const MOST_RULES: usize = 20_000;

/// Rules by their id, each as its components in the order of the text that it was found in.
type Rules = BTreeMap<String, Vec<Arc<str>>>;

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

/// What is taken from earlier runs.
#[derive(Clone)]
struct Found<'s> {
    items: HashMap<&'s str, Counts>,
    /// `None` where nothing is isolated.
    rules: Option<Rules>,
}

/// Counts what the newest runs in `results` found of each candidate and canary of the study, and makes it their prior; the rules that
/// they certified are known beforehand, behind those of the experiment's lists. Memory holds two numbers an item, and the rules.
pub fn apply(results: &Path, study: &mut Study) -> History {
    let mut history = History::default();
    let folder = results.join(&study.name);
    let runs = runs_in(&folder, &mut history.warnings);
    let counted = study.items.iter().filter(|it| it.role != Role::Control);
    let mut found = Found {
        items: counted.map(|it| (it.id.as_str(), Counts::default())).collect(),
        rules: study.isolation.as_ref().map(|_| Rules::new()),
    };
    let mut before = found.clone();
    let mut read_runs = 0;
    for run in runs {
        if read_runs == MOST_RUNS {
            break;
        }
        match read(&folder, &run, &mut found) {
            Ok(inputs) if inputs.is_empty() => {}
            Ok(inputs) => {
                history.inputs.extend(inputs);
                before.clone_from(&found);
                read_runs += 1;
            }
            Err(warning) => {
                // Part of it was counted.
                found.clone_from(&before);
                history.warnings.push(format!("{}: {warning}, so it is no part of the history", folder.join(&run).display()));
            }
        }
    }
    let Found { items, rules } = found;
    let counts: Vec<Counts> = study.items.iter().map(|it| items.get(it.id.as_str()).copied().unwrap_or_default()).collect();
    if let (Some(isolation), Some(rules)) = (&mut study.isolation, rules) {
        let listed: BTreeSet<String> = isolation.rules.iter().map(|rule| rule_id(rule.iter().map(|it| &**it))).collect();
        let mut earlier: Vec<Vec<Arc<str>>> =
            rules.into_iter().filter(|(id, _)| !listed.contains(id)).map(|(_, components)| components).collect();
        earlier.sort_unstable();
        isolation.rules.extend(earlier);
    }
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
    study.earlier.clone_from(&began.earlier);
    if let (Some(before), Some(now)) = (&began.isolation, &mut study.isolation) {
        now.rules.clone_from(&before.rules);
    }
}

/// The names of the runs in a folder, the newest first: they begin with the time of their opening.
pub(crate) fn runs_in(folder: &Path, warnings: &mut Vec<String>) -> Vec<String> {
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
            Ok(name) if name.starts_with('.') || is_beside_runs(&name) => {}
            Ok(name) if entry.path().join(JOURNAL).is_file() => runs.push(name),
            Ok(name) => foreign.push(name),
            Err(name) => foreign.push(name.display().to_string()),
        }
    }
    foreign.sort();
    if let [first, rest @ ..] = foreign.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            1 => ", as is another".to_owned(),
            others => format!(", as are {others} others"),
        };
        warnings.push(format!("{}: is no run{more}, and was not read", folder.join(first).display()));
    }
    runs.sort_unstable_by(|a, b| b.cmp(a));
    runs
}

/// What commands keep beside the runs: evaluations, comparisons, files for CI services.
fn is_beside_runs(name: &str) -> bool {
    let ends_with = |ending: &str| Path::new(name).extension().is_some_and(|it| it == ending);
    name.starts_with("evaluate-") && ends_with("csv")
        || name.starts_with(JUNIT_PREFIX) && ends_with("xml")
        || name.starts_with(COMPARISON_FOLDER_PREFIX)
}

/// Counts the verdicts of one run and takes its rules. Nothing was read of a run without verdicts: it goes on, or did not come to
/// its end.
fn read(folder: &Path, run: &str, found: &mut Found<'_>) -> Result<Vec<InputHash>, String> {
    let Some(inside) = newest_projection(&folder.join(run)) else { return Ok(Vec::new()) };
    let stored = StoredManifest::read(&inside).ok_or("there is no manifest that describes its verdicts")?;
    let mut inputs = Vec::new();
    let mut table = |name: &str| {
        let path = inside.join(name);
        let hash = hash_file(&path, name).map_err(|error| format!("{name} cannot be read: {error}"))?;
        if !stored.files.contains(&hash) {
            return Err(format!("{name} is not the one that the manifest describes (`lacuna verify` tells more)"));
        }
        let file = File::open(&path).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let inside = path.strip_prefix(folder).unwrap_or(&path);
        let path = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        inputs.push(InputHash { kind: HISTORY.to_owned(), path, sha256: hash.sha256 });
        Ok(BufReader::with_capacity(1 << 16, file))
    };
    count(table(VERDICTS)?, &mut found.items).map_err(|error| format!("{VERDICTS}: {error}"))?;
    // Projections from before there were rules have no such table.
    if let Some(rules) = found.rules.as_mut().filter(|_| inside.join(RULES).exists()) {
        collect(table(RULES)?, rules).map_err(|error| format!("{RULES}: {error}"))?;
    }
    Ok(inputs)
}

/// Where the verdicts of the newest projection of a run stand.
pub(crate) fn newest_projection(run: &Path) -> Option<PathBuf> {
    let version = |name: &str| name.strip_prefix(PROJECTION_FOLDER_PREFIX)?.parse::<u32>().ok();
    let entries = fs::read_dir(run).ok()?.flatten();
    let folders = entries.filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path())));
    let derived = folders.filter(|(_, folder)| folder.join(VERDICTS).is_file()).max_by_key(|(version, _)| *version);
    let own = run.join(VERDICTS).is_file().then(|| run.to_owned());
    derived.map(|(_, folder)| folder).or(own)
}

/// Gives these cells of each row of a table.
fn each_row<const N: usize>(
    file: impl std::io::Read,
    columns: [&str; N],
    mut take: impl FnMut([&str; N]) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| error.to_string())?;
    let place = |name: &str| header.iter().position(|it| it == name).ok_or_else(|| format!("there is no column `{name}`"));
    let schema = place("schema_version")?;
    let mut places = [0; N];
    for (slot, name) in places.iter_mut().zip(columns) {
        *slot = place(name)?;
    }
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| error.to_string())? {
        let cell = |place: usize| row.get(place).unwrap_or_default();
        if cell(schema).parse::<u32>().is_ok_and(|found| found > SCHEMA_VERSION) {
            return Err(format!("it has schema version {}, this Lacuna reads up to {SCHEMA_VERSION}", cell(schema)));
        }
        take(places.map(cell))?;
    }
    Ok(())
}

/// Takes the required components of certified rules, which stand together, in order.
fn collect(file: impl std::io::Read, rules: &mut Rules) -> Result<(), String> {
    let mut open: Option<(String, Vec<Arc<str>>)> = None;
    let mut close = |open: Option<(String, Vec<Arc<str>>)>| match open {
        Some((id, components)) if rule_id(components.iter().map(|it| &**it)) != id => {
            Err(format!("the rule `{id}` is not that of its components"))
        }
        Some((id, components)) if rules.len() < MOST_RULES => {
            rules.entry(id).or_insert(components);
            Ok(())
        }
        _ => Ok(()),
    };
    let columns = ["rule_id", "component_position", "component", "component_role", "certified"];
    each_row(file, columns, |[id, position, component, role, certified]| {
        if role != "required" || certified != "true" {
            return Ok(());
        }
        if component.is_empty() {
            return Err(format!("the rule `{id}` has an empty component"));
        }
        match &mut open {
            Some((of, components)) if *of == id && position != "1" => components.push(component.into()),
            _ => close(open.replace((id.to_owned(), vec![component.into()])))?,
        }
        Ok(())
    })?;
    close(open)
}

fn count(file: impl std::io::Read, items: &mut HashMap<&str, Counts>) -> Result<(), String> {
    each_row(file, ["item_id", "verdict", "filter_seen"], |[item, written, filter_seen]| {
        let Some(counts) = items.get_mut(item) else { return Ok(()) };
        let known = Verdict::ALL.iter().find(|it| it.as_str() == written);
        match known.ok_or_else(|| format!("`{written}` is no verdict"))? {
            Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted | Verdict::Inconsistent => {
                counts.blocked = counts.blocked.saturating_add(1);
            }
            // Where nothing was ever kept back, an arrival says nothing about the item.
            Verdict::Delivered | Verdict::Delayed if filter_seen == "true" => {
                counts.passed = counts.passed.saturating_add(1);
            }
            Verdict::Delivered | Verdict::Delayed | Verdict::Inconclusive => {}
        }
        Ok(())
    })
}
