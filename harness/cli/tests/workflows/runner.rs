//! Runs a workflow on this machine as it is written: its `run` blocks by a shell, in a fresh copy of the work tree, with GitHub's files for
//! variables, outputs, paths and summaries.
//!
//! What is not here has declared stand-ins: actions are the functions of [`Runner::action`], `gh` and `cargo` the scripts in `stand-ins/`.
//! `cargo build` would build all of it again; the stand-in puts the command that these tests were built with where a release build would
//! put its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::expression::{Contexts, Value};
use crate::workflow::{Job, Step, Workflow};

/// A GitHub on this machine: its releases and artifacts, and a repository with its variables.
pub struct GitHub {
    pub folder: tempfile::TempDir,
    /// The work tree that is checked out.
    pub tree: PathBuf,
    pub variables: BTreeMap<String, String>,
}

/// What became of a job.
#[derive(Debug, Default)]
pub struct JobResult {
    pub skipped: bool,
    pub failed: bool,
    pub outputs: BTreeMap<String, String>,
    /// What the steps said, each with its name.
    pub log: String,
    /// The summaries of the steps.
    pub summary: String,
}

impl GitHub {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        for inner in ["releases", "artifacts", "bin"] {
            fs::create_dir(folder.path().join(inner)).unwrap();
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        copy(&workspace, &tree);
        Self { folder, tree, variables: BTreeMap::new() }
    }

    pub fn releases(&self) -> PathBuf {
        self.folder.path().join("releases")
    }

    /// What `gh` was asked to do.
    pub fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("gh.log")).unwrap_or_default()
    }

    /// Runs the workflow as if a person had started it with these inputs.
    pub fn dispatch(&self, workflow: &Workflow, inputs: &[(&str, Value)]) -> BTreeMap<String, JobResult> {
        let artifacts = self.folder.path().join("artifacts");
        fs::remove_dir_all(&artifacts).unwrap();
        fs::create_dir(&artifacts).unwrap();
        let mut contexts = Contexts { open: vec!["vars.".to_owned()], ..Contexts::default() };
        contexts.set("github.ref", "refs/heads/main");
        for (name, value) in &self.variables {
            contexts.set(&format!("vars.{name}"), value);
        }
        for (name, input) in &workflow.on.workflow_dispatch.as_ref().unwrap().inputs {
            let given = inputs.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
            let default = match &input.default {
                Json::Bool(it) => Value::Bool(*it),
                other => Value::Text(text(other)),
            };
            contexts.values.insert(format!("inputs.{name}"), given.unwrap_or(default));
        }
        for (name, _) in inputs {
            assert!(contexts.values.contains_key(&format!("inputs.{name}")), "no input {name}");
        }
        let mut results: BTreeMap<String, JobResult> = BTreeMap::new();
        while results.len() < workflow.jobs.len() {
            let ready = |job: &Job| job.needs.as_ref().is_none_or(|it| results.contains_key(it));
            let (name, job) = workflow.jobs.iter().find(|(name, job)| !results.contains_key(*name) && ready(job)).unwrap();
            let mut of_job = contexts.clone();
            if let Some(needed) = &job.needs {
                let before = &results[needed];
                of_job.failed = before.failed || before.skipped;
                of_job.open.push(format!("needs.{needed}.outputs."));
                for (output, value) in &before.outputs {
                    of_job.set(&format!("needs.{needed}.outputs.{output}"), value);
                }
            }
            let result = if of_job.holds(job.condition.as_deref()) {
                of_job.failed = false;
                Runner::new(self, workflow, job, of_job).run()
            } else {
                JobResult { skipped: true, ..JobResult::default() }
            };
            results.insert(name.clone(), result);
        }
        results
    }
}

/// One job under way.
struct Runner<'a> {
    github: &'a GitHub,
    job: &'a Job,
    contexts: Contexts,
    /// The job's machine: its work space and what is temporary.
    machine: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    paths: Vec<String>,
    result: JobResult,
}

impl<'a> Runner<'a> {
    fn new(github: &'a GitHub, workflow: &Workflow, job: &'a Job, mut contexts: Contexts) -> Self {
        let permissions = job.permissions.as_ref().unwrap_or(&workflow.permissions);
        // The token says what it may do, so that the stand-in of `gh` can refuse.
        let may = permissions.get("contents").map_or("none", String::as_str);
        contexts.set("github.token", format!("contents:{may}"));
        for id in job.steps.iter().filter_map(|step| step.id.as_ref()) {
            contexts.open.push(format!("steps.{id}.outputs."));
        }
        let machine = tempfile::tempdir().unwrap();
        fs::create_dir(machine.path().join("work")).unwrap();
        let environment = workflow.env.iter().map(|(name, value)| (name.clone(), contexts.interpolate(&text(value)))).collect();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workflows/stand-ins");
        let paths = vec![here.display().to_string(), "/usr/local/bin:/usr/bin:/bin".to_owned()];
        let runs_on = contexts.interpolate(&job.runs_on);
        assert_eq!(runs_on, "ubuntu-latest", "a runner that is not here");
        Self { github, job, contexts, machine, environment, paths, result: JobResult::default() }
    }

    fn workspace(&self) -> PathBuf {
        self.machine.path().join("work")
    }

    fn run(mut self) -> JobResult {
        for (number, step) in self.job.steps.iter().enumerate() {
            let name = step.name.as_ref().or(step.uses.as_ref()).map_or_else(|| number.to_string(), Clone::clone);
            if !self.contexts.holds(step.condition.as_deref()) {
                self.say(&format!("== {name}: skipped"));
                continue;
            }
            self.say(&format!("== {name}"));
            let succeeded = match (&step.uses, &step.run) {
                (Some(action), None) => self.action(action, step),
                (None, Some(script)) => self.script(number, script, step),
                _ => panic!("{name}: either `uses` or `run`"),
            };
            if !succeeded {
                self.say(&format!("== {name}: failed"));
                self.contexts.failed = true;
            }
        }
        self.result.failed = self.contexts.failed;
        self.result.outputs =
            self.job.outputs.iter().map(|(name, value)| (name.clone(), self.contexts.interpolate(value))).collect();
        self.result
    }

    fn say(&mut self, line: &str) {
        self.result.log += line;
        self.result.log.push('\n');
    }

    fn environment_of(&self, step: &Step) -> BTreeMap<String, String> {
        let mut environment = self.environment.clone();
        environment.extend(step.env.iter().map(|(name, value)| (name.clone(), self.contexts.interpolate(&text(value)))));
        environment
    }

    /// What GitHub's shell does: `bash -e` on a file with the script.
    fn script(&mut self, number: usize, script: &str, step: &Step) -> bool {
        let script = self.contexts.interpolate(script);
        let file = |kind: &str| {
            let path = self.machine.path().join(format!("{number}-{kind}"));
            fs::write(&path, "").unwrap();
            path
        };
        let [body, variables, output, path, summary] = ["script.sh", "env", "output", "path", "summary"].map(file);
        fs::write(&body, script).unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e"]).arg(&body).current_dir(self.workspace()).env_clear();
        command.envs(self.environment_of(step));
        command
            .env("PATH", self.paths.join(":"))
            .env("HOME", self.machine.path())
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_ENV", &variables).env("GITHUB_OUTPUT", &output).env("GITHUB_PATH", &path);
        command.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_REPOSITORY", "somebody/lacuna").env("NO_COLOR", "1");
        command.env("STAND_IN_LACUNA", env!("CARGO_BIN_EXE_lacuna")).env("STAND_IN_GITHUB", self.github.folder.path());
        let ended = command.output().unwrap();
        self.result.log += &String::from_utf8_lossy(&ended.stdout);
        self.result.log += &String::from_utf8_lossy(&ended.stderr);
        self.environment.extend(assignments(&variables));
        if let Some(id) = &step.id {
            for (name, value) in assignments(&output) {
                self.contexts.set(&format!("steps.{id}.outputs.{name}"), value);
            }
        }
        let added = fs::read_to_string(&path).unwrap();
        self.paths.splice(0..0, added.lines().rev().map(str::to_owned));
        let summary = fs::read_to_string(&summary).unwrap();
        assert!(summary.len() < 1 << 20, "GitHub shows no summary of {} bytes", summary.len());
        self.result.summary += &summary;
        ended.status.success()
    }

    /// The stand-ins of the actions that the workflows use.
    fn action(&mut self, action: &str, step: &Step) -> bool {
        let with: BTreeMap<&str, String> =
            step.with.iter().map(|(name, value)| (name.as_str(), self.contexts.interpolate(&text(value)))).collect();
        let only = |known: &[&str]| assert!(with.keys().all(|it| known.contains(it)), "{action} with {with:?}");
        let artifact = || self.github.folder.path().join("artifacts").join(&with["name"]);
        match action.split('@').next().unwrap() {
            "actions/checkout" => {
                only(&["persist-credentials"]);
                copy(&self.github.tree, &self.workspace());
            }
            "actions/upload-artifact" => {
                only(&["name", "path", "if-no-files-found", "retention-days"]);
                let from = self.workspace().join(&with["path"]);
                if from.is_dir() && fs::read_dir(&from).unwrap().next().is_some() {
                    copy(&from, &artifact());
                } else {
                    assert_eq!(with["if-no-files-found"], "warn");
                    self.result.log += "no files were found\n";
                }
            }
            "actions/download-artifact" => {
                only(&["name", "path"]);
                if !artifact().is_dir() {
                    self.result.log += "no such artifact\n";
                    return false;
                }
                copy(&artifact(), &self.workspace().join(&with["path"]));
            }
            _ => panic!("{action} has no stand-in"),
        }
        true
    }
}

/// `NAME=value` lines, as the workflows here write them.
fn assignments(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).unwrap();
    let line = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|it| line(it).unwrap_or_else(|| panic!("`{it}` is no assignment"))).collect()
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        other => panic!("{other} is no plain value"),
    }
}

/// A clean copy of a folder: nothing that was built, no history, no runs.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && ["target", ".git", "__pycache__"].iter().any(|it| name == *it) {
            continue;
        }
        let is_runs = kind.is_dir()
            && from.file_name().is_some_and(|it| it == "results")
            && from.parent().is_some_and(|it| it.join("Cargo.toml").exists());
        if kind.is_dir() && !is_runs {
            copy(&entry.path(), &to.join(name));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
