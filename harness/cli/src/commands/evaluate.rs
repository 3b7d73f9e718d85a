//! `lacuna evaluate`.

use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lacuna_runner::evaluation::{Evaluation, write_rows, write_summary};
use lacuna_runner::repeats;

use super::{load, results_of, verdicts_only};
use crate::arguments::OutputFormat;
use crate::evaluation::Told;
use crate::exit::{Exit, Failure};
use crate::output::{NewFile, cannot_write};
use crate::screen::Screen;

/// What to evaluate.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna evaluate experiments/quickstart.toml --repeats 100\n\n\
                  Every repeat is a whole run of the production engine in virtual time against the policy that the experiment names, \
                  with a seed derived from the experiment's; nothing is sent. Its verdicts are held against what the policy truly does.\n\n\
                  The rows (one for each repeat and arm) go to results/EXPERIMENT-NAME/evaluate-SEED.csv, the measures (one row each, of \
                  all arms and of each arm, with standard error and 95 % interval) to evaluate-SEED-summary.csv beside it. The same \
                  experiment, seed and repeats give the same files.")]
pub struct Arguments {
    /// The experiment file (TOML). Its `[platform]` must name a policy, since nothing else is known to be true
    experiment: PathBuf,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    repeats: u64,
    /// Where the rows go (CSV); the summary goes beside it, with `-summary` in its name
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The seed of every random choice, 0 to 2^63 - 1, in place of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Override a key of the experiment, such as decision.pooling=off; arms and accounts are addressed by id. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Runs at the same time; the result does not depend on it. Default: as many as the machine has cores
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// Evaluates an experiment.
pub fn run(arguments: Arguments, output: OutputFormat, screen: &Screen) -> Result<Exit, Failure> {
    let Arguments { experiment: path, repeats, output: file, seed, mut set, threads } = arguments;
    set.extend(seed.map(|seed| format!("seed={seed}")));
    let experiment = load(&path, &set)?;
    verdicts_only(&path, &experiment.study, "evaluate")?;
    let Some(policy) = experiment.policy else {
        return Err(Failure::input(format!(
            "{}: what its platform truly does is not known, so nothing can be held against it (evaluate an experiment whose \
             `[platform]` names a `policy`)",
            path.display()
        )));
    };
    let files = Files::new(&path, file, &experiment.study.name, experiment.study.seed)?;
    let bar = bar(screen, repeats);
    let began = Instant::now();
    let threads = threads.unwrap_or_else(repeats::all_cores);
    let evaluation = Evaluation::of(experiment.study, &policy, repeats, threads, || bar.inc(1));
    bar.finish_and_clear();
    let took = began.elapsed();
    files.write(&evaluation)?;
    let told = Told { evaluation: &evaluation, policy: &policy.name, took, rows: &files.rows, summary: &files.summary };
    told.print(output)?;
    Ok(if evaluation.is_conclusive() { Exit::Done } else { Exit::Inconclusive })
}

/// How many runs are done; nothing where stderr is no terminal.
fn bar(screen: &Screen, repeats: u64) -> ProgressBar {
    if !Screen::is_terminal() {
        return ProgressBar::with_draw_target(Some(repeats), ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {eta} left");
    screen.bars.add(ProgressBar::new(repeats).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
}

/// Where an evaluation is kept.
struct Files {
    rows: PathBuf,
    summary: PathBuf,
}

impl Files {
    /// Found before anything is run, so that a folder that cannot be made is told at once.
    fn new(experiment: &Path, given: Option<PathBuf>, name: &str, seed: u64) -> Result<Self, Failure> {
        let rows = if let Some(rows) = given {
            rows
        } else {
            let folder = results_of(experiment, None).join(name);
            fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
            folder.join(format!("evaluate-{seed}.csv"))
        };
        let mut summary = rows.file_stem().unwrap_or_default().to_owned();
        summary.push("-summary.");
        summary.push(rows.extension().unwrap_or("csv".as_ref()));
        Ok(Self { summary: rows.with_file_name(summary), rows })
    }

    fn write(&self, evaluation: &Evaluation) -> Result<(), Failure> {
        type Table = fn(&Evaluation, &mut dyn Write) -> std::io::Result<()>;
        let tables: [(&Path, Table); 2] = [
            (&self.rows, |evaluation, out| write_rows(evaluation, out)),
            (&self.summary, |evaluation, out| write_summary(evaluation, out)),
        ];
        for (path, table) in tables {
            let mut out = NewFile::create(path, &[])?;
            table(evaluation, &mut out).map_err(|error| cannot_write(path, &error))?;
            out.finish()?;
        }
        Ok(())
    }
}
