//! `lacuna verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use lacuna_design::ENGINE_VERSION;
use lacuna_platform::ADAPTERS;
use lacuna_records::experiment;
use lacuna_records::journal::JOURNAL_VERSION;
use lacuna_records::projection::PROJECTION_VERSION;
use lacuna_records::run_folder::JOURNAL;
use lacuna_records::verify::{FileReport, Finding, VerifyReport, VerifyVerdict, verify};
use lacuna_runner::replan::{OtherInput, Replan, ReplanStatus, header_of, replan};
use serde_json::{Value, json};

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// The version of the JSON verdict. Members are only added to a version.
const VERDICT_VERSION: u32 = 1;

/// Which run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  lacuna verify results/quickstart/20161130T080000Z-0a1b2c3d\n  \
                  lacuna verify results/quickstart/20161130T080000Z-0a1b2c3d --experiment experiments/quickstart.toml\n\n\
                  The exit code is 0 if everything is intact, and 2 if anything was found or could not be checked.")]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// Also plan the run again from its experiment: compare the files that it was made of, build the study with the run's seed, and
    /// take every decision of the journal again. No account is logged in, and no secret is needed
    #[arg(long, value_name = "EXPERIMENT")]
    experiment: Option<PathBuf>,
    /// A key of the experiment that was overridden when it was run. May be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "experiment")]
    set: Vec<String>,
}

/// Checks a run's folder.
pub fn run(arguments: &Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { run, experiment, set } = arguments;
    if !run.is_dir() {
        return Err(Failure::input(format!("{}: is no folder", run.display())));
    }
    let report = verify(run);
    let replanned = match experiment {
        // What cannot be read cannot be planned again; the report says why.
        Some(path) if report.run.is_some() => plan_again(run, path, set)?,
        _ => None,
    };
    let verdict = verdict_of(&report, replanned.as_ref(), experiment.is_some());
    match output {
        OutputFormat::Human => print_lines(&human(&report, replanned.as_ref(), experiment.as_deref()))?,
        OutputFormat::Json => print_json(&json_of(run, verdict, &report, replanned.as_ref()))?,
    }
    Ok(if verdict == VerifyVerdict::Intact { Exit::Done } else { Exit::Input })
}

/// Plans the run again; `None` if its journal cannot be read to its end, which the report tells.
fn plan_again(run: &Path, experiment: &Path, overrides: &[String]) -> Result<Option<Replan>, Failure> {
    let journal = run.join(JOURNAL);
    let Ok(header) = header_of(&journal) else { return Ok(None) };
    let mut all = vec![format!("seed={}", header.study.seed)];
    all.extend_from_slice(overrides);
    // Nobody is logged in, so it does not matter whether there are secrets.
    let (loaded, problems) = experiment::load(experiment, ADAPTERS, &all, &|_| Ok(()));
    let mut loaded = loaded.filter(|_| problems.is_empty()).ok_or(Failure::Problems(problems))?;
    Ok(replan(&journal, &mut loaded).ok())
}

/// The folder's verdict, and what planning the run again does to it.
fn verdict_of(report: &VerifyReport, replanned: Option<&Replan>, asked: bool) -> VerifyVerdict {
    let of_plan = match replanned.map(|it| it.status) {
        Some(ReplanStatus::OtherExperiment | ReplanStatus::OtherEngine) => VerifyVerdict::Unverifiable,
        Some(ReplanStatus::Diverged) => VerifyVerdict::Damaged,
        None if asked => VerifyVerdict::Unverifiable,
        Some(ReplanStatus::Same) | None => VerifyVerdict::Intact,
    };
    report.verdict().max(of_plan)
}

fn json_of(run: &Path, verdict: VerifyVerdict, report: &VerifyReport, replanned: Option<&Replan>) -> Value {
    let file = |FileReport { file, status, checks, problems }: FileReport<'_>| {
        let status = status.map_or(json!("intact"), |status| json!(status));
        json!({ "file": file, "status": status, "checks": checks, "problems": problems })
    };
    json!({
        "verify": VERDICT_VERSION,
        "verdict": verdict,
        "folder": run.display().to_string(),
        "run": report.run,
        "by": {
            "lacuna_version": env!("CARGO_PKG_VERSION"),
            "engine_version": ENGINE_VERSION,
            "journal_version": JOURNAL_VERSION,
            "projection_version": PROJECTION_VERSION,
        },
        "files": report.files().into_iter().map(file).collect::<Vec<_>>(),
        "findings": report.findings,
        "notes": report.notes,
        "replan": replanned,
    })
}

fn human(report: &VerifyReport, replanned: Option<&Replan>, experiment: Option<&Path>) -> Vec<String> {
    let finding = |it: &Finding| format!("{}: {}", visible(&it.file), visible(&it.problem));
    let mut lines: Vec<String> = report.findings.iter().map(finding).collect();
    lines.extend(report.notes.iter().map(|note| format!("note: {}", visible(note))));
    let checked = report.checked.len();
    lines.push(match report.findings.len() {
        0 => format!("{checked} files checked: all is as the journal says"),
        1 => format!("{checked} files checked, 1 finding"),
        count => format!("{checked} files checked, {count} findings"),
    });
    if let Some(experiment) = experiment {
        lines.extend(human_plan(&experiment.display().to_string(), replanned));
    }
    lines
}

/// What is told of planning a run again.
fn human_plan(experiment: &str, replanned: Option<&Replan>) -> Vec<String> {
    let experiment = visible(experiment);
    let Some(plan) = replanned else {
        return vec![format!("{experiment}: the run was not planned again, because its journal cannot be read to its end")];
    };
    let mut lines: Vec<String> =
        plan.inputs.iter().map(|input| format!("{}: {}", visible(&input.file), visible(&other(input)))).collect();
    match plan.study {
        Some(part) if plan.inputs.is_empty() => {
            lines.push(format!("{experiment}: gives another study: {part} differs (repeat each --set of the run)"));
        }
        Some(part) => lines.push(format!("{experiment}: gives another study: {part} differs")),
        None if plan.inputs.is_empty() => {
            lines.push(format!("{experiment}: gives the study of the run, with seed {}", plan.seed));
        }
        None => lines.push(format!("{experiment}: gives the study of the run nevertheless, with seed {}", plan.seed)),
    }
    if let Some(divergence) = &plan.divergence {
        lines.push(format!("{JOURNAL}: {}", visible(divergence)));
    } else if let Some(retraced) = plan.retraced {
        let (decisions, facts) = (retraced.decisions, retraced.facts);
        lines.push(format!("{decisions} decisions follow from {facts} facts: this Lacuna would have taken each of them"));
    } else {
        lines.push(format!(
            "the run cannot be planned again: engine version {} decided, this Lacuna has version {} (that is no damage)",
            plan.run_engine_version, plan.engine_version
        ));
    }
    lines
}

fn other(input: &OtherInput) -> String {
    match (input.run.as_str(), input.found.as_str()) {
        ("", found) => format!("was no part of the run (SHA-256 {found})"),
        (began, "") => format!("is missing (in the run SHA-256 {began})"),
        (began, found) => format!("is not the one of the run (SHA-256 {found}, in the run {began})"),
    }
}
