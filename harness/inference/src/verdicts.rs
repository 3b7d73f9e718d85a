//! From tallies to verdicts, one per item, arm and recipient.
//!
//! A delivery is nearly proof that an item is not blocked; a refusal, a change or a retraction is something that loss cannot
//! do. Each of these needs to be seen once. A drop is a suspicion: it takes [`Tallies::required_drops`] of them, every send
//! dropped. Outcomes that exclude one another make the verdict `inconsistent`, not a majority.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_model::{AccountIx, ArmIx, Duration, Outcome, Reason, Role, SendState, Study, Timestamp, Unit, Verdict};

use crate::evidence::{Change, Evidence};
use crate::tally::{Tallies, Tally};

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
    /// Bracketed losses among the controls of the arm at this recipient; `None` without a control that counts.
    pub control_loss_rate: Option<f64>,
    /// Whether anything on this arm was dropped, refused, altered or retracted: without it, its silence means little.
    pub filter_seen: bool,
    /// The shortest time that was listened for a send of this unit.
    pub listened: Option<Duration>,
    /// The first send.
    pub first_sent_at: Option<Timestamp>,
    /// The last send.
    pub last_sent_at: Option<Timestamp>,
}

/// The verdict that a tally supports, where `required` drops convict.
#[must_use]
pub fn judge(tally: &Tally, required: Option<u32>) -> Option<Verdict> {
    let convicted = required.is_some_and(|required| tally.dropped >= required);
    let arrived = tally.delivered > 0;
    let late = tally.delivered_late > 0;
    let signals = [(tally.refused, Verdict::Refused), (tally.altered, Verdict::Altered), (tally.retracted, Verdict::Retracted)];
    let mut seen = signals.iter().filter(|(count, _)| *count > 0).map(|(_, verdict)| *verdict);
    match (seen.next(), seen.next()) {
        (Some(_), Some(_)) => Some(Verdict::Inconsistent),
        (Some(_), None) if arrived || late || convicted => Some(Verdict::Inconsistent),
        (Some(verdict), None) => Some(verdict),
        (None, _) if convicted && arrived => Some(Verdict::Inconsistent),
        (None, _) if arrived => Some(Verdict::Delivered),
        (None, _) if late => Some(Verdict::Delayed),
        (None, _) if convicted => Some(Verdict::Dropped),
        // What an item's own sends say comes before what a pool says.
        (None, _) if tally.pooled_delivered > 0 && tally.dropped == 0 => Some(Verdict::Delivered),
        (None, _) => None,
    }
}

/// Every unit's verdict from the whole of the evidence, ordered by item, arm and recipient.
#[must_use]
pub fn derive(evidence: &Evidence) -> Vec<VerdictRecord> {
    let study = evidence.study();
    let mut tallies = Tallies::new(study.clone());
    let mut sightings: BTreeMap<Unit, Sighting> = BTreeMap::new();
    for row in evidence.outcomes() {
        tallies
            .apply(evidence, Change::Outcome { probe: row.probe, recipient: row.recipient, outcome: row.outcome, before: None });
        let probe = &evidence.probe(row.probe).probe;
        let (Some(sent_at), &[item]) = (row.sent_at, probe.items.as_slice()) else { continue };
        if probe.role == Role::Control {
            continue;
        }
        let unit = Unit { item, arm: study.channel(probe.channel).arm, recipient: row.recipient };
        let listened = row.listened_until.map_or(Duration::ZERO, |until| until - sent_at);
        sightings.entry(unit).or_insert_with(|| Sighting::new(sent_at, listened)).add(
            sent_at,
            listened,
            row.outcome,
            row.not_listening,
        );
    }
    let silent = silent_paths(evidence);
    let required: BTreeMap<(ArmIx, AccountIx), Option<u32>> = arms(study)
        .flat_map(|arm| study.arm(arm).recipients.iter().map(move |recipient| (arm, *recipient)))
        .map(|(arm, recipient)| ((arm, recipient), tallies.required_drops(arm, recipient)))
        .collect();
    let judged = |unit: Unit| judge(&tallies.of(unit), required[&(unit.arm, unit.recipient)]);
    let filter_seen: Vec<_> = arms(study)
        .map(|arm| {
            tallies.units().filter(|unit| unit.arm == arm).any(|unit| {
                matches!(judged(unit), Some(Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted))
            })
        })
        .collect();
    tallies
        .units()
        .map(|unit| {
            let tally = tallies.of(unit);
            let sighting = sightings.get(&unit);
            let verdict = judged(unit);
            let could_arrive = tally.passed() + tally.altered + tally.retracted + tally.dropped;
            VerdictRecord {
                unit,
                verdict: verdict.unwrap_or(Verdict::Inconclusive),
                reason: verdict
                    .is_none()
                    .then(|| reason(evidence, unit, &tally, sighting, silent.contains(&(unit.arm, unit.recipient)))),
                tally,
                drop_rate: (could_arrive > 0).then(|| f64::from(tally.dropped) / f64::from(could_arrive)),
                control_loss_rate: tallies.controls(unit.arm, unit.recipient).rate(),
                filter_seen: filter_seen[unit.arm.get()],
                listened: sighting.map(|it| it.listened),
                first_sent_at: sighting.map(|it| it.first),
                last_sent_at: sighting.map(|it| it.last),
            }
        })
        .collect()
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

fn arms(study: &Study) -> impl Iterator<Item = ArmIx> {
    (0u16..).map(ArmIx).take(study.arms.len())
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
    if sanctioned(&unit.recipient) || arm.senders.iter().any(sanctioned) {
        return Reason::AccountSuspect;
    }
    if tally.counted() > 0 {
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
