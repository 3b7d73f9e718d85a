//! `lacuna corpus`.

mod collide;
mod import;
mod lint;
mod render;
mod transform;

use clap::Subcommand;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};

/// What to do with corpora.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Report everything that is wrong with corpora
    Lint(lint::Arguments),
    /// Make a corpus of a list: a table (CSV) with a column of keywords, or plain text with one a line
    Import(Box<import::Arguments>),
    /// Make a corpus of pictures: each phrase of a list, drawn in one or more styles
    Render(Box<render::Arguments>),
    /// Make a corpus that shows by what pictures are filtered: each picture transformed, so that every file keeps something else
    Transform(Box<transform::Arguments>),
    /// Make two files of two pictures that show one each and have one MD5
    Collide(collide::Arguments),
}

/// Runs `lacuna corpus …`.
pub fn run(command: Command, output: OutputFormat) -> Result<Exit, Failure> {
    match command {
        Command::Lint(arguments) => lint::run(&arguments, output),
        Command::Import(arguments) => import::run(*arguments, output),
        Command::Collide(arguments) => collide::run(arguments, output),
        Command::Render(arguments) => render::run(*arguments, output),
        Command::Transform(arguments) => transform::run(*arguments, output),
    }
}
