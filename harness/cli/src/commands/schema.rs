//! `lacuna schema`.

use clap::{Args, ValueEnum};
use lacuna_platform::ADAPTERS;
use lacuna_records::schema;

use crate::exit::{Exit, Failure};
use crate::output::print_json;

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
}

/// Prints a JSON Schema.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let schema = match arguments.kind {
        Kind::Experiment => schema::experiment(ADAPTERS),
        Kind::Policy => schema::policy(),
        Kind::Corpus => schema::corpus(),
    };
    print_json(&schema)?;
    Ok(Exit::Done)
}
