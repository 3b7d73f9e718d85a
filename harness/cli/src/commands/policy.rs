//! `lacuna policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use lacuna_model::{AccountId, CountryCode};
use lacuna_records::policy;
use lacuna_simulator::export::prosody::{self, Addresses};

use crate::exit::{Exit, Failure};
use crate::output::print_to;

/// What to do with a policy.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Write a policy as rules of a real server
    Export(Export),
}

/// What to write.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna policy export --to prosody experiments/policies/xmpp-regions.toml \\\n    --host CN=cn.test --host US=us.test\n\n\
                  What the server cannot do is reported, all of it at once, and nothing is written."
)]
pub struct Export {
    /// The policy (TOML)
    policy: PathBuf,
    /// The server: prosody, for Prosody with `mod_firewall`
    #[arg(long, value_enum, value_name = "prosody", hide_possible_values = true)]
    to: Target,
    /// The virtual host that stands for a registration region. May be repeated
    #[arg(long, value_name = "CN=cn.example", value_parser = pair::<CountryCode>)]
    host: Vec<(CountryCode, String)>,
    /// The address of an account that a rule names. May be repeated
    #[arg(long, value_name = "ID=JID", value_parser = pair::<Name>)]
    account: Vec<(Name, String)>,
    /// Where the rules go; without it to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A server whose rules can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Target {
    /// Prosody with `mod_firewall`
    Prosody,
}

/// The pseudonym of an account.
#[derive(Clone, Debug)]
struct Name(AccountId);

impl std::str::FromStr for Name {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(AccountId::new(text)))
    }
}

fn pair<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(T, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    let name = name.trim().parse().map_err(|error: T::Err| error.to_string())?;
    Ok((name, value.trim().to_owned()))
}

/// Runs `lacuna policy …`.
pub fn run(command: Command) -> Result<Exit, Failure> {
    let Command::Export(Export { policy: path, to: Target::Prosody, host, account, output }) = command;
    let (policy, problems) = policy::load(&path);
    let Some(policy) = policy.filter(|_| problems.is_empty()) else { return Err(Failure::Problems(problems)) };
    let addresses = Addresses {
        hosts: host.into_iter().collect(),
        accounts: account.into_iter().map(|(Name(id), address)| (id, address)).collect(),
    };
    let script = prosody::script(&policy, &addresses).map_err(|mut problems| {
        for problem in &mut problems {
            problem.location.file.clone_from(&path);
        }
        Failure::Problems(problems)
    })?;
    print_to(output.as_deref(), &script.text)?;
    for table in script.left_out {
        eprintln!("note: [{table}] is the simulator's own and is not in the rules");
    }
    Ok(Exit::Done)
}
