//! `lacuna run`.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use clap::Args;
use lacuna_model::{Build, Source};
use lacuna_platform::tls;
use lacuna_runner::registration::{self, Registration};
use lacuna_runner::run::{RunRequest, RunSummary, run as run_experiment};
use tokio::sync::watch;

use super::{load, results_of, runtime};
use crate::arguments::OutputFormat;
use crate::ci::{self, Ended};
use crate::exit::{Exit, Failure};
use crate::logging::LogFormat;
use crate::progress::{self, Display, Unit};
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
    /// Run a locked experiment although it is not what was locked, and say why: the manifest and the summary list what changed
    #[arg(long, value_name = "REASON", conflicts_with = "resume", value_parser = reason)]
    deviate: Option<String>,
    /// For CI services: progress as plain lines, a JUnit file beside the run's folder (EXPERIMENT-NAME/junit-RUN-ID.xml among the
    /// results), and a summary in Markdown appended to the file that the variable `GITHUB_STEP_SUMMARY` names, if it is set
    #[arg(long)]
    ci: bool,
}

/// A reason must be one.
fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("say why".to_owned()) } else { Ok(text.to_owned()) }
}

/// Runs an experiment.
pub fn run(arguments: Arguments, output: OutputFormat, log: LogFormat, screen: &Screen) -> Result<Exit, Failure> {
    if !arguments.ci {
        return run_to_its_end(arguments, output, log, screen, |_| {});
    }
    let experiment = arguments.experiment.clone();
    let results = results_folder(&arguments);
    let mut folder = None;
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        run_to_its_end(arguments, output, log, screen, |began| folder = Some(began.to_owned()))
    }));
    let how = match &ended {
        Ok(Ok(exit)) => Ended::Run(*exit),
        Ok(Err(failure)) => Ended::Failed(failure.sentences()),
        Err(_) => Ended::Failed(vec!["a fault in Lacuna itself; the log has more".to_owned()]),
    };
    let told = ci::tell(&experiment, &results, folder.as_deref(), &how, screen);
    // How the run ended decides how the command ends, and not whether everybody could be told.
    if let Err(failure) = told {
        let _ = failure.tell();
    }
    match ended {
        Ok(ended) => ended,
        Err(panic) => panic::resume_unwind(panic),
    }
}

fn results_folder(arguments: &Arguments) -> PathBuf {
    let given = arguments.results.clone();
    given.unwrap_or_else(|| results_of(&arguments.experiment, arguments.resume.as_deref()))
}

/// How this program was built; `build.rs` has asked.
fn build() -> Build {
    let changed = option_env!("LACUNA_CHANGED") == Some("true");
    Build {
        source: option_env!("LACUNA_COMMIT").map(|commit| Source { commit: commit.to_owned(), changed }),
        rustc: env!("LACUNA_RUSTC").to_owned(),
        target: env!("LACUNA_TARGET").to_owned(),
    }
}

/// Runs it, and says which folder is the run's as soon as there is one.
fn run_to_its_end(
    arguments: Arguments,
    output: OutputFormat,
    log: LogFormat,
    screen: &Screen,
    mut began: impl FnMut(&Path),
) -> Result<Exit, Failure> {
    let results = results_folder(&arguments);
    let Arguments { experiment: path, resume, seed, mut set, deviate, ci: plain, .. } = arguments;
    set.extend(seed.map(|seed| format!("seed={seed}")));
    let experiment = load(&path, &set)?;
    // A run that goes on is held to what it began with.
    let registration = match &resume {
        None => registration::check(&path, &experiment, deviate).map_err(Failure::input)?,
        Some(_) => Registration::default(),
    };
    tls::install_provider();

    let (progress, seen) = watch::channel(progress::NOTHING_YET);
    let display = Display::new(screen.clone(), log, plain, experiment.study.watch.late, Unit::Questions);
    let request = RunRequest { experiment, results, resume, registration, build: Some(build()) };
    let summary: RunSummary = runtime()?.block_on(async {
        let stop = signals::stop_on_signal(screen.clone())?;
        let shown = tokio::spawn(display.follow(seen));
        let ended = run_experiment(request, stop, progress, |folder| {
            began(folder);
            screen.line(&format!("The run is kept in {}", folder.display()));
        });
        let ended = Box::pin(ended).await;
        // The sender is gone now, so that the display ends; it must be off the screen before anything else is written.
        let _ = shown.await;
        ended.map_err(Failure::from)
    })?;
    Summary::of_run(&summary).print(output)?;
    Ok(summary.end.into())
}
