//! One run in virtual time, reduced to what it cost and how right it was: counts, no journal and no evidence.

mod counts;
mod measures;

use std::sync::Arc;

use lacuna_inference::enforcement::{self, Sends};
use lacuna_inference::verdicts;
use lacuna_model::policy::Policy;
use lacuna_model::{Duration, Role, StopReason, Study, Timestamp};

pub use counts::{Messages, Verdicts};
pub use measures::{Estimate, MEASURES, Measure, Over};

use crate::truth::Truth;
use crate::virtual_time;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// What is kept of one run. Everything in it is a count, so that assessments of thousands of runs take little room.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// The seed of the run.
    pub seed: u64,
    /// Why it sent nothing more; `None` if it never came to an end.
    pub stopped: Option<StopReason>,
    /// From its first entry to its last.
    pub duration: Duration,
    /// By account, in the order of the study.
    pub loads: Vec<Load>,
    /// By arm, in the order of the study.
    pub arms: Vec<ArmAssessment>,
}

/// What an account sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Messages of the whole run.
    pub sent: u64,
    /// Messages of its busiest UTC day.
    pub busiest_day: u64,
}

/// One arm of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArmAssessment {
    /// Candidates of the study: what "per item" divides by.
    pub items: u64,
    /// What was sent.
    pub messages: Messages,
    /// What was claimed of the candidates, against the truth.
    pub verdicts: Verdicts,
}

impl Assessment {
    /// Runs the study against the policy, and holds its verdicts against the policy's truth.
    #[must_use]
    pub fn of(study: &Arc<Study>, policy: &Policy, truth: &Truth) -> Self {
        let began = virtual_time::start_of(study.seed);
        let mut ended = began;
        let engine = virtual_time::run(study, policy, &[], &mut |at, _| ended = at);
        let evidence = engine.evidence();
        let items = study.items_of(Role::Candidate).count() as u64;
        let mut arms = vec![ArmAssessment { items, ..ArmAssessment::default() }; study.arms.len()];
        let mut days = vec![Day::default(); study.accounts.len()];
        for record in evidence.probes() {
            let Some(started_at) = record.started_at else { continue };
            let channel = study.channel(record.probe.channel);
            arms[channel.arm.get()].messages.count(&record.probe);
            days[channel.sender.get()].sent(started_at);
        }
        let tallies = verdicts::tallies(evidence);
        let (loss, sends) = (known_loss(policy), Sends::of(study));
        for record in &verdicts::records(evidence, &tallies) {
            let unit = record.unit;
            if study.item(unit.item).role != Role::Candidate {
                continue;
            }
            let (counts, handling) = (&mut arms[unit.arm.get()].verdicts, truth.of(unit));
            counts.count(record, handling);
            if let (Some(interval), Some(loss)) = (record.drop_rate_interval, loss) {
                counts.count_rate(interval, handling, loss);
            }
            if sends == Sends::Fixed
                && let Some(interval) = enforcement::of_unit(&record.tally, tallies.controls(unit.arm, unit.recipient), sends)
            {
                counts.count_enforcement(interval, handling);
            }
        }
        let loads = days.into_iter().map(|day| day.load).collect();
        Self { seed: study.seed, stopped: engine.stopped(), duration: ended - began, loads, arms }
    }

    /// All arms together.
    #[must_use]
    pub fn whole(&self) -> ArmAssessment {
        let items = self.arms.first().map_or(0, |arm| arm.items);
        self.arms.iter().fold(ArmAssessment { items, ..ArmAssessment::default() }, |sum, arm| ArmAssessment {
            items,
            messages: sum.messages + arm.messages,
            verdicts: sum.verdicts + arm.verdicts,
        })
    }
}

/// The loss of every message, where the network has one: in bursts it depends on what became of the messages around.
fn known_loss(policy: &Policy) -> Option<f64> {
    (policy.network.burst_length <= 1.0).then_some(policy.network.loss)
}

/// Counts an account's messages by UTC day. An account sends in the order of time.
#[derive(Clone, Copy, Default)]
struct Day {
    number: i64,
    sent: u64,
    load: Load,
}

impl Day {
    fn sent(&mut self, at: Timestamp) {
        let number = at.0.div_euclid(MICROSECONDS_PER_DAY);
        self.sent = if number == self.number { self.sent + 1 } else { 1 };
        self.number = number;
        self.load.sent += 1;
        self.load.busiest_day = self.load.busiest_day.max(self.sent);
    }
}
