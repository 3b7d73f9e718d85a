//! Other people's tools, through the Python that ./test installs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::workspace;

/// Runs a script of `tests/python` and gives what it said.
pub fn python(script: &str, arguments: &[&Path], run: Option<&Path>) -> String {
    let interpreter =
        std::env::var_os("LACUNA_PYTHON").map_or_else(|| workspace().join("target/python/bin/python"), PathBuf::from);
    let mut command = Command::new(&interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script)).args(arguments);
    // Kernels and caches of others are left alone.
    let home = tempfile::tempdir().unwrap();
    command.env("HOME", home.path()).env_remove("MPLBACKEND").env_remove("LACUNA_RUN").env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(run) = run {
        command.env("LACUNA_RUN", run);
    }
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}: run ./test once, which installs it, or set LACUNA_PYTHON", interpreter.display())
    });
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}
