//! `lacuna schema`.

use clap::{Args, ValueEnum};
use lacuna_platform::ADAPTERS;
use lacuna_records::projection::data_dictionary;
use lacuna_records::schema;

use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};

/// Which schema.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna schema experiment > experiment.schema.json")]
pub struct Arguments {
    /// The kind of file: an experiment, a simulator's policy, or the corpus.toml of a corpus
    #[arg(value_enum, value_name = "experiment|policy|corpus", hide_possible_values = true)]
    kind: Kind,
}

/// A kind of file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// An experiment
    Experiment,
    /// A simulator's policy
    Policy,
    /// A corpus's corpus.toml
    Corpus,
    /// Every key of these three files, as Markdown
    Keys,
    /// Every table that is derived from a run, with its columns and words, as Markdown
    Tables,
}

/// Prints a JSON Schema, or a description for people.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match arguments.kind {
        Kind::Experiment => print_json(&schema::experiment(ADAPTERS))?,
        Kind::Policy => print_json(&schema::policy())?,
        Kind::Corpus => print_json(&schema::corpus())?,
        Kind::Keys => print(&schema::keys(ADAPTERS))?,
        Kind::Tables => print(&data_dictionary())?,
    }
    Ok(Exit::Done)
}
