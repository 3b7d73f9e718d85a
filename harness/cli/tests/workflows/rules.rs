//! What can be seen of the workflows without running them.

use crate::repository;
use crate::workflow::Workflow;

fn all() -> Vec<Workflow> {
    let mut files: Vec<_> =
        std::fs::read_dir(repository(".github/workflows")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| Workflow::read(file)).collect()
}

fn named(name: &str) -> Workflow {
    all().into_iter().find(|it| it.name == name).unwrap()
}

#[test]
fn actions_are_pinned_by_commit_with_their_version_beside_it() {
    for file in ["ci.yml", "measure.yml"] {
        let text = std::fs::read_to_string(repository(".github/workflows").join(file)).unwrap();
        let uses: Vec<&str> =
            text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: ")).collect();
        assert!(!uses.is_empty());
        for action in uses {
            let (pinned, version) = action.split_once(" # v").unwrap_or_else(|| panic!("{action}: no version"));
            let (_, commit) = pinned.split_once('@').unwrap();
            assert!(commit.len() == 40 && commit.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')), "{action}");
            assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{action}");
        }
    }
}

#[test]
fn nobody_may_more_than_read_but_the_job_that_adds_to_the_release() {
    let mut writers = Vec::new();
    for workflow in all() {
        assert_eq!(
            workflow.permissions.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(),
            [("contents", "read")]
        );
        for (name, job) in &workflow.jobs {
            for (scope, may) in job.permissions.iter().flatten() {
                assert!(scope == "contents" && may == "write", "{name}: {scope}: {may}");
                writers.push(name.clone());
            }
        }
    }
    assert_eq!(writers, ["publish"]);
}

#[test]
fn every_job_ends_and_no_checkout_leaves_its_token_behind() {
    for workflow in all() {
        for (name, job) in &workflow.jobs {
            assert!((1..=360).contains(&job.timeout_minutes), "{name}");
        }
        for step in workflow.steps().filter(|step| step.uses.as_ref().is_some_and(|it| it.starts_with("actions/checkout@"))) {
            assert_eq!(step.with["persist-credentials"], false);
        }
    }
}

#[test]
fn nothing_that_others_write_becomes_part_of_a_script() {
    for workflow in all() {
        for script in workflow.steps().filter_map(|step| step.run.as_ref()) {
            assert!(!script.contains("${{"), "{}: {script}", workflow.name);
            // What is longer stands in a script that a person can run.
            assert!(script.lines().count() <= 4, "{}: {script}", workflow.name);
        }
    }
}

#[test]
fn ci_runs_the_test_command_and_nothing_cleverer() {
    let ci = named("ci");
    let scripts: Vec<&str> = ci.steps().filter_map(|step| step.run.as_deref()).collect();
    assert_eq!(scripts, ["./test"]);
    assert!(ci.on.push.as_ref().unwrap().branches == ["main"] && ci.on.schedule.is_empty());
    assert!(ci.concurrency.cancel_in_progress);
}

#[test]
fn a_measurement_is_scheduled_off_the_hour_once_at_a_time_and_never_cancelled() {
    let measure = named("measure");
    let [schedule] = measure.on.schedule.as_slice() else { panic!("one schedule") };
    let fields: Vec<&str> = schedule.cron.split(' ').collect();
    assert_eq!(fields.len(), 5);
    let minute: u32 = fields[0].parse().unwrap();
    assert!((1..60).contains(&minute), "{minute}");
    // Once a week, which is what runs are expected after.
    assert!(fields[2] == "*" && fields[3] == "*" && fields[4].parse::<u32>().is_ok());
    assert_eq!(measure.env["EVERY_DAYS"], "7");
    assert!(!measure.concurrency.cancel_in_progress);
    // The same for all runs of the workflow: accounts and budgets are shared.
    assert!(!measure.concurrency.group.contains("${{"));
    let inputs = &measure.on.workflow_dispatch.as_ref().unwrap().inputs;
    assert_eq!(inputs.keys().collect::<Vec<_>>(), ["experiment", "fail-on-change", "runner"]);
    // A file with a schedule is disabled as a whole.
    assert!(measure.on.push.is_none());
    // Real accounts on a machine of one's own, the simulator by default.
    assert!(measure.jobs["measure"].runs_on.contains("vars.LACUNA_RUNNER || 'ubuntu-latest'"));
}

#[test]
fn the_timer_and_the_crontab_come_when_the_workflow_does() {
    let cron = named("measure").on.schedule[0].cron.clone();
    let crontab = std::fs::read_to_string(repository("docs/scheduled/crontab")).unwrap();
    assert!(crontab.lines().any(|line| line.starts_with(&cron)), "{crontab}");
    let timer = std::fs::read_to_string(repository("docs/scheduled/lacuna-measure.timer")).unwrap();
    let fields: Vec<u32> = cron.split(' ').filter_map(|it| it.parse().ok()).collect();
    let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][fields[2] as usize];
    assert!(timer.contains(&format!("OnCalendar={day} *-*-* {:02}:{:02}:00 UTC", fields[1], fields[0])), "{timer}");
}
