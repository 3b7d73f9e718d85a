//! How far an arm's screen can be trusted, in figures: its audits, its spikes, and the weakest filter that it would have seen.

use std::collections::BTreeSet;

use lacuna_model::{ArmIx, Purpose, Role, Unit, Verdict};
use libm::{exp, log};

use crate::controls::is_lost;
use crate::evidence::Evidence;
use crate::intervals::upper_bound;
use crate::tally::Tallies;
use crate::verdicts::VerdictRecord;

/// The probability with which an item under [`ArmChecks::lowest_enforcement`] would have been found.
pub const POWER: f64 = 0.95;

/// The checks of one arm.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ArmChecks {
    /// The arm.
    pub arm: ArmIx,
    /// Units cleared in a pool that were sent again alone, to see whether they pass, with an outcome that says something.
    pub audits: u64,
    /// Of these, the ones that are not shown to pass: their verdict is not delivered or delayed.
    pub audit_misses: u64,
    /// The misses among the audits, and the upper end of its one-sided 95 % Clopper–Pearson interval; `None` without an audit.
    pub miss_rate: Option<(f64, f64)>,
    /// Pools with an item known to be dropped, counted for each recipient, with an outcome that says something.
    pub spikes: u64,
    /// Of these, the ones that arrived: the pool, or chance, had let the item through.
    pub spikes_delivered: u64,
    /// The share of sends on which a filter must act for a blocked item to be found with a probability of 95 %. An item is found if it is
    /// dropped in each of the pools in which it is asked about before it is sent alone, and in each of the confirming sends: the
    /// (drops needed + pools)-th root of 0.95. `None` where more drops are needed than an item may be sent, and where the number of sends is fixed: there the
    /// intervals say it.
    pub lowest_enforcement: Option<f64>,
}

/// The checks of every arm, in the study's order.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies, verdicts: &[VerdictRecord]) -> Vec<ArmChecks> {
    let study = evidence.study();
    let arms: Vec<ArmIx> = (0u16..).map(ArmIx).take(study.arms.len()).collect();
    let mut audited: BTreeSet<Unit> = BTreeSet::new();
    let mut spikes = vec![(0, 0); arms.len()];
    for row in evidence.outcomes() {
        let probe = &evidence.probe(row.probe).probe;
        if probe.role == Role::Control || is_lost(row.outcome).is_none() {
            continue;
        }
        let arm = study.channel(probe.channel).arm;
        match (probe.purpose, probe.items.as_slice()) {
            (Purpose::Audit, &[item]) => {
                audited.insert(Unit { item, arm, recipient: row.recipient });
            }
            (Purpose::Spike, _) => {
                let (sent, delivered) = &mut spikes[arm.get()];
                *sent += 1;
                *delivered += u64::from(is_lost(row.outcome) == Some(false));
            }
            _ => {}
        }
    }
    let mut audits = vec![(0, 0); arms.len()];
    for record in verdicts.iter().filter(|record| audited.contains(&record.unit)) {
        let (sent, misses) = &mut audits[record.unit.arm.get()];
        *sent += 1;
        let passes = record.tally.passed() > 0 && matches!(record.verdict, Verdict::Delivered | Verdict::Delayed);
        *misses += u64::from(!passes);
    }
    let checks = |arm: ArmIx| {
        let (audits, audit_misses) = audits[arm.get()];
        let (spikes, spikes_delivered) = spikes[arm.get()];
        ArmChecks {
            arm,
            audits,
            audit_misses,
            miss_rate: (audits > 0)
                .then(|| (audit_misses as f64 / audits as f64, upper_bound(audit_misses, audits, 1.0 - POWER))),
            spikes,
            spikes_delivered,
            lowest_enforcement: lowest_enforcement(evidence, tallies, verdicts, arm),
        }
    };
    arms.into_iter().map(checks).collect()
}

fn lowest_enforcement(evidence: &Evidence, tallies: &Tallies, verdicts: &[VerdictRecord], arm: ArmIx) -> Option<f64> {
    let study = evidence.study();
    if study.decision.replicates.is_some() {
        return None;
    }
    let needed = study.arm(arm).recipients.iter().map(|recipient| tallies.required_drops(arm, *recipient));
    let needed = needed.collect::<Option<Vec<u32>>>()?.into_iter().max()?;
    if needed > study.decision.max_probes_per_item {
        return None;
    }
    Some(exp(log(POWER) / (f64::from(needed) + pools_before_alone(evidence, verdicts, arm))))
}

/// In how many pools an item of this arm must be dropped before it is sent alone: in so many the convicted ones were, on average.
/// Without one, as many as it takes to halve the average pool that was sent first down to one item. 0 without pools.
fn pools_before_alone(evidence: &Evidence, verdicts: &[VerdictRecord], arm: ArmIx) -> f64 {
    let convicted = verdicts.iter().filter(|record| record.unit.arm == arm && record.verdict == Verdict::Dropped);
    let (units, pools) =
        convicted.fold((0u64, 0u64), |(units, pools), record| (units + 1, pools + u64::from(record.tally.pooled_dropped)));
    if units > 0 {
        return pools as f64 / units as f64;
    }
    let study = evidence.study();
    let screens = evidence
        .probes()
        .iter()
        .map(|record| &record.probe)
        .filter(|probe| probe.purpose == Purpose::Screen && probe.items.len() > 1 && study.channel(probe.channel).arm == arm);
    let (messages, items) = screens.fold((0u64, 0usize), |(messages, items), probe| (messages + 1, items + probe.items.len()));
    if messages == 0 { 0.0 } else { 1.0 + libm::log2(items as f64 / messages as f64) }
}
