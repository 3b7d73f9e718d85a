//! A scenario file, and how it becomes a study: through files and the readers that `lacuna run` uses.

use std::fmt::Write as _;
use std::path::Path;

use lacuna_model::policy::Policy;
use lacuna_model::{AccountId, Duration, Study};
use lacuna_platform::ADAPTERS;
use lacuna_records::experiment;
use lacuna_runner::virtual_time::{Fault, FaultKind};
use serde::Deserialize;
use toml::{Table, Value};

use crate::expect::Expect;

/// A scenario as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in one sentence.
    #[expect(dead_code, reason = "for readers of the file; that it is there is checked")]
    about: String,
    /// With how many seeds it is run.
    #[serde(default = "one")]
    pub seeds: u64,
    /// An experiment file, less what the scenario itself knows: schema, name, design, platform and corpora.
    experiment: Table,
    /// A policy file, less schema and name.
    #[serde(default)]
    policy: Table,
    items: Items,
    #[serde(default)]
    fault: Vec<WrittenFault>,
    pub expect: Expect,
}

/// What is sent.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Items {
    /// Texts by id; components are joined by `+`.
    #[serde(default)]
    candidates: Table,
    /// So many candidates more that no rule knows: `n001`, `n002`, …
    #[serde(default)]
    neutral: u32,
    /// Neutral messages by which paths are known to be alive.
    #[serde(default = "sixty")]
    controls: u32,
    /// Texts by id.
    #[serde(default)]
    canaries: Table,
    /// Rules of an earlier list by id; components are joined by `+`.
    #[serde(default)]
    rules: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenFault {
    at: String,
    kind: String,
    account: Option<String>,
}

fn one() -> u64 {
    1
}

fn sixty() -> u32 {
    60
}

/// A scenario made into what a run needs.
pub struct Prepared {
    pub study: Study,
    pub policy: Policy,
    pub faults: Vec<Fault>,
}

impl Scenario {
    /// Reads the text of a scenario file.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Writes experiment, policy and corpora to a folder of their own and reads them as `lacuna run` does.
    pub fn prepare(&self) -> Result<Prepared, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).and_then(|()| std::fs::write(path, text)).unwrap();
        };
        let mut experiment = self.experiment.clone();
        let mut default = |key: &str, value: Value| {
            experiment.entry(key).or_insert(value);
        };
        default("schema", Value::Integer(1));
        default("name", Value::String("scenario".to_owned()));
        default("design", Value::String("screen".to_owned()));
        default("platform", table([("adapter", "simulator".into()), ("policy", "policy.toml".into())]));
        let folders = |name: &str, used: bool| Value::Array(if used { vec![name.into()] } else { Vec::new() });
        let canaries = folders("canaries", !self.items.canaries.is_empty());
        let rules = folders("rules", !self.items.rules.is_empty());
        let corpora = [
            ("candidates", folders("candidates", true)),
            ("controls", folders("controls", true)),
            ("canaries", canaries),
            ("rules", rules),
        ];
        default("corpora", table(corpora));
        // Pools are what some scenarios are about; in the others every message is an item's own.
        default("decision", table([]));
        if let Some(Value::Table(decision)) = experiment.get_mut("decision") {
            decision.entry("pooling").or_insert("off".into());
        }
        write("experiment.toml", &experiment.to_string());

        let mut policy = self.policy.clone();
        policy.entry("schema").or_insert(Value::Integer(1));
        policy.entry("name").or_insert("scenario".into());
        write("policy.toml", &policy.to_string());

        let neutral = (1..=self.items.neutral).map(|number| (format!("n{number:03}"), format!("neutral words number {number}")));
        let control = |number| (format!("c{number:03}"), format!("weather report number {number}"));
        write_corpus(&write, "candidates", written(&self.items.candidates)?.into_iter().chain(neutral));
        write_corpus(&write, "controls", (1..=self.items.controls).map(control));
        write_corpus(&write, "canaries", written(&self.items.canaries)?.into_iter());
        write_corpus(&write, "rules", written(&self.items.rules)?.into_iter());

        let (loaded, problems) = experiment::load(&folder.path().join("experiment.toml"), ADAPTERS, &[], &|_| Ok(()));
        let loaded = loaded.ok_or_else(|| problems.iter().fold(String::new(), |all, problem| all + &format!("{problem}\n")))?;
        let faults = self.fault.iter().map(|fault| fault.read(&loaded.study)).collect::<Result<_, _>>()?;
        let policy = loaded.policy.ok_or("the experiment has no policy")?;
        Ok(Prepared { study: loaded.study, policy, faults })
    }
}

impl WrittenFault {
    fn read(&self, study: &Study) -> Result<Fault, String> {
        let account = || {
            let id = AccountId::new(self.account.as_deref().ok_or_else(|| format!("the fault at {} names no account", self.at))?);
            let index = study.accounts.iter().position(|it| it.id == id).ok_or_else(|| format!("no account `{id}`"))?;
            u16::try_from(index).map(lacuna_model::AccountIx).map_err(|error| error.to_string())
        };
        let kind = match self.kind.as_str() {
            "gap" => FaultKind::Gap(account()?),
            "sanction" => FaultKind::Sanction(account()?),
            "crash" => FaultKind::Crash,
            "stop-request" => FaultKind::StopRequest,
            other => return Err(format!("no fault `{other}`: use gap, sanction, crash or stop-request")),
        };
        Ok(Fault { at: duration(&self.at)?, kind })
    }
}

/// Milliseconds or seconds: `300ms`, `5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 300ms or 5s");
    let number = |digits: &str| digits.parse::<i64>().map_err(|_| wrong());
    if let Some(digits) = text.strip_suffix("ms") {
        number(digits).map(Duration::from_millis)
    } else {
        number(text.strip_suffix('s').ok_or_else(wrong)?).map(Duration::from_secs)
    }
}

fn table<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn written(items: &Table) -> Result<Vec<(String, String)>, String> {
    let text = |(id, text): (&String, &Value)| {
        let text = text.as_str().ok_or_else(|| format!("the item `{id}` is no text"))?;
        Ok((id.clone(), text.to_owned()))
    };
    items.iter().map(text).collect()
}

fn write_corpus(write: &dyn Fn(&str, &str), id: &str, items: impl Iterator<Item = (String, String)>) {
    let head = ["title", "version", "licence"].map(|key| format!("{key} = \"{id}\"\n")).concat();
    let rest = "source = \"\"\ncitation = \"\"\nlanguage = \"und\"\ncontent-warning = \"\"\ncomponent-joiner = \"+\"\n";
    write(&format!("{id}/corpus.toml"), &format!("id = \"{id}\"\n{head}{rest}"));
    let mut rows = "item_id,kind,text\n".to_owned();
    for (id, text) in items {
        let _ = writeln!(rows, "{id},text,\"{}\"", text.replace('"', "\"\""));
    }
    write(&format!("{id}/items.csv"), &rows);
}

/// Every scenario file of a folder, in the order of their names.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    files
}
