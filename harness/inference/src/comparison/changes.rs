//! The list of changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use lacuna_model::{ChangeKind, ChangeReason, Verdict};
use libm::log;

use super::comparable::incomparable;
use super::items::{ItemEvidence, ItemKey, route};
use super::observed::Observed;
use super::snapshot::{PathKey, Snapshot, UnitKey};
use crate::multiplicity;
use crate::sequential::e_value;

/// What is said of one unit from one run to a later one: one row of `changes.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeRecord {
    /// Which unit.
    pub unit: UnitKey,
    /// The place of the older run: the last one before the newer whose verdict says something, or the one before it.
    pub old: usize,
    /// The place of the newer run.
    pub new: usize,
    /// The older verdict; `None` where the run did not have the unit.
    pub old_verdict: Option<Verdict>,
    /// The newer verdict.
    pub new_verdict: Option<Verdict>,
    /// What became of it.
    pub change: ChangeKind,
    /// Why nothing is said, for `not_comparable` and `undetermined`.
    pub reason: Option<ChangeReason>,
    /// The smaller of the two e-values, against "it was so before" and "it is as it was"; `None` where the verdicts do not differ.
    pub e_value: Option<f64>,
    /// The smallest false discovery rate at which the change of this unit would be claimed.
    pub q_value: Option<f64>,
    /// The smallest false discovery rate at which it would be claimed that the item changed, on some arm for some recipient; `None` where no
    /// unit of it can be compared.
    pub item_q_value: Option<f64>,
}

impl ChangeRecord {
    /// What the two verdicts, if they differ, would make it, whether or not that is certain of this unit.
    #[must_use]
    pub fn apparent(&self) -> Option<ChangeKind> {
        let says = |verdict: &Verdict| !matches!(verdict, Verdict::Inconclusive | Verdict::Inconsistent);
        let (old, new) = self.old_verdict.filter(says).zip(self.new_verdict.filter(says))?;
        (old != new && self.change != ChangeKind::NotComparable).then(|| kind(old, new))
    }

    /// Whether something changed: this unit, or its item, of which this unit's verdict differs.
    #[must_use]
    pub fn is_claimed(&self, level: f64) -> bool {
        let of_item = self.item_q_value.is_some_and(|q_value| q_value <= level);
        matches!(self.change, ChangeKind::Blocked | ChangeKind::Unblocked | ChangeKind::ChangedKind)
            || of_item && self.apparent().is_some()
    }
}

/// What two verdicts that differ would be.
fn kind(old: Verdict, new: Verdict) -> ChangeKind {
    let interferes =
        |verdict: Verdict| matches!(verdict, Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted);
    match (old, new) {
        (Verdict::Delivered, new) if interferes(new) => ChangeKind::Blocked,
        (old, Verdict::Delivered) if interferes(old) => ChangeKind::Unblocked,
        _ => ChangeKind::ChangedKind,
    }
}

/// Which of the two runs' sends a hypothesis is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// "It is as it was": the newer run's.
    Now,
    /// "It was so already": the older run's.
    Before,
}

/// Hypotheses of one kind: a side, and whether they say that the unit is delivered.
type Family = (Side, bool);

/// The part of the false discovery rate that the list of units gets where there is one of items as well.
const SHARE_OF_UNITS: f64 = 0.25;

/// A change that is asked about: its place among the records, and the logarithms of both e-values.
struct Question {
    record: usize,
    states: (Verdict, Verdict),
    /// Of the older run's sends against the newer state.
    ln_e_before: f64,
    /// Of the newer run's sends against the older state.
    ln_e_now: f64,
}

/// Every unit of `runs`, the oldest first, from run to run: ordered by newer run, then by unit. At most `level` of what is called a change is
/// expected to be none.
#[must_use]
pub fn changes(runs: &[Snapshot], level: f64) -> Vec<ChangeRecord> {
    let all_paths: BTreeSet<&PathKey> = runs.iter().flat_map(|run| run.paths.keys()).collect();
    let pairs = all_paths.len() * runs.len().saturating_sub(1);
    let mut differs: HashMap<(usize, usize, PathKey), Option<ChangeReason>, FixedState> = HashMap::default();
    let mut records = Vec::new();
    let mut questions = Vec::new();
    let mut families: BTreeMap<Family, u64> = BTreeMap::new();
    let mut items: BTreeMap<ItemKey, ItemEvidence> = BTreeMap::new();
    let mut routes = BTreeSet::new();
    for new in 1..runs.len() {
        let units: BTreeSet<&UnitKey> = runs[new - 1].units.keys().chain(runs[new].units.keys()).collect();
        for unit in units {
            let content = |run: &Snapshot| run.items.get(&unit.item).map(|it| (it.message.clone(), it.file.clone()));
            let mut difference = |old: usize| {
                if !runs[old].units.contains_key(unit) || !runs[new].units.contains_key(unit) {
                    Some(ChangeReason::NotInBoth)
                } else if content(&runs[old]) != content(&runs[new]) {
                    Some(ChangeReason::ContentDiffers)
                } else {
                    *differs
                        .entry((old, new, unit.path.clone()))
                        .or_insert_with(|| incomparable(&runs[old], &runs[new], &unit.path, pairs))
                }
            };
            // What said nothing in the run before, or cannot be compared with this one, may be preceded by what does and can.
            let saying: Vec<usize> = (0..new).rev().filter(|old| runs[*old].state(unit).is_some()).collect();
            let comparable = saying.iter().copied().find(|old| difference(*old).is_none());
            let old = comparable.or(saying.first().copied()).unwrap_or(new - 1);
            let (before, after) = (runs[old].units.get(unit), runs[new].units.get(unit));
            let mut record = ChangeRecord {
                unit: unit.clone(),
                old,
                new,
                old_verdict: before.map(|it| it.verdict),
                new_verdict: after.map(|it| it.verdict),
                change: ChangeKind::NotComparable,
                reason: None,
                e_value: None,
                q_value: None,
                item_q_value: None,
            };
            record.reason = difference(old);
            let conditions = |run: &Snapshot| run.paths.get(&unit.path).map(|path| (path.venue, path.conditions));
            if record.reason.is_none() {
                // What says nothing as a verdict says nothing here: its sends may be those of a path that is not believed.
                if let (Some(before), Some(after)) =
                    (before.filter(|it| it.state().is_some()), after.filter(|it| it.state().is_some()))
                    && let (Some((venue, were)), Some((_, are))) = (conditions(&runs[old]), conditions(&runs[new]))
                {
                    routes.insert(route(unit, venue));
                    let evidence: &mut ItemEvidence = items.entry((new, unit.item.clone())).or_default();
                    evidence.add(route(unit, venue), (before, were), (after, are));
                }
                record.change = ChangeKind::Undetermined;
                match (before.and_then(Observed::state), after.and_then(Observed::state)) {
                    (_, None) if after.is_some_and(|it| !it.was_due) => record.reason = Some(ChangeReason::NotDue),
                    _ if [before, after].into_iter().flatten().any(|it| it.verdict == Verdict::Inconsistent) => {
                        record.reason = Some(ChangeReason::Inconsistent);
                    }
                    (_, None) => record.reason = Some(ChangeReason::Inconclusive),
                    (None, Some(_)) => record.reason = Some(ChangeReason::NothingEarlier),
                    (Some(was), Some(is)) => {
                        *families.entry((Side::Now, was == Verdict::Delivered)).or_default() += 1;
                        *families.entry((Side::Before, is == Verdict::Delivered)).or_default() += 1;
                        if was == is {
                            record.change = ChangeKind::Unchanged;
                        } else if let (Some(before), Some(after)) = (before, after) {
                            let against = |observed: &Observed, run: &Snapshot, state| {
                                conditions(run).map_or(0.0, |(_, conditions)| observed.against(state, conditions))
                            };
                            questions.push(Question {
                                record: records.len(),
                                states: (was, is),
                                ln_e_before: against(before, &runs[old], is),
                                ln_e_now: against(after, &runs[new], was),
                            });
                        }
                    }
                }
            }
            records.push(record);
        }
    }
    // Two lists, of units and of items. With one route they are the same list.
    let has_items = routes.len() > 1;
    let share = if has_items { SHARE_OF_UNITS } else { 1.0 };
    decide(&mut records, &questions, &families, share, level);
    let ln_e: Vec<f64> = items.values().map(ItemEvidence::ln_e).collect();
    let q_values = multiplicity::q_values(&ln_e, ln_e.len() as u64);
    let q_values: BTreeMap<ItemKey, f64> = items.into_keys().zip(q_values).collect();
    for record in &mut records {
        let q_value = q_values.get(&(record.new, record.unit.item.clone()));
        record.item_q_value = q_value.filter(|_| has_items).map(|q_value| (q_value / (1.0 - SHARE_OF_UNITS)).min(1.0));
    }
    records
}

/// Which of the differences are changes.
fn decide(records: &mut [ChangeRecord], questions: &[Question], families: &BTreeMap<Family, u64>, share: f64, level: f64) {
    // `families × family / e` on the worse side: with R claimed, each must be at most `level × R`. That is the e-BH procedure over one
    // hypothesis with the reciprocals in the place of e-values.
    let side = |ln_e: f64, family: Family| {
        ln_e - log(families.len().max(1) as f64) - log(families.get(&family).copied().unwrap_or(1).max(1) as f64)
    };
    let now = |question: &Question| side(question.ln_e_now, (Side::Now, question.states.0 == Verdict::Delivered));
    let before = |question: &Question| side(question.ln_e_before, (Side::Before, question.states.1 == Verdict::Delivered));
    let worths: Vec<f64> = questions.iter().map(|question| now(question).min(before(question))).collect();
    for (question, q_value) in questions.iter().zip(multiplicity::q_values(&worths, 1)) {
        let record = &mut records[question.record];
        record.e_value = Some(e_value(question.ln_e_now.min(question.ln_e_before)));
        let q_value = (q_value / share).min(1.0);
        record.q_value = Some(q_value);
        if q_value <= level {
            record.change = kind(question.states.0, question.states.1);
        } else {
            let is_before = before(question) < now(question);
            record.reason = Some(if is_before { ChangeReason::TooLittleBefore } else { ChangeReason::TooLittleNow });
        }
    }
}
