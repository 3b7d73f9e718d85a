//! `docs/scheduled/lacuna-measure` and the files that call it, with a stand-in for `lacuna` that writes down what it was asked for and ends
//! as the test wants.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::repository;

/// A machine on which `lacuna` ends as told.
struct Machine {
    folder: TempDir,
}

const LACUNA: &str = r#"#!/bin/sh
echo "lacuna $*" >>"$HERE/asked"
case $1 in
    run)
        [ "$RUN_CODE" -lt 5 ] || exit "$RUN_CODE"
        run=$4/example/20161220T080000Z-00000002
        mkdir -p "$run"
        printf '{\n  "exit_code": %s\n}\n' "$RUN_CODE" >"$run/manifest.json"
        printf '{\n  "run_id": "x",\n  "folder": "%s",\n  "end": "done"\n}\n' "$run"
        echo '## example: told' >>"$GITHUB_STEP_SUMMARY"
        exit "$RUN_CODE"
        ;;
    compare) exit "$COMPARE_CODE" ;;
esac
"#;

impl Machine {
    /// With earlier runs, each with its exit code; none if there is none.
    fn new(earlier: &[(&str, Option<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bin/lacuna");
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::write(&program, LACUNA).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        for (run, code) in earlier {
            let run = folder.path().join("results/example").join(run);
            fs::create_dir_all(&run).unwrap();
            if let Some(code) = code {
                fs::write(run.join("manifest.json"), format!("{{\n  \"exit_code\": {code},\n  \"more\": 1\n}}\n")).unwrap();
            }
        }
        Self { folder }
    }

    fn measure(&self, arguments: &[&str], run_code: u8, compare_code: u8) -> Output {
        self.command(arguments, run_code, compare_code).output().unwrap()
    }

    fn command(&self, arguments: &[&str], run_code: u8, compare_code: u8) -> Command {
        let here = self.folder.path();
        let mut command = Command::new(repository("docs/scheduled/lacuna-measure").canonicalize().unwrap());
        command.args(arguments).current_dir(here).env_clear().env("HERE", here);
        command.env("PATH", format!("{}:/usr/bin:/bin", here.join("bin").display()));
        command.env("RUN_CODE", run_code.to_string()).env("COMPARE_CODE", compare_code.to_string());
        command
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const EARLIER: [(&str, Option<u8>); 4] = [
    ("20161101T080000Z-00000001", Some(0)),
    ("20161206T053000Z-0000000a", Some(0)),
    // Nothing was concluded; nothing was sealed.
    ("20161213T051700Z-0000000b", Some(3)),
    ("20161214T051700Z-0000000c", None),
];

#[test]
fn a_run_is_compared_with_the_last_ones_that_concluded_something() {
    for (compared, code) in [(0, 0), (5, 5), (3, 3), (2, 2)] {
        let machine = Machine::new(&EARLIER);
        let output = machine.measure(&["experiments/x.toml"], 0, compared);
        assert_eq!(output.status.code(), Some(code));
        let expected = "lacuna run experiments/x.toml --results results --ci --output-format json\n\
                        lacuna compare results/example/20161101T080000Z-00000001 \
                        results/example/20161206T053000Z-0000000a results/example/20161220T080000Z-00000002 --ci --fail-on-change\n";
        assert_eq!(machine.asked(), expected);
        // Nobody else wants the summary, so that it comes as mail.
        assert_eq!(out(&output), "## example: told\n");
    }
}

#[test]
fn what_came_to_no_conclusion_is_not_compared_and_its_exit_code_stays() {
    for code in [1, 2, 3, 4, 130] {
        let machine = Machine::new(&EARLIER);
        assert_eq!(machine.measure(&["experiments/x.toml"], code, 0).status.code(), Some(code.into()));
        assert!(!machine.asked().contains("compare"), "{}", machine.asked());
    }
    let machine = Machine::new(&[]);
    let output = machine.measure(&["experiments/x.toml"], 0, 1);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("no earlier run to compare with") && !machine.asked().contains("compare"));
}

#[test]
fn runs_that_are_missing_are_told() {
    // The runs of EARLIER began years ago, whatever the clock says; one that has just begun cannot be late.
    let machine = Machine::new(&EARLIER);
    let output = machine.measure(&["--every", "7", "experiments/x.toml"], 0, 5);
    assert_eq!(output.status.code(), Some(5));
    assert!(
        out(&output).contains("Runs are missing: ") && out(&output).contains("(2016-12-06 05:30:00 UTC)"),
        "{}",
        out(&output)
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("Runs are missing"));

    let now = Command::new("date").args(["-u", "+%Y%m%dT%H%M%SZ-0000000a"]).output().unwrap();
    let machine = Machine::new(&[(out(&now).trim(), Some(0))]);
    let output = machine.measure(&["--every", "1", "experiments/x.toml"], 0, 0);
    assert!(!out(&output).contains("missing"), "{}", out(&output));
}

#[test]
fn a_ci_service_is_given_the_run_and_the_summary_in_files() {
    let machine = Machine::new(&[]);
    let (summary, outputs) = (machine.folder.path().join("summary"), machine.folder.path().join("outputs"));
    let mut command = machine.command(&["--results", "kept", "x.toml"], 4, 0);
    let output = command.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs).output().unwrap();
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(4), ""));
    assert_eq!(fs::read_to_string(summary).unwrap(), "## example: told\n");
    assert_eq!(fs::read_to_string(outputs).unwrap(), "run=kept/example/20161220T080000Z-00000002\n");
}

#[test]
fn a_wrong_command_line_sends_nothing() {
    for wrong in [
        &[][..],
        &["--every", "x.toml"],
        &["--every", "a", "x.toml"],
        &["--every", "0", "x.toml"],
        &["--often", "1", "x.toml"],
        &["a", "b", "c"],
    ] {
        let machine = Machine::new(&[]);
        let output = machine.measure(wrong, 0, 0);
        assert_eq!((output.status.code(), machine.asked().as_str()), (Some(2), ""), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: "));
    }
}

/// The command in a unit or a crontab, from the name of the script on.
fn called_in(file: &str) -> Vec<String> {
    let text = fs::read_to_string(repository("docs/scheduled").join(file)).unwrap();
    let mut calls = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once("lacuna-measure "));
    let (before, call) = calls.next().unwrap_or_else(|| panic!("{file} calls nothing"));
    assert!(before.ends_with("ExecStart=/usr/local/bin/") || before.ends_with("flock --nonblock measure.lock "), "{before}");
    assert!(calls.next().is_none());
    call.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_unit_and_the_crontab_call_the_script_as_it_wants_to_be_called() {
    for file in ["lacuna-measure.service", "crontab"] {
        let machine = Machine::new(&[]);
        let call = called_in(file);
        let results = machine.folder.path().join("results").display().to_string();
        let arguments: Vec<&str> =
            call.iter().map(|it| if it == "/var/lib/lacuna/results" { &results } else { it.as_str() }).collect();
        let output = machine.measure(&arguments, 0, 0);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        // And so is `lacuna`: with an experiment that is there it runs to its end in `weeks`, here it is read as far as the file's name.
        let asked = machine.asked();
        let words: Vec<&str> = asked.lines().next().unwrap().split(' ').skip(1).collect();
        let said = Command::new(env!("CARGO_BIN_EXE_lacuna")).args(&words).current_dir(machine.folder.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(stderr.contains("experiments/quickstart.toml") && !stderr.contains("Usage:"), "{asked}: {stderr}");
    }
}

#[test]
fn the_script_is_executable_and_plain() {
    for script in ["docs/scheduled/lacuna-measure", ".github/scripts/measurements"] {
        let script = repository(script);
        assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o111, 0o111, "{}", script.display());
        assert!(is_read_by("sh", &script) && is_read_by("bash", &script), "{}", script.display());
    }
}

fn is_read_by(shell: &str, script: &Path) -> bool {
    Command::new(shell).arg("-n").arg(script).status().unwrap().success()
}

#[test]
fn each_exit_code_becomes_an_annotation_and_a_result() {
    let judge = |code: &str, fail_on_change: &str| {
        let mut command = Command::new(repository(".github/scripts/measurements").canonicalize().unwrap());
        let output = command.args(["judge", code, fail_on_change]).output().unwrap();
        (output.status.code().unwrap(), out(&output).split(' ').next().unwrap().trim().to_owned())
    };
    for (code, fail_on_change, result, annotation) in [
        ("0", "true", 0, ""),
        ("5", "false", 0, "::notice"),
        ("5", "", 0, "::notice"),
        ("5", "true", 5, "::notice"),
        ("3", "", 3, "::warning"),
        ("4", "", 4, "::warning"),
        ("1", "", 1, "::error"),
        ("2", "", 2, "::error"),
        ("130", "", 130, "::error"),
        ("", "", 1, "::error"),
    ] {
        assert_eq!(judge(code, fail_on_change), (result, annotation.to_owned()), "{code}");
    }
}
