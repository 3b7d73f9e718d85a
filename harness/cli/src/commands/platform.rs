//! `lacuna platform`.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};
use lacuna_platform::tls;
use lacuna_runner::check::{CheckRequest, check};
use tokio::sync::watch;

use super::{load, results_of, runtime};
use crate::arguments::OutputFormat;
use crate::check_summary;
use crate::exit::{Exit, Failure};
use crate::logging::LogFormat;
use crate::output::{print, print_json};
use crate::progress::{self, Display, Unit};
use crate::screen::Screen;
use crate::signals;
use crate::table::width;

/// What to do with a platform.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Log in every account of an experiment, send a few controls on each path, and say which arrive, and how soon
    Check(Check),
}

/// What to check.
#[derive(Args, Debug)]
#[command(
    after_help = "Only controls are sent, and only to the accounts of the experiment; no candidate and no canary. Pacing, budgets and safety \
rules are those of the experiment, and the messages count towards the budgets of the day. No run's folder is made: a check measures nothing.\n\n\
Exit codes: 0 every account is logged in and every path alive; 2 the experiment is not as it should be; 3 an account or a path is not; 4 \
stopped by a safety rule, or an account was sanctioned; 130 Ctrl-C.\n\n\
Example:\n  lacuna platform check experiments/quickstart.toml --messages 5"
)]
pub struct Check {
    /// The experiment file (TOML)
    experiment: PathBuf,
    /// How many controls are sent on each channel (a sender and a conversation or group), 1 to 1000. None is repeated before all were tried
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=1000))]
    messages: u32,
    /// The folder of all results, for the ledger of what accounts send in a day. Default: as for `run`
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// The seed of every random choice, 0 to 2^63 - 1, in place of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Override a key of the experiment; as for `run`. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Does it.
pub fn run(command: Command, output: OutputFormat, log: LogFormat, screen: &Screen) -> Result<Exit, Failure> {
    let Command::Check(Check { experiment: path, messages, results, seed, mut set }) = command;
    set.extend(seed.map(|seed| format!("seed={seed}")));
    let experiment = load(&path, &set)?;
    let results = results.unwrap_or_else(|| results_of(&path, None));
    tls::install_provider();

    let (progress, seen) = watch::channel(progress::NOTHING_YET);
    let display = Display::new(screen.clone(), log, false, experiment.study.watch.late, Unit::Controls);
    let request = CheckRequest { experiment, results, messages };
    let summary = runtime()?.block_on(async {
        let stop = signals::stop_on_signal(screen.clone())?;
        let shown = tokio::spawn(display.follow(seen));
        let checked = Box::pin(check(request, stop, progress)).await;
        // As for a run: the display must be off the screen before anything else is written.
        let _ = shown.await;
        checked.map_err(Failure::from)
    })?;
    match output {
        OutputFormat::Human => print(&check_summary::text(&summary, width()))?,
        OutputFormat::Json => print_json(&check_summary::object(&summary))?,
    }
    Ok(summary.end.into())
}
