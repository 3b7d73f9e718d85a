//! The `lacuna` command: arguments in, exit codes out.

mod arguments;
mod check_summary;
mod ci;
mod commands;
mod comparison;
mod evaluation;
mod exit;
mod logging;
mod output;
mod plan_table;
mod problems;
mod progress;
mod screen;
mod signals;
mod summary;
mod table;
mod visible;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    exit::guarded(|| commands::run(arguments::Arguments::parse()))
}
