//! `lacuna simulate`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use lacuna_records::policy;
use lacuna_simulator::http::{Ocr, Server};

use super::runtime;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::signals;

/// What to serve.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna simulate --policy experiments/policies/registration-keyed.toml \\\n    --listen 127.0.0.1:8181\n\n\
                  Prints its address as one line on stdout once it listens; an experiment uses it with `url = \"http://…\"` in [platform]. \
                  Ends on Ctrl-C."
)]
pub struct Arguments {
    /// What the platform filters (TOML)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where to listen: an address of the loopback interface and a port, 0 for a free one
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    listen: SocketAddr,
    /// Append every submission to this file, a JSON object a line, before it is answered
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Read the text in pictures with this program, called as `PROGRAM stdin stdout -l LANGUAGES`, instead of believing what the corpus
    /// declares
    #[arg(long, value_name = "PROGRAM")]
    ocr: Option<PathBuf>,
    /// The languages that it reads
    #[arg(long, value_name = "LANGUAGES", default_value = "eng", requires = "ocr")]
    ocr_languages: String,
    /// The seed of loss, delay and enforcement
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Anybody who reaches the simulator may use it, so it is not served to other machines.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "give an address and a port, such as 127.0.0.1:8181".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the simulator listens on the loopback interface only, such as 127.0.0.1:8181 or [::1]:8181".to_owned())
    }
}

/// Serves until Ctrl-C.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (policy, problems) = policy::load(&arguments.policy);
    let Some(policy) = policy.filter(|_| problems.is_empty()) else { return Err(Failure::Problems(problems)) };
    runtime()?.block_on(async {
        let ocr = arguments.ocr.clone().map(|program| Ocr { program, languages: arguments.ocr_languages.clone() });
        let log = arguments.log.as_deref();
        let server = Server::start_with_reader(&policy, arguments.seed, arguments.listen, log, ocr);
        let server = server.await.map_err(Failure::input)?;
        print(&format!("http://{}\n", server.addr()))?;
        signals::wait().await?;
        server.stop().await;
        Ok(Exit::Done)
    })
}
