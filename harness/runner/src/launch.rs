//! Platforms that are started for one run: the built-in simulator, and throw-away servers.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use lacuna_model::adapter::Setting;
use lacuna_model::policy::Policy;
use lacuna_model::{CountryCode, Problem};
use lacuna_platform::secrets::SecretError;
use lacuna_platform::{ResolvedSetting, ResolvedSettings};
use lacuna_records::experiment::Experiment;
use lacuna_simulator::export::prosody::{self, Addresses};
use lacuna_simulator::http::{Server, StartError};
use rand::RngExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// A throw-away server that is not ready by then has failed.
const START_LIMIT: std::time::Duration = std::time::Duration::from_mins(1);

/// A throw-away server that has not ended by then is killed.
const END_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// The settings of an experiment, secrets resolved, with the address of whatever was started for it.
pub struct Launched {
    /// `[platform]`.
    pub platform: ResolvedSettings,
    /// The accounts, in the order of the study.
    pub accounts: Vec<ResolvedSettings>,
    running: Running,
}

enum Running {
    Nothing,
    Simulator(Server),
    Program(Box<Program>),
}

/// A throw-away server. It lives as long as its standard input is open, so it ends also when this process is killed.
struct Program {
    child: Child,
    input: ChildStdin,
    /// The rules it filters by; removed at the end.
    _rules: tempfile::NamedTempFile,
}

/// A platform could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A secret cannot be resolved.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The simulator does not start.
    #[error("cannot start the simulator: {0}")]
    Simulator(#[from] StartError),
    /// The policy asks for something that the server cannot do.
    #[error("the policy cannot be turned into rules of the server")]
    Policy(Vec<Problem>),
    /// The program does not start.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program ended, or said something unexpected, before it was ready.
    #[error("{} did not get ready: {detail} (its own words stand above)", program.display())]
    NotReady {
        /// Which.
        program: PathBuf,
        /// What happened.
        detail: String,
    },
}

impl Launched {
    /// Resolves the secrets and starts what the experiment wants started.
    pub async fn start(experiment: &Experiment) -> Result<Self, LaunchError> {
        let mut platform = ResolvedSettings::resolve(&experiment.platform)?;
        let mut accounts = experiment.accounts.iter().map(ResolvedSettings::resolve).collect::<Result<Vec<_>, _>>()?;
        let running = match (experiment.study.adapter.as_str(), &experiment.policy, experiment.platform.get("launch")) {
            ("simulator", Some(policy), _) => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let server = Server::start(policy, experiment.study.seed, address, None).await?;
                platform.set("url", ResolvedSetting::Text(format!("http://{}", server.addr())));
                Running::Simulator(server)
            }
            (_, policy, Some(Setting::Path(program))) => {
                let rules = rules(experiment, policy.as_ref())?;
                for account in &mut accounts {
                    account.set("secret", ResolvedSetting::Secret(password().into()));
                }
                let (program, told) = Program::start(program, rules, &accounts).await?;
                for (key, value) in told {
                    platform.set(key, ResolvedSetting::Text(value));
                }
                Running::Program(Box::new(program))
            }
            _ => Running::Nothing,
        };
        Ok(Self { platform, accounts, running })
    }

    /// Stops what was started.
    pub async fn stop(self) {
        match self.running {
            Running::Nothing => {}
            Running::Simulator(server) => {
                server.stop().await;
            }
            Running::Program(program) => program.stop().await,
        }
    }
}

/// A password for an account that lives as long as the run.
fn password() -> String {
    let mut random = rand::rng();
    (0..24).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}

/// The policy as rules of the server. The host of an address stands for its region.
fn rules(experiment: &Experiment, policy: Option<&Policy>) -> Result<String, LaunchError> {
    let Some(policy) = policy else { return Ok(String::new()) };
    let mut addresses = Addresses::default();
    let mut hosts: BTreeMap<CountryCode, String> = BTreeMap::new();
    for (account, settings) in experiment.study.accounts.iter().zip(&experiment.accounts) {
        if let Some(Setting::Text(address)) = settings.get("address") {
            let host = address.rsplit('@').next().unwrap_or_default();
            hosts.insert(account.registered_in, host.to_owned());
            addresses.accounts.insert(account.id.clone(), address.clone());
        }
    }
    addresses.hosts = hosts;
    prosody::script(policy, &addresses).map(|script| script.text).map_err(LaunchError::Policy)
}

impl Program {
    /// Starts the program, tells it the accounts, and waits until it is ready. Returns what it said about itself.
    async fn start(
        program: &Path,
        rules: String,
        accounts: &[ResolvedSettings],
    ) -> Result<(Self, BTreeMap<String, String>), LaunchError> {
        let failed = |source| LaunchError::Start { program: program.to_owned(), source };
        let file = tempfile::Builder::new().prefix("lacuna-rules-").tempfile().map_err(failed)?;
        std::fs::write(file.path(), rules).map_err(failed)?;
        let mut child = Command::new(program)
            .arg("--rules")
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C in a terminal reaches the whole group; the server must outlive it, for the run ends in good order.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let not_ready = |detail: &str| LaunchError::NotReady { program: program.to_owned(), detail: detail.to_owned() };
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(not_ready("it has no standard input or output"));
        };
        let mut lines = String::new();
        for account in accounts {
            if let (Some(address), Some(secret)) = (account.text("address"), account.secret("secret")) {
                lines.push_str("account ");
                lines.push_str(address);
                lines.push(' ');
                lines.push_str(secrecy::ExposeSecret::expose_secret(secret));
                lines.push('\n');
            }
        }
        lines.push('\n');
        input.write_all(lines.as_bytes()).await.map_err(|error| not_ready(&error.to_string()))?;
        let told = tokio::time::timeout(START_LIMIT, listen(output)).await.map_err(|_| not_ready("it took too long"))?;
        let told = told.map_err(|detail| not_ready(&detail))?;
        Ok((Self { child, input, _rules: file }, told))
    }

    async fn stop(mut self) {
        drop(self.input);
        if tokio::time::timeout(END_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!("the throw-away server did not end by itself and is killed");
            if let Err(error) = self.child.kill().await {
                tracing::warn!(%error, "cannot kill the throw-away server");
            }
        }
    }
}

/// Reads lines `key value` until the line `ready`.
async fn listen(output: tokio::process::ChildStdout) -> Result<BTreeMap<String, String>, String> {
    let mut told = BTreeMap::new();
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
        match line.split_once(' ') {
            _ if line == "ready" => return Ok(told),
            Some((key, value)) if told.len() < 16 => {
                told.insert(key.to_owned(), value.to_owned());
            }
            _ => return Err(format!("it said `{}`", line.escape_debug())),
        }
    }
    Err("it ended".to_owned())
}
