//! From tallies to verdicts, one per item, arm and recipient.
//!
//! A delivery is nearly proof that an item is not blocked; a refusal, a change or a retraction is something that loss cannot
//! do. Each of these needs to be seen once. A drop is a suspicion: it takes an e-value that passes [`Tallies::final_verdict`].
//! Outcomes that exclude one another make the verdict `inconsistent`, not a majority.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_model::{AccountIx, ArmIx, Duration, Outcome, Purpose, Reason, Role, SendState, Timestamp, Unit, Verdict};

use crate::evidence::{Change, Evidence};
use crate::intervals::{clopper_pearson, confidence_sequence};
use crate::tally::{Tallies, Tally};

/// The confidence of the interval of a drop rate.
pub const CONFIDENCE: f64 = 0.95;

/// What is claimed of one unit: one row of `verdicts.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct VerdictRecord {
    /// Item, arm and recipient.
    pub unit: Unit,
    /// What is claimed.
    pub verdict: Verdict,
    /// Why nothing is claimed, for `inconclusive`.
    pub reason: Option<Reason>,
    /// The counts behind it.
    pub tally: Tally,
    /// Dropped among the sends that could have arrived; `None` without one.
    pub drop_rate: Option<f64>,
    /// The 95 % interval of the drop rate: of Clopper and Pearson where the number of sends was fixed (`replicates`), else a confidence
    /// sequence, because the screen stops by what it sees.
    pub drop_rate_interval: Option<(f64, f64)>,
    /// Bracketed losses among the controls of the arm at this recipient; `None` without a control that counts.
    pub control_loss_rate: Option<f64>,
    /// The evidence of its own sends against "only lost"; `None` without one that counts.
    pub e_value: Option<f64>,
    /// The smallest false discovery rate at which it would be convicted; `None` without an e-value.
    pub q_value: Option<f64>,
    /// Whether anything on this arm was convicted, refused, altered or retracted, a canary or a candidate: without it, its silence means
    /// little.
    pub filter_seen: bool,
    /// The shortest time that was listened for a send of this unit.
    pub listened: Option<Duration>,
    /// The first send, alone or in a pool.
    pub first_sent_at: Option<Timestamp>,
    /// The last send, alone or in a pool.
    pub last_sent_at: Option<Timestamp>,
}

/// An e-value as it is written.
pub(crate) fn e_value(ln_e: f64) -> f64 {
    crate::sequential::e_value(ln_e)
}

/// The verdict that a tally supports, where `convicted` says whether the drops are more than loss.
#[must_use]
pub fn judge(tally: &Tally, convicted: bool) -> Option<Verdict> {
    let arrived = tally.delivered > 0;
    let late = tally.delivered_late > 0;
    let signals = [(tally.refused, Verdict::Refused), (tally.altered, Verdict::Altered), (tally.retracted, Verdict::Retracted)];
    let mut seen = signals.iter().filter(|(count, _)| *count > 0).map(|(_, verdict)| *verdict);
    match (seen.next(), seen.next()) {
        (Some(_), Some(_)) => Some(Verdict::Inconsistent),
        (Some(_), None) if arrived || late || convicted => Some(Verdict::Inconsistent),
        (Some(verdict), None) => Some(verdict),
        (None, _) if convicted && (arrived || late) => Some(Verdict::Inconsistent),
        (None, _) if arrived => Some(Verdict::Delivered),
        (None, _) if late => Some(Verdict::Delayed),
        (None, _) if convicted => Some(Verdict::Dropped),
        // What an item's own sends say comes before what a pool says.
        (None, _) if tally.passes() => Some(Verdict::Delivered),
        (None, _) => None,
    }
}

/// The tallies of the whole of the evidence, settled.
#[must_use]
pub fn tallies(evidence: &Evidence) -> Tallies {
    let mut tallies = Tallies::new(evidence.study().clone());
    for row in evidence.outcomes() {
        let change = Change::Outcome { probe: row.probe, recipient: row.recipient, outcome: row.outcome, before: None };
        tallies.apply(evidence, change);
    }
    tallies.settle();
    tallies
}

/// Every unit's verdict from the whole of the evidence, ordered by item, arm and recipient.
#[must_use]
pub fn derive(evidence: &Evidence) -> Vec<VerdictRecord> {
    records(evidence, &tallies(evidence))
}

/// As [`derive()`], from the settled tallies of the same evidence.
#[must_use]
pub fn records(evidence: &Evidence, tallies: &Tallies) -> Vec<VerdictRecord> {
    let study = evidence.study();
    let sightings = sightings(evidence);
    let silent = silent_paths(evidence);
    let q_values = tallies.q_values();
    let mut filter_seen = vec![false; study.arms.len()];
    let mut leaky = BTreeSet::new();
    for unit in tallies.units() {
        let verdict = tallies.final_verdict(unit);
        filter_seen[unit.arm.get()] |= verdict.is_some_and(shows_a_filter);
        if study.item(unit.item).role == Role::Canary && tallies.of(unit).passed() > 0 {
            leaky.insert((unit.arm, unit.recipient));
        }
    }
    let record = |unit: Unit| {
        let tally = tallies.of(unit);
        let sighting = sightings.get(&unit);
        let mut verdict = tallies.final_verdict(unit);
        let mut why = None;
        if study.item(unit.item).role == Role::Candidate
            && matches!(verdict, Some(Verdict::Delivered | Verdict::Delayed))
            && leaky.contains(&(unit.arm, unit.recipient))
        {
            verdict = None;
            why = Some(Reason::CanaryDelivered);
        }
        if verdict.is_none() && why.is_none() {
            why = Some(reason(evidence, unit, &tally, sighting, silent.contains(&(unit.arm, unit.recipient))));
        }
        let (dropped, trials) = (u64::from(tally.dropped), u64::from(tally.arrivals() + tally.dropped));
        let tested = trials > 0;
        let interval = || match study.decision.replicates {
            Some(_) => clopper_pearson(dropped, trials, CONFIDENCE),
            None => confidence_sequence(dropped, trials, 1.0 - CONFIDENCE),
        };
        VerdictRecord {
            unit,
            verdict: verdict.unwrap_or(Verdict::Inconclusive),
            reason: why,
            tally,
            drop_rate: tested.then(|| dropped as f64 / trials as f64),
            drop_rate_interval: tested.then(interval),
            control_loss_rate: tallies.controls(unit.arm, unit.recipient).rate(),
            e_value: tested.then(|| e_value(tallies.ln_e_value(unit))),
            q_value: tested.then(|| q_values.get(&unit).copied().unwrap_or(1.0)),
            filter_seen: filter_seen[unit.arm.get()],
            listened: sighting.map(|it| it.listened),
            first_sent_at: sighting.map(|it| it.first),
            last_sent_at: sighting.map(|it| it.last),
        }
    };
    tallies.units().map(record).collect()
}

fn shows_a_filter(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted | Verdict::Inconsistent => true,
        Verdict::Delivered | Verdict::Delayed | Verdict::Inconclusive => false,
    }
}

/// When each unit was sent, alone or in a pool. What was sent to try the filter or the separator is left out.
fn sightings(evidence: &Evidence) -> BTreeMap<Unit, Sighting> {
    let mut sightings: BTreeMap<Unit, Sighting> = BTreeMap::new();
    for row in evidence.outcomes() {
        let probe = &evidence.probe(row.probe).probe;
        let Some(sent_at) = row.sent_at else { continue };
        if probe.role == Role::Control
            || matches!(probe.purpose, Purpose::Spike | Purpose::Calibration)
            || probe.excerpt.is_some()
        {
            continue;
        }
        let arm = evidence.study().channel(probe.channel).arm;
        let listened = row.listened_until.map_or(Duration::ZERO, |until| until - sent_at);
        for item in &probe.items {
            let unit = Unit { item: *item, arm, recipient: row.recipient };
            sightings.entry(unit).or_insert_with(|| Sighting::new(sent_at, listened)).add(
                sent_at,
                listened,
                row.outcome,
                row.not_listening,
            );
        }
    }
    sightings
}

/// The arms and recipients at which controls were sent and none arrived.
fn silent_paths(evidence: &Evidence) -> BTreeSet<(ArmIx, AccountIx)> {
    let mut arrived: BTreeMap<(ArmIx, AccountIx), bool> = BTreeMap::new();
    for row in evidence.outcomes() {
        let record = evidence.probe(row.probe);
        if record.probe.role == Role::Control && matches!(record.send_state, Some(SendState::Accepted | SendState::Refused)) {
            let arm = evidence.study().channel(record.probe.channel).arm;
            *arrived.entry((arm, row.recipient)).or_default() |= row.observed_at.is_some();
        }
    }
    arrived.into_iter().filter(|(_, arrived)| !arrived).map(|(path, _)| path).collect()
}

/// When a unit was sent, and why its voids are void.
struct Sighting {
    first: Timestamp,
    last: Timestamp,
    listened: Duration,
    not_listening: u32,
    no_bracket: u32,
}

impl Sighting {
    fn new(at: Timestamp, listened: Duration) -> Self {
        Self { first: at, last: at, listened, not_listening: 0, no_bracket: 0 }
    }

    fn add(&mut self, at: Timestamp, listened: Duration, outcome: Outcome, not_listening: bool) {
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.listened = self.listened.min(listened);
        if outcome == Outcome::Void {
            if not_listening {
                self.not_listening += 1;
            } else {
                self.no_bracket += 1;
            }
        }
    }
}

/// Why nothing can be claimed of a unit.
fn reason(evidence: &Evidence, unit: Unit, tally: &Tally, sighting: Option<&Sighting>, silent: bool) -> Reason {
    let sanctioned = |account: &AccountIx| evidence.sanctioned(*account);
    let arm = evidence.study().arm(unit.arm);
    if evidence.study().earlier.as_ref().is_some_and(|earlier| earlier.leaves_out(unit.item)) && sighting.is_none() {
        return Reason::NotDue;
    }
    if sanctioned(&unit.recipient) || arm.senders.iter().any(sanctioned) {
        return Reason::AccountSuspect;
    }
    if tally.pooled_delivered > 0 && tally.dropped > 0 {
        return Reason::NonMonotone;
    }
    if tally.counted() + tally.pooled_dropped > 0 {
        return Reason::BudgetExhausted;
    }
    let (not_listening, no_bracket) = sighting.map_or((0, 0), |it| (it.not_listening, it.no_bracket));
    // The most frequent cause; of equals the first named.
    let causes = [
        (no_bracket, Reason::ControlFailed),
        (not_listening, Reason::ReceiverNotListening),
        (tally.unknown_submission, Reason::UnknownSubmission),
        (tally.rate_limited, Reason::RateLimited),
    ];
    let most = causes.iter().map(|(count, _)| *count).max().unwrap_or(0);
    if most > 0 {
        return causes.iter().find(|(count, _)| *count == most).map_or(Reason::BudgetExhausted, |(_, reason)| *reason);
    }
    // Never sent at all: either the path never came alive, or there was no budget left.
    if silent { Reason::ControlFailed } else { Reason::BudgetExhausted }
}
