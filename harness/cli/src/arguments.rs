//! The command line.

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{
    analyze, compare, completions, corpus, diff, evaluate, export, man, plan, platform, policy, report, run, schema, simulate,
    verify,
};
use crate::logging::LogFormat;

/// Measures silent censorship on messaging platforms: sends controlled texts between accounts that you own, lays what was sent
/// beside what arrived, and says, with error rates chosen beforehand, what was dropped and for whom.
#[derive(Parser, Debug)]
#[command(name = "lacuna", version, max_term_width = 120, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The form of the log on stderr: text, or json with one object a line, the progress off a terminal included. `RUST_LOG`
    /// says what is logged, by default warnings and errors
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "text|json")]
    #[arg(hide_possible_values = true, help_heading = "What is told")]
    pub log_format: LogFormat,
    /// The form of the summary on stdout: human for tables, json for one object
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Human, value_name = "human|json")]
    #[arg(hide_possible_values = true, help_heading = "What is told")]
    pub output_format: OutputFormat,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 fault in Lacuna; 2 the command line, an experiment, a policy, a corpus or a run's folder is not as \
it should be; 3 nothing can be concluded; 4 stopped by a safety rule; 5 something changed, with --fail-on-change; 130 ended by Ctrl-C. \
Findings are never failures.";

/// The form of what stands on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum OutputFormat {
    /// Tables for people.
    Human,
    /// One JSON object.
    Json,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run an experiment, or go on with one that was interrupted
    Run(run::Arguments),
    /// Say what an experiment will cost and what it can find, before anything is sent; lock it
    Plan(plan::Arguments),
    /// Run an experiment many times in virtual time, against the policy that it names, and say what its verdicts cost and how right
    /// they are
    Evaluate(evaluate::Arguments),
    /// Lay two logs beside each other and say what is missing, altered, unexpected or repeated
    Diff(diff::Arguments),
    /// Derive every file of a run anew from its journal
    Analyze(analyze::Arguments),
    /// Check that a run's folder is what its journal says, byte for byte
    Verify(verify::Arguments),
    /// Say what changed from run to run, and how long rules live
    Compare(compare::Arguments),
    /// Write the report of a run anew, and say where it is
    Report(report::Arguments),
    /// Write a run in the form of others: Parquet, OONI's measurements, Citizen Lab's keyword lists, an RO-Crate
    Export(export::Arguments),
    /// Check corpora, and make them of lists and pictures; make two files that share one MD5
    #[command(subcommand)]
    Corpus(corpus::Command),
    /// Look whether the accounts of an experiment can log in, and whether its paths are alive, before candidates are sent
    #[command(subcommand)]
    Platform(platform::Command),
    /// Serve a simulated censoring platform on the loopback interface
    Simulate(simulate::Arguments),
    /// Write a simulator's policy as rules of a real server
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print the JSON Schema of a kind of file, for editors, or what its keys and columns mean, for people
    Schema(schema::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
    /// Write the manual pages, one for each command
    Man(man::Arguments),
}
