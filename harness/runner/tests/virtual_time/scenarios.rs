//! Runs every file of `tests/scenarios/`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::expect::Seen;
use crate::invariants;
use crate::run::Run;
use crate::scenario::{Scenario, files};

/// So many differences of one scenario are shown.
const SHOWN: usize = 12;

#[test]
fn every_scenario_ends_as_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = files(&folder);
    assert!(files.len() >= 30, "only {} scenarios were found in {}", files.len(), folder.display());
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut failures = String::new();
    for file in files.iter().filter(|file| file.to_string_lossy().contains(&only)) {
        let name = file.file_name().unwrap().to_string_lossy();
        let differences = check(&std::fs::read_to_string(file).unwrap()).unwrap_or_else(|error| vec![error]);
        for difference in differences.iter().take(SHOWN) {
            let _ = writeln!(failures, "{name}: {difference}");
        }
        if differences.len() > SHOWN {
            let _ = writeln!(failures, "{name}: and {} more", differences.len() - SHOWN);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// In what the runs of a scenario differ from what it expects.
fn check(text: &str) -> Result<Vec<String>, String> {
    let scenario = Scenario::parse(text)?;
    let prepared = scenario.prepare()?;
    let first = prepared.study.seed;
    let mut differences = Vec::new();
    let mut seen = Seen::default();
    for seed in first..first + scenario.seeds {
        let study = Arc::new(lacuna_model::Study { seed, ..prepared.study.clone() });
        let run = Run::drive(&study, &prepared.policy, &prepared.faults);
        seen.add(&run);
        let broken = invariants::broken(&run);
        let of_run = scenario.expect.differences(&run)?.into_iter().chain(broken);
        differences.extend(of_run.map(|difference| format!("seed {seed}: {difference}")));
    }
    differences.extend(scenario.expect.missing(&seen)?);
    Ok(differences)
}
