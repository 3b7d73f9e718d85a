//! A design held against a policy whose truth is known: many runs of one experiment in virtual time, each with a seed of its own.

mod tables;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;

use lacuna_model::policy::Policy;
use lacuna_model::{ArmIx, Study};

pub use tables::{write_rows, write_summary};

use crate::assessment::{ArmAssessment, Assessment, Estimate, Measure};
use crate::repeats;
use crate::truth::Truth;

/// Many runs of one experiment.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The experiment.
    pub study: Arc<Study>,
    /// The runs, by the number of the repeat.
    pub runs: Vec<Assessment>,
}

/// Why a run ended that never came to an end.
const NEVER: &str = "never";

impl Evaluation {
    /// Runs the experiment so often, on so many threads, and calls `done` after each run. What comes out depends on neither.
    ///
    /// The seed of each run is derived from the experiment's and the number of the repeat; nothing else differs.
    #[must_use]
    pub fn of(study: Study, policy: &Policy, repeats: u64, threads: NonZero<usize>, done: impl Fn() + Sync) -> Self {
        let truth = Truth::new(&study, policy);
        let runs = repeats::map(repeats, threads, |repeat| {
            let again = Arc::new(Study { seed: repeats::seed_of(study.seed, repeat), ..study.clone() });
            let run = Assessment::of(&again, policy, &truth);
            done();
            run
        });
        Self { study: Arc::new(study), runs }
    }

    /// A measure of one arm, or of all arms together.
    #[must_use]
    pub fn estimate(&self, measure: &Measure, arm: Option<ArmIx>) -> Estimate {
        measure.over(&self.of_arm(arm))
    }

    /// One arm in every run, or all arms together.
    #[must_use]
    pub fn of_arm(&self, arm: Option<ArmIx>) -> Vec<ArmAssessment> {
        self.runs.iter().map(|run| arm.map_or_else(|| run.whole(), |arm| run.arms[arm.get()])).collect()
    }

    /// How many runs ended for each reason.
    #[must_use]
    pub fn ends(&self) -> BTreeMap<&'static str, u64> {
        let mut ends = BTreeMap::new();
        for run in &self.runs {
            *ends.entry(end_of(run)).or_default() += 1;
        }
        ends
    }

    /// Whether anything was concluded in any of the runs.
    #[must_use]
    pub fn is_conclusive(&self) -> bool {
        self.of_arm(None).iter().any(|run| run.verdicts.inconclusive() < run.verdicts.units)
    }
}

fn end_of(run: &Assessment) -> &'static str {
    run.stopped.map_or(NEVER, lacuna_model::StopReason::as_str)
}
