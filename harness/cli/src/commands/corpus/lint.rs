//! `lacuna corpus lint`.

use std::path::PathBuf;

use clap::Args;
use lacuna_model::Problem;
use lacuna_records::corpus;
use serde_json::{Value, json};

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};

/// Which corpora.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna corpus lint corpora/quickstart corpora/controls-zh\n\nThe exit code is 2 if anything was found."
)]
pub struct Arguments {
    /// The folders of the corpora
    #[arg(required = true, value_name = "DIR")]
    corpora: Vec<PathBuf>,
}

/// Reports all problems of the corpora: for people on stderr, as every command does; for programs they are the answer.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let problems: Vec<_> = arguments.corpora.iter().flat_map(|folder| corpus::lint(folder)).collect();
    let count = arguments.corpora.len();
    match output {
        OutputFormat::Json => {
            let told: Vec<Value> = problems.iter().map(as_json).collect();
            print_json(&json!({ "clean": problems.is_empty(), "checked": count, "problems": told }))?;
            Ok(if problems.is_empty() { Exit::Done } else { Exit::Input })
        }
        OutputFormat::Human if problems.is_empty() => {
            print(&format!("{count} {} checked, no problems\n", if count == 1 { "corpus" } else { "corpora" }))?;
            Ok(Exit::Done)
        }
        OutputFormat::Human => Err(Failure::Problems(problems)),
    }
}

/// A place that is not known is `null`.
fn as_json(problem: &Problem) -> Value {
    let known = |number: usize| (number > 0).then_some(number);
    json!({
        "file": problem.location.file,
        "line": known(problem.location.line),
        "column": known(problem.location.column),
        "key": problem.key,
        "message": problem.message,
        "fix": problem.fix,
    })
}
