//! The subcommands, a file each.

pub mod analyze;
pub mod compare;
pub mod completions;
pub mod corpus;
pub mod diff;
pub mod evaluate;
pub mod export;
pub mod man;
pub mod plan;
pub mod platform;
pub mod policy;
pub mod report;
pub mod run;
pub mod schema;
pub mod simulate;
pub mod verify;

use std::path::{Path, PathBuf};

use lacuna_model::Study;
use lacuna_platform::{ADAPTERS, secrets};
use lacuna_records::experiment::{self, Experiment};

use crate::arguments::{Arguments, Command};
use crate::exit::{Exit, Failure};
use crate::logging;
use crate::screen::Screen;

/// Does what the command line says.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let screen = Screen::new();
    logging::start(arguments.log_format, &screen)?;
    let output = arguments.output_format;
    match arguments.command {
        Command::Run(command) => run::run(command, output, arguments.log_format, &screen),
        Command::Plan(command) => plan::run(&command, output),
        Command::Evaluate(command) => evaluate::run(command, output, &screen),
        Command::Diff(command) => diff::run(&command, output),
        Command::Analyze(command) => analyze::run(&command, output),
        Command::Compare(command) => compare::run(command, output),
        Command::Verify(command) => verify::run(&command, output),
        Command::Report(command) => report::run(&command, output),
        Command::Export(command) => export::run(&command, output),
        Command::Corpus(command) => corpus::run(command, output),
        Command::Platform(command) => platform::run(command, output, arguments.log_format, &screen),
        Command::Simulate(command) => simulate::run(&command),
        Command::Policy(command) => policy::run(command),
        Command::Schema(command) => schema::run(&command),
        Command::Completions(command) => completions::run(&command),
        Command::Man(command) => man::run(&command),
    }
}

/// The runtime of the commands that talk to a network.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::fault(format!("cannot start the runtime: {error}")))
}

/// `plan` and `evaluate` count verdicts on items; the designs about files give claims of another kind, which these commands cannot count.
fn verdicts_only(path: &Path, study: &Study, command: &str) -> Result<(), Failure> {
    if study.mechanism.is_none() && study.exposure.is_none() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "{}: `lacuna {command}` counts verdicts on items, and design = \"{}\" claims something else (what such runs cost and how right they are is \
         measured in docs/src/benchmarks.md; `safety.max-messages` bounds them)",
        path.display(),
        study.design.as_str()
    )))
}

/// Reads an experiment with all that it names; `overrides` are `KEY=VALUE`.
fn load(path: &Path, overrides: &[String]) -> Result<Experiment, Failure> {
    let secret_exists = |reference: &_| secrets::exists(reference).map_err(|error| error.to_string());
    let (loaded, problems) = experiment::load(path, ADAPTERS, overrides, &secret_exists);
    loaded.filter(|_| problems.is_empty()).ok_or(Failure::Problems(problems))
}

/// Where results are kept unless the command line says so.
fn results_of(experiment: &Path, resume: Option<&Path>) -> PathBuf {
    if let Some(run) = resume {
        // A run is results/EXPERIMENT-NAME/RUN-ID; as it was named this may not be visible.
        let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
        return run.ancestors().nth(2).map_or_else(|| PathBuf::from("results"), Path::to_owned);
    }
    let folder = experiment.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = match (folder.file_name(), folder.parent()) {
        // `experiments/x.toml` is tidier told as `results` than as `experiments/../results`.
        (Some(_), Some(parent)) => parent.join("results"),
        _ => folder.join("../results"),
    };
    if beside.is_dir() { beside } else { PathBuf::from("results") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn results_stand_beside_the_folder_of_the_experiment_if_they_do_already() {
        let folder = tempfile::tempdir().unwrap();
        let experiment = folder.path().join("experiments/x.toml");
        assert_eq!(results_of(&experiment, None), Path::new("results"));
        std::fs::create_dir(folder.path().join("results")).unwrap();
        assert_eq!(results_of(&experiment, None), folder.path().join("results"));
        let run = folder.path().join("elsewhere/x/20161130T080000Z-1");
        std::fs::create_dir_all(&run).unwrap();
        let elsewhere = folder.path().join("elsewhere").canonicalize().unwrap();
        assert_eq!(results_of(&experiment, Some(&run)), elsewhere);
        assert_eq!(results_of(Path::new("experiments/x.toml"), Some(&run)), elsewhere);
    }
}
