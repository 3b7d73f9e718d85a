//! `--ci`: what is left for a CI service, a JUnit file and a step summary.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use lacuna_records::projection::{CiReports, JUNIT_PREFIX, ci_reports};
use lacuna_report::{Ending, junit, step_summary};

use crate::exit::{Exit, Failure};
use crate::output::{NewFile, cannot_write};
use crate::screen::Screen;

/// Names the file to which a step appends its summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// GitHub takes 1 MiB a step; the rest is for what other commands of the step have to say.
const MOST_SUMMARY: usize = (1 << 20) - (1 << 16);

/// How the command ended, as a CI service is told.
pub enum Ended {
    /// With this exit code, after a run.
    Run(Exit),
    /// It failed; what was told on stderr.
    Failed(Vec<String>),
}

impl Ended {
    fn ending(&self) -> Ending<'_> {
        match self {
            Self::Failed(sentences) => Ending::Failed(sentences),
            Self::Run(Exit::Inconclusive) => Ending::Inconclusive,
            Self::Run(Exit::Safety) => Ending::Safety,
            Self::Run(Exit::Interrupted) => Ending::Interrupted,
            Self::Run(_) => Ending::Done,
        }
    }
}

/// Writes the JUnit file and appends the step summary. `run` is the run's folder, if it came to that.
pub fn tell(experiment: &Path, results: &Path, run: Option<&Path>, ended: &Ended, screen: &Screen) -> Result<(), Failure> {
    let budget = room();
    let (path, reports) = match run {
        Some(run) => {
            let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
            (beside(&run), of_run(&run, experiment, ended, budget))
        }
        None => (
            results.join(format!("{JUNIT_PREFIX}{}.xml", plain(&name_of(experiment)))),
            of_failure(experiment, ended.ending(), budget),
        ),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    let mut file = NewFile::create(&path, &[])?;
    file.write_all(reports.junit.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
    file.finish()?;
    screen.line(&format!("The JUnit file is {}", path.display()));
    append_step_summary(&reports.step_summary)
}

/// How many bytes the step summary may still grow.
pub fn room() -> usize {
    let used = step_summary_file().and_then(|file| fs::metadata(file).ok()).map_or(0, |it| it.len());
    MOST_SUMMARY.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX))
}

/// Appends to the step summary, where there is one.
pub fn append_step_summary(markdown: &str) -> Result<(), Failure> {
    let Some(path) = step_summary_file() else { return Ok(()) };
    let written =
        OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| file.write_all(markdown.as_bytes()));
    written.map_err(|error| cannot_write(&path, &error))
}

fn step_summary_file() -> Option<PathBuf> {
    env::var_os(STEP_SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn of_run(run: &Path, experiment: &Path, ended: &Ended, budget: usize) -> CiReports {
    ci_reports(run, ended.ending(), budget).unwrap_or_else(|error| {
        let mut sentences = match ended {
            Ended::Failed(sentences) => sentences.clone(),
            Ended::Run(_) => Vec::new(),
        };
        sentences.push(error.to_string());
        of_failure(experiment, Ending::Failed(&sentences), budget)
    })
}

fn of_failure(experiment: &Path, ending: Ending<'_>, budget: usize) -> CiReports {
    let name = name_of(experiment);
    CiReports { junit: junit::of_failure(&name, ending), step_summary: step_summary::of_failure(&name, ending, budget) }
}

/// Beside the folder of a run, since nothing foreign may stand in it.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().unwrap_or(OsStr::new("run")).to_string_lossy();
    run.with_file_name(format!("{JUNIT_PREFIX}{name}.xml"))
}

/// What an experiment is called of which nothing but its file is known.
fn name_of(experiment: &Path) -> String {
    experiment.file_stem().unwrap_or(OsStr::new("experiment")).to_string_lossy().into_owned()
}

/// As a part of a file's name.
fn plain(name: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    name.chars().map(|it| if is_plain(it) { it } else { '-' }).take(100).collect()
}
