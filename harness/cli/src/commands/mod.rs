//! The subcommands, a file each.

pub mod analyze;
pub mod corpus;
pub mod diff;
pub mod policy;
pub mod run;
pub mod schema;
pub mod simulate;
pub mod verify;

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
        Command::Diff(command) => diff::run(&command, output),
        Command::Analyze(command) => analyze::run(&command, output),
        Command::Verify(command) => verify::run(&command, output),
        Command::Corpus(command) => corpus::run(command, output),
        Command::Simulate(command) => simulate::run(&command),
        Command::Policy(command) => policy::run(command),
        Command::Schema(command) => schema::run(&command),
    }
}

/// The runtime of the commands that talk to a network.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::fault(format!("cannot start the runtime: {error}")))
}
