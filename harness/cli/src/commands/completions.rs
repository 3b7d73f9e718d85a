//! `lacuna completions`.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};

use crate::arguments;
use crate::exit::{Exit, Failure};
use crate::output::print_bytes;

/// For which shell.
#[derive(Args, Debug)]
#[command(after_help = "Where shells look for them:\n  \
    lacuna completions bash > ~/.local/share/bash-completion/completions/lacuna\n  \
    lacuna completions fish > ~/.config/fish/completions/lacuna.fish\n  \
    lacuna completions zsh > ~/.zfunc/_lacuna\n\nFor zsh, `fpath+=~/.zfunc` stands before `compinit` in ~/.zshrc.")]
pub struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "bash|zsh|fish", hide_possible_values = true)]
    shell: Known,
}

/// The shells that are known.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Prints the completions.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let shell = match arguments.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut arguments::Arguments::command(), "lacuna", &mut script);
    print_bytes(&script)?;
    Ok(Exit::Done)
}
