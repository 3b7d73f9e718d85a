//! `lacuna run`.

use std::path::{Path, PathBuf};

use clap::Args;
use lacuna_platform::{ADAPTERS, secrets, tls};
use lacuna_records::experiment;
use lacuna_runner::run::{RunRequest, RunSummary, run as run_experiment};
use tokio::sync::watch;

use super::runtime;
use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::logging::LogFormat;
use crate::progress::{self, Display};
use crate::screen::Screen;
use crate::signals;
use crate::summary::Summary;

/// What to run.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna run experiments/quickstart.toml --seed 7 \\\n    --set watch.late=10s --set arm.cn-to-intl-direct.venue=group"
)]
pub struct Arguments {
    /// The experiment file (TOML)
    experiment: PathBuf,
    /// The folder of all results; the run gets a folder EXPERIMENT-NAME/RUN-ID in it. Default: `results` beside the folder of the
    /// experiment file if it exists there (for experiments/x.toml: experiments/../results), else ./results; with --resume the
    /// folder that the run is in
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Go on with an interrupted run: its folder. The experiment must be the one that it began with, --seed and --set included
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// The seed of every random choice, 0 to 2^63 - 1, in place of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Override a key of the experiment, such as watch.grace=500ms; arms and accounts are addressed by id. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Runs an experiment.
pub fn run(arguments: Arguments, output: OutputFormat, log: LogFormat, screen: &Screen) -> Result<Exit, Failure> {
    let Arguments { experiment: path, results, resume, seed, mut set } = arguments;
    set.extend(seed.map(|seed| format!("seed={seed}")));
    let secret_exists = |reference: &_| secrets::exists(reference).map_err(|error| error.to_string());
    let (loaded, problems) = experiment::load(&path, ADAPTERS, &set, &secret_exists);
    let Some(experiment) = loaded.filter(|_| problems.is_empty()) else { return Err(Failure::Problems(problems)) };
    let results = results.unwrap_or_else(|| results_of(&path, resume.as_deref()));
    tls::install_provider();

    let (progress, seen) = watch::channel(progress::NOTHING_YET);
    let display = Display::new(screen.clone(), log, experiment.study.watch.late);
    let request = RunRequest { experiment, results, resume };
    let summary: RunSummary = runtime()?.block_on(async {
        let stop = signals::stop_on_signal(screen.clone())?;
        let shown = tokio::spawn(display.follow(seen));
        let ended =
            run_experiment(request, stop, progress, |folder| screen.line(&format!("The run is kept in {}", folder.display())));
        let ended = ended.await;
        // The sender is gone now, so that the display ends; it must be off the screen before anything else is written.
        let _ = shown.await;
        ended.map_err(Failure::from)
    })?;
    Summary::of_run(&summary).print(output)?;
    Ok(summary.end.into())
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
