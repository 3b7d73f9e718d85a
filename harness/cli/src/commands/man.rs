//! `lacuna man`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::arguments;
use crate::exit::{Exit, Failure};
use crate::output::cannot_write;

/// Where to.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna man ~/.local/share/man/man1\n  man lacuna-run")]
pub struct Arguments {
    /// The folder for lacuna.1, lacuna-run.1 and so on; it is made if it is not there
    dir: PathBuf,
}

/// Writes the pages.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let failed = |error| cannot_write(&arguments.dir, &error);
    fs::create_dir_all(&arguments.dir).map_err(failed)?;
    let command = arguments::Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &arguments.dir).map_err(failed)?;
    Ok(Exit::Done)
}
