//! Completions and manual pages.

use std::fs;
use std::process::Command;

use crate::support::{Said, lacuna};

#[test]
fn each_shell_is_given_every_command() {
    for (shell, beginning) in [("bash", "_lacuna() {"), ("zsh", "#compdef lacuna"), ("fish", "# Print an optspec")] {
        let said = Said::by(lacuna(&["completions", shell]));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""));
        assert!(said.stdout.starts_with(beginning), "{shell}: {}", &said.stdout[..200]);
        for word in ["run", "plan", "evaluate", "analyze", "verify", "simulate", "collide", "experiment", "ci", "deviate"] {
            assert!(said.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(Said::by(lacuna(&["completions", "tcsh"])).code, 2);
}

#[test]
fn the_script_for_bash_is_one() {
    let said = Said::by(lacuna(&["completions", "bash"]));
    let script = tempfile::NamedTempFile::new().unwrap();
    let ask = "\nCOMP_WORDS=(lacuna ver) COMP_CWORD=1 COMPREPLY=()\n_lacuna lacuna ver lacuna\necho \"${COMPREPLY[*]}\"\n";
    fs::write(script.path(), said.stdout + ask).unwrap();
    let output = Command::new("bash").args(["--noprofile", "--norc"]).arg(script.path()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "verify", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let write = || Said::by(lacuna(&["man", &pages.display().to_string()]));
    assert_eq!(write().code, 0);
    let read = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    let names = ["lacuna.1", "lacuna-run.1", "lacuna-corpus-collide.1", "lacuna-policy-export.1", "lacuna-man.1"];
    for name in names {
        let page = read(name);
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
    }
    assert!(read("lacuna.1").contains("Exit codes"));
    // Every command that the help names has one, and the same again.
    let help = Said::by(lacuna(&["--help"])).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|it| *it != "help") {
        assert!(pages.join(format!("lacuna-{command}.1")).is_file(), "{command}");
    }
    let before = names.map(read);
    assert_eq!(write().code, 0);
    assert_eq!(names.map(read), before);
}
