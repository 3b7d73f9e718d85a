//! `lacuna corpus lint`.

use std::path::PathBuf;

use clap::Args;
use lacuna_records::corpus;

use crate::exit::{Exit, Failure};
use crate::output::print;

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

/// Reports all problems of the corpora.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let problems: Vec<_> = arguments.corpora.iter().flat_map(|folder| corpus::lint(folder)).collect();
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let count = arguments.corpora.len();
    print(&format!("{count} {} checked, no problems\n", if count == 1 { "corpus" } else { "corpora" }))?;
    Ok(Exit::Done)
}
