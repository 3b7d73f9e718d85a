//! A workflow of GitHub as a value: of its syntax what the workflows here use, and nothing that the runner of these tests would leave out.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// A workflow file. A key that is not here makes reading fail: nobody would do what it says.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    pub name: String,
    pub on: Triggers,
    pub permissions: BTreeMap<String, String>,
    pub concurrency: Concurrency,
    #[serde(default)]
    pub env: BTreeMap<String, Value>,
    pub jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    #[serde(default)]
    pub schedule: Vec<Schedule>,
    pub workflow_dispatch: Option<Dispatch>,
    pub push: Option<Push>,
    #[serde(default, rename = "pull_request")]
    pub _pull_request: Option<Value>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub cron: String,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    pub inputs: BTreeMap<String, Input>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[serde(rename = "description")]
    pub _description: String,
    #[serde(rename = "type")]
    pub _kind: String,
    pub default: Value,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub branches: Vec<String>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Concurrency {
    pub group: String,
    pub cancel_in_progress: bool,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    pub runs_on: String,
    #[serde(rename = "container")]
    pub _container: Option<String>,
    pub timeout_minutes: u32,
    pub needs: Option<String>,
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub permissions: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub id: Option<String>,
    pub name: Option<String>,
    #[serde(rename = "if")]
    pub condition: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<String, Value>,
    pub uses: Option<String>,
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    pub run: Option<String>,
}

impl Workflow {
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.jobs.values().flat_map(|job| &job.steps)
    }
}
