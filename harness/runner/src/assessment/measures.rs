//! What is reported of many runs: quotients of counts, each with its error.

use lacuna_inference::intervals::clopper_pearson;

use super::{ArmAssessment, Verdicts};

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// A quotient of two counts of a run.
pub struct Measure {
    /// As the files call it.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub meaning: &'static str,
    /// What is counted, and out of what.
    pub count: fn(&ArmAssessment) -> (u64, u64),
    /// What kind of quotient it is.
    pub over: Over,
}

/// What kind of quotient a measure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// So many for each of something: no bound.
    Each,
    /// A share of trials. A run without a trial says nothing.
    Share,
    /// A share of what was claimed. A run that claims nothing claims nothing false.
    Claims,
}

/// Every measure, in the order of the files.
pub const MEASURES: &[Measure] = &[
    Measure {
        name: "candidate_messages_per_item",
        meaning: "Messages with candidates (screen, confirm, retest) for each candidate.",
        count: |arm| (arm.messages.candidates, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "messages_per_item",
        meaning: "Messages of all kinds for each candidate.",
        count: |arm| (arm.messages.total(), arm.items),
        over: Over::Each,
    },
    Measure {
        name: "controls_per_candidate_message",
        meaning: "Controls for each message with candidates.",
        count: |arm| (arm.messages.controls, arm.messages.candidates),
        over: Over::Each,
    },
    Measure {
        name: "spikes_per_item",
        meaning: "Spiked pools for each candidate.",
        count: |arm| (arm.messages.spikes, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "calibration_per_item",
        meaning: "Calibrating messages for each candidate.",
        count: |arm| (arm.messages.calibration, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "audits_per_item",
        meaning: "Audits for each candidate.",
        count: |arm| (arm.messages.audits, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "certificates_per_item",
        meaning: "Pools sent again because their parts pass, for each candidate.",
        count: |arm| (arm.messages.certificates, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "excerpts_per_item",
        meaning: "Parts of blocked texts, for each candidate.",
        count: |arm| (arm.messages.excerpts, arm.items),
        over: Over::Each,
    },
    Measure {
        name: "false_positive_rate",
        meaning: "Called dropped, among the units that no rule drops.",
        count: |arm| (arm.verdicts.falsely_dropped, arm.verdicts.not_blocked()),
        over: Over::Share,
    },
    Measure {
        name: "false_discovery_rate",
        meaning: "Not true, among the units called dropped.",
        count: |arm| (arm.verdicts.falsely_dropped, arm.verdicts.called_dropped()),
        over: Over::Claims,
    },
    Measure {
        name: "power",
        meaning: "Called dropped, among the units that a rule drops.",
        count: |arm| (arm.verdicts.found, arm.verdicts.blocked),
        over: Over::Share,
    },
    Measure {
        name: "wrong_verdicts",
        meaning: "Units with a conclusive verdict that is not true, of any kind.",
        count: |arm| (arm.verdicts.wrong, arm.verdicts.units),
        over: Over::Share,
    },
    Measure {
        name: "inconclusive",
        meaning: "Units of which nothing is claimed.",
        count: |arm| (arm.verdicts.inconclusive(), arm.verdicts.units),
        over: Over::Share,
    },
    Measure {
        name: "drop_rate_coverage",
        meaning: "Intervals of the drop rate that hold the true one, where losses are independent.",
        count: |arm| (arm.verdicts.rates_covered, arm.verdicts.rate_intervals),
        over: Over::Share,
    },
    Measure {
        name: "enforcement_coverage",
        meaning: "Intervals of the enforcement that hold the true one, where the number of sends is fixed.",
        count: |arm| (arm.verdicts.enforcements_covered, arm.verdicts.enforcement_intervals),
        over: Over::Share,
    },
];

impl Verdicts {
    /// Units called dropped.
    #[must_use]
    pub fn called_dropped(&self) -> u64 {
        self.with(lacuna_model::Verdict::Dropped)
    }

    /// Units of which nothing is claimed.
    #[must_use]
    pub fn inconclusive(&self) -> u64 {
        self.with(lacuna_model::Verdict::Inconclusive)
    }
}

/// A measure over many runs.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Estimate {
    /// The mean of the runs' quotients; `None` where no run has one.
    pub mean: Option<f64>,
    /// The standard error of that mean, from the spread of the runs; `None` for fewer than two.
    pub standard_error: Option<f64>,
    /// The 95 % interval of a share, over the counts of all runs together: exact where trials are independent.
    pub interval: Option<(f64, f64)>,
    /// What was counted in all runs.
    pub count: u64,
    /// Out of so many.
    pub of: u64,
}

impl Measure {
    /// The measure over runs.
    #[must_use]
    pub fn over<'a>(&self, runs: impl IntoIterator<Item = &'a ArmAssessment>) -> Estimate {
        let (mut count, mut of) = (0, 0);
        let mut spread = Spread::default();
        for run in runs {
            let (run_count, run_of) = (self.count)(run);
            count += run_count;
            of += run_of;
            if let Some(quotient) = self.quotient(run_count, run_of) {
                spread.add(quotient);
            }
        }
        Estimate {
            mean: spread.mean(),
            standard_error: spread.standard_error(),
            interval: (self.over != Over::Each && of > 0).then(|| clopper_pearson(count, of, CONFIDENCE)),
            count,
            of,
        }
    }

    fn quotient(&self, count: u64, of: u64) -> Option<f64> {
        match (of, self.over) {
            (0, Over::Claims) => Some(0.0),
            (0, _) => None,
            _ => Some(count as f64 / of as f64),
        }
    }
}

/// Mean and spread in one pass (Welford, Technometrics 4, 1962).
#[derive(Clone, Copy, Default)]
struct Spread {
    values: u64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.values += 1;
        let before = value - self.mean;
        self.mean += before / self.values as f64;
        self.squares += before * (value - self.mean);
    }

    fn mean(&self) -> Option<f64> {
        (self.values > 0).then_some(self.mean)
    }

    fn standard_error(&self) -> Option<f64> {
        let values = self.values as f64;
        (self.values > 1).then(|| libm::sqrt(self.squares / (values - 1.0) / values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(found: u64, blocked: u64) -> ArmAssessment {
        ArmAssessment { verdicts: Verdicts { found, blocked, units: 100, ..Verdicts::default() }, ..ArmAssessment::default() }
    }

    fn named(name: &str) -> &'static Measure {
        MEASURES.iter().find(|measure| measure.name == name).unwrap_or_else(|| panic!("no measure {name}"))
    }

    #[test]
    fn a_measure_is_the_mean_of_the_runs_with_its_error() {
        let power = named("power").over(&[run(1, 2), run(2, 2), run(0, 0)]);
        assert_eq!((power.mean, power.count, power.of), (Some(0.75), 3, 4));
        // Two values 0.25 from their mean: a standard deviation of 0.354, over the root of two.
        assert!((power.standard_error.unwrap_or_default() - 0.25).abs() < 1e-12);
        let one = named("power").over(&[run(1, 2)]);
        assert_eq!((one.mean, one.standard_error), (Some(0.5), None));
        assert_eq!(named("power").over(&[run(0, 0)]), Estimate::default());
    }

    #[test]
    fn a_run_that_claims_nothing_claims_nothing_false() {
        let rate = named("false_discovery_rate").over(&[run(0, 1)]);
        assert_eq!((rate.mean, rate.interval), (Some(0.0), None));
    }
}
