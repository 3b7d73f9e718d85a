//! `plan`, its lock, and what `run` makes of a locked experiment.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Said, file, folder, lacuna};

/// A copy of the small experiment with all its files, and a place for results.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["experiments", "policies", "corpora"] {
            copy(Path::new(&file(part)), &folder.path().join(part));
        }
        fs::create_dir(folder.path().join("results")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn said(&self, command: &str, more: &[&str]) -> Said {
        let experiment = self.path("experiments/small.toml").display().to_string();
        let mut arguments = vec![command, &experiment];
        arguments.extend(more);
        let Said { code, stdout, stderr } = Said::by(lacuna(&arguments));
        let folder = self.folder.path().display().to_string() + "/";
        Said { code, stdout: stdout.replace(&folder, ""), stderr: stderr.replace(&folder, "") }
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.path(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, before + text).unwrap();
    }

    fn lock(&self) -> String {
        let said = self.said("plan", &["--lock"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stderr
    }

    /// Runs it, and gives the summary and the manifest.
    fn run(&self, more: &[&str]) -> (Value, Value) {
        let experiment = self.path("experiments/small.toml").display().to_string();
        let mut arguments = vec!["run", &experiment, "--output-format", "json"];
        arguments.extend(more);
        let said = Said::by(lacuna(&arguments));
        assert!([0, 4].contains(&said.code), "{}", said.stderr);
        let summary = said.json();
        let folder = folder(&summary);
        let verified = Said::by(lacuna(&["verify", &folder.display().to_string()]));
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        let manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        (summary, manifest)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &place) } else { _ = fs::copy(entry.path(), place).unwrap() }
    }
}

/// The text with every hash as `…` and every moment as `WHEN`.
fn steady(text: &str) -> String {
    let name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | ':' | '.');
    let replaced = text.split_inclusive(|it| !name(it)).map(|word| {
        let bare = word.trim_end_matches(|it| !name(it) || it == ':');
        let is_hash = bare.len() == 64 && bare.chars().all(|it| it.is_ascii_hexdigit());
        let is_moment = bare.len() == 24 && bare.ends_with('Z');
        let shown = if is_hash {
            "…"
        } else if is_moment {
            "WHEN"
        } else {
            bare
        };
        format!("{shown}{}", &word[bare.len()..])
    });
    replaced.collect()
}

fn kinds(deviations: &Value) -> Vec<(&str, &str)> {
    let all = deviations["deviations"].as_array().unwrap();
    all.iter().map(|it| (it["kind"].as_str().unwrap(), it["subject"].as_str().unwrap())).collect()
}

#[test]
fn a_plan_says_what_it_costs_and_finds_and_what_to_mend() {
    let here = Copy::new();
    let said = here.said("plan", &[]);
    assert_eq!(said.code, 0);
    // The figures are the engine's; how they are told is what is pinned here.
    let words = said.stdout.lines().filter(|line| !line.starts_with(|it: char| it.is_ascii_digit() || it == '─')).map(|line| {
        let words = line.split_whitespace().map(|it| match it {
            "s" | "min" => "UNIT",
            "s," | "min," => "UNIT,",
            it if it.contains(|it: char| it.is_ascii_digit()) => "N",
            it => it,
        });
        words.collect::<Vec<_>>().join(" ")
    });
    assert_snapshot!(format!("{}\n--- stderr\n{}", words.collect::<Vec<_>>().join("\n"), said.stderr));
    assert_eq!(here.said("plan", &[]).stdout, said.stdout, "the same plan twice");
    assert_eq!(fs::read_dir(here.path("results")).unwrap().count(), 0, "something was written");
    assert!(!here.path("experiments/small.lock").exists());
}

#[test]
fn budgets_that_do_not_carry_the_run_are_told() {
    let here = Copy::new();
    let more =
        ["--set", "safety.max-messages=50", "--set", "safety.max-messages-per-account-per-day=70", "--output-format", "json"];
    let kinds = |said: &Said| -> Vec<String> {
        said.json()["warnings"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    };
    let plan = here.said("plan", &more);
    assert_eq!(kinds(&plan), ["message_budget", "daily_budget", "few_accounts", "no_canaries"]);
    assert_eq!(plan.json()["accounts"][0]["sent_today"], 0);
    assert_eq!(plan.json()["bounds"]["max_messages"], 50);

    // What the accounts have sent today already counts.
    let sent = here.run(&[]).1["counts"]["started"].as_u64().unwrap();
    let plan = here.said("plan", &["--set", "safety.max-messages-per-account-per-day=120", "--output-format", "json"]);
    assert_eq!(plan.json()["accounts"][0]["sent_today"], sent);
    assert_eq!(kinds(&plan)[0], "daily_budget");
    let text = plan.json()["warnings"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("of which {sent} are sent today already")), "{text}");

    let plan = here.said("plan", &["--set", "decision.max-probes-per-item=1", "--output-format", "json"]);
    assert!(kinds(&plan).contains(&"low_power".to_owned()), "{}", plan.stdout);
}

#[test]
fn a_locked_experiment_is_run_as_it_was_locked() {
    let here = Copy::new();
    let told = here.lock();
    assert!(told.contains("Locked in experiments/small.lock: keep it"), "{told}");
    let lock: Value = serde_json::from_slice(&fs::read(here.path("experiments/small.lock")).unwrap()).unwrap();
    assert_eq!(lock["expected"]["experiment"], "small");
    assert_eq!(lock["inputs"].as_array().unwrap().len(), 4);
    // Its date is what it is for: one that holds is not written again.
    let told = steady(&here.lock());
    assert!(told.contains("experiments/small.lock was written on WHEN and still holds"), "{told}");

    let (summary, manifest) = here.run(&[]);
    let registration = &manifest["registration"];
    assert_eq!(registration["lock"], "small.lock");
    assert_eq!(registration["deviations"].as_array().unwrap().len(), 0, "{registration}");
    assert_eq!(summary["registration"], *registration);
    let input = manifest["inputs"].as_array().unwrap().iter().find(|it| it["kind"] == "lock").unwrap();
    assert_eq!(input["sha256"], registration["sha256"]);

    // What can be seen of the run itself is told, though nothing had changed.
    here.append("experiments/small.toml", "\n[safety]\nmax-messages = 20\n");
    assert!(steady(&here.lock()).contains(" in place of the one of WHEN: keep it"));
    let (_, manifest) = here.run(&[]);
    assert_eq!(kinds(&manifest["registration"]), [("stopped_early", "run")]);
    assert_eq!(manifest["registration"]["deviations"][0]["detail"], "message budget");
}

#[test]
fn a_locked_experiment_that_changed_is_refused_or_its_deviations_are_listed() {
    let here = Copy::new();
    here.lock();
    here.append("corpora/words/items.csv", "w9,text,one more,,,,,,,\n");
    let more = ["--set", "watch.late=200ms", "--seed", "9"];
    let said = here.said("run", &more);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert_snapshot!(steady(&said.stderr));
    assert_eq!(fs::read_dir(here.path("results")).unwrap().count(), 0, "something was written");

    let (summary, manifest) = here.run(&[&more[..], &["--deviate", "a word was forgotten"]].concat());
    let registration = &manifest["registration"];
    assert_eq!(registration["reason"], "a word was forgotten");
    assert_eq!(kinds(registration), kinds(&summary["registration"]));
    let changed = ["corpus ../corpora/words", "--set watch.late=200ms", "--set seed=9", "seed", "watch.late"];
    assert_eq!(kinds(registration), changed.map(|subject| ("changed", subject)));
    let run = folder(&summary).display().to_string();
    let analyzed = Said::by(lacuna(&["analyze", &run]));
    let shown = analyzed.stdout.split("\nDeviates").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_snapshot!(steady(&format!("Deviates{shown}")));
}

#[test]
fn there_must_be_something_to_deviate_from_and_a_lock_is_of_the_file_alone() {
    let here = Copy::new();
    let said = here.said("run", &["--deviate", "because"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("small.toml is not locked"), "{}", said.stderr);
    assert_eq!(here.said("run", &["--deviate", " "]).code, 2);
    assert_eq!(here.said("plan", &["--lock", "--seed", "7"]).code, 2);
    fs::write(here.path("experiments/small.lock"), "{}").unwrap();
    for command in [&["run"][..], &["plan", "--lock"]] {
        let said = here.said(command[0], &command[1..]);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains("small.lock: this is no lock"), "{}", said.stderr);
    }
}

#[test]
fn a_plan_leaves_out_what_is_not_due_and_its_lock_holds_when_runs_are_added() {
    let here = Copy::new();
    here.append(
        "experiments/small.toml",
        "\n[predecessor]\nruns = \"../results/small\"\nretest-above = 0.99\nretest-sample = 0.0\n",
    );
    let json = ["--output-format", "json"];
    let first = here.said("plan", &json);
    assert!(first.stderr.contains("every item is asked"), "{}", first.stderr);
    let all = first.json()["candidates"].as_u64().unwrap();
    let due =
        |plan: &Said| -> [u64; 3] { ["runs", "due", "left_out"].map(|key| plan.json()["predecessor"][key].as_u64().unwrap()) };
    assert_eq!(due(&first), [0, all, 0]);
    here.lock();
    here.run(&[]);

    // What was concluded in the first run is not due so soon, and costs nothing.
    let second = here.said("plan", &json);
    let [runs, asked, left_out] = due(&second);
    assert_eq!((runs, asked + left_out), (1, all));
    assert!(left_out > 0, "{}", second.stdout);
    assert_eq!(second.json()["candidates"], asked);
    let messages = |plan: &Said| {
        let plan = plan.json();
        plan["cells"][usize::try_from(plan["expected"].as_u64().unwrap()).unwrap()]["messages"]["mean"].as_f64().unwrap()
    };
    assert!(messages(&second) < messages(&first), "{}", second.stdout);
    let said = here.said("plan", &[]).stdout;
    let told =
        format!("Due       {asked} of {all} candidates; {left_out} are left out of this run (earlier runs that were read: 1)");
    assert!(said.contains(&told), "{said}");

    // With nothing to ask there is nothing to say of what it finds.
    assert_eq!(asked, 0);
    assert!(said.contains("no candidate is due") && !said.contains("1 of 0"), "{said}");

    // The lock is of the rules and the files; which runs there are by now is no deviation from it.
    assert!(here.lock().contains("still holds"));
    let (_, manifest) = here.run(&[]);
    assert_eq!(kinds(&manifest["registration"]), []);
    assert!(manifest["inputs"].as_array().unwrap().iter().any(|it| it["kind"] == "predecessor"));
    let counted = manifest["corpora"]["words"].as_object().unwrap();
    assert_eq!((counted["candidates"].as_u64(), counted["sent"].as_u64()), (Some(all), Some(asked)));
}

#[test]
fn earlier_runs_enter_the_next_one_and_what_is_damaged_is_told() {
    let here = Copy::new();
    let (first, _) = here.run(&[]);
    let (second, manifest) = here.run(&[]);
    assert_eq!(first["findings"], second["findings"]);
    let history = manifest["inputs"].as_array().unwrap().iter().find(|it| it["kind"] == "history").unwrap();
    assert_eq!(history["path"], format!("{}/verdicts.csv", first["run_id"].as_str().unwrap()));
    let journal = fs::read_to_string(folder(&second).join("journal.jsonl")).unwrap();
    let header: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    let dropped = header["study"]["items"].as_array().unwrap().iter().find(|it| it["id"] == "words/w1").unwrap();
    assert_eq!((&dropped["prior"]["blocked_before"], &dropped["prior"]["passed_before"]), (&1.into(), &1.into()));

    let verdicts = folder(&first).join("verdicts.csv");
    let text = fs::read_to_string(&verdicts).unwrap();
    fs::write(&verdicts, text.replace("dropped", "delivered")).unwrap();
    let said = here.said("run", &[]);
    assert_eq!(said.code, 0);
    assert!(said.stderr.contains("verdicts.csv is not the one that the manifest describes"), "{}", said.stderr);
}
