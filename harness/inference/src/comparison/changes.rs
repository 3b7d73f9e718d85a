//! The list of changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use lacuna_model::{ChangeKind, ChangeReason, Verdict};
use libm::log;

use super::comparable::incomparable;
use super::items::{ItemEvidence, ItemKey, Route, route};
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
    let mut pairing = Pairing::of(runs);
    for new in 1..runs.len() {
        let units: BTreeSet<&UnitKey> = runs[new - 1].units.keys().chain(runs[new].units.keys()).collect();
        for unit in units {
            pairing.pair(unit, new);
        }
    }
    let Pairing { mut records, questions, families, items, routes, .. } = pairing;
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

/// Units of a run beside what they were in an earlier one.
struct Pairing<'a> {
    runs: &'a [Snapshot],
    /// How many paths are looked at, over all pairs of runs that follow each other.
    paths: usize,
    /// In what two runs differ on a path, as far as it was asked.
    differs: HashMap<(usize, usize, PathKey), Option<ChangeReason>, FixedState>,
    records: Vec<ChangeRecord>,
    questions: Vec<Question>,
    /// How many hypotheses there are of each kind.
    families: BTreeMap<Family, u64>,
    items: BTreeMap<ItemKey, ItemEvidence>,
    routes: BTreeSet<Route>,
}

impl<'a> Pairing<'a> {
    fn of(runs: &'a [Snapshot]) -> Self {
        let paths: BTreeSet<&PathKey> = runs.iter().flat_map(|run| run.paths.keys()).collect();
        Self {
            runs,
            paths: paths.len() * runs.len().saturating_sub(1),
            differs: HashMap::default(),
            records: Vec::new(),
            questions: Vec::new(),
            families: BTreeMap::new(),
            items: BTreeMap::new(),
            routes: BTreeSet::new(),
        }
    }

    /// In what two runs differ for a unit besides time; `None` if in nothing.
    fn difference(&mut self, unit: &UnitKey, old: usize, new: usize) -> Option<ChangeReason> {
        let (before, after) = (&self.runs[old], &self.runs[new]);
        let content = |run: &'a Snapshot| run.items.get(&unit.item).map(|it| (&it.message, &it.file));
        if !before.units.contains_key(unit) || !after.units.contains_key(unit) {
            return Some(ChangeReason::NotInBoth);
        }
        if content(before) != content(after) {
            return Some(ChangeReason::ContentDiffers);
        }
        let paths = self.paths;
        let key = (old, new, unit.path.clone());
        *self.differs.entry(key).or_insert_with(|| incomparable(before, after, &unit.path, paths))
    }

    /// The run that a unit is compared with, and what stands against that. What said nothing in the run before, or cannot be compared with the
    /// newer one, may be preceded by what does and can.
    fn older(&mut self, unit: &UnitKey, new: usize) -> (usize, Option<ChangeReason>) {
        let saying: Vec<usize> = (0..new).rev().filter(|old| self.runs[*old].state(unit).is_some()).collect();
        let comparable = saying.iter().copied().find(|old| self.difference(unit, *old, new).is_none());
        let old = comparable.or(saying.first().copied()).unwrap_or(new - 1);
        (old, self.difference(unit, old, new))
    }

    /// A unit of a newer run, or of the one before it: its record, and what is to be asked of it.
    fn pair(&mut self, unit: &UnitKey, new: usize) {
        let (old, difference) = self.older(unit, new);
        let runs = self.runs;
        let (before, after) = (runs[old].units.get(unit), runs[new].units.get(unit));
        let (change, reason) = match (difference, before, after) {
            (None, Some(before), Some(after)) => self.compare(unit, (old, before), (new, after)),
            (reason, ..) => (ChangeKind::NotComparable, reason),
        };
        self.records.push(ChangeRecord {
            unit: unit.clone(),
            old,
            new,
            old_verdict: before.map(|it| it.verdict),
            new_verdict: after.map(|it| it.verdict),
            change,
            reason,
            e_value: None,
            q_value: None,
            item_q_value: None,
        });
    }

    /// What is said of a unit that can be compared, before it is known what is claimed.
    fn compare(
        &mut self,
        unit: &UnitKey,
        (old, before): (usize, &Observed),
        (new, after): (usize, &Observed),
    ) -> (ChangeKind, Option<ChangeReason>) {
        let undetermined = |reason| (ChangeKind::Undetermined, Some(reason));
        let (was, is) = match (before.state(), after.state()) {
            (Some(was), Some(is)) => (was, is),
            (_, None) if !after.was_due => return undetermined(ChangeReason::NotDue),
            _ if [before, after].iter().any(|it| it.verdict == Verdict::Inconsistent) => {
                return undetermined(ChangeReason::Inconsistent);
            }
            (_, None) => return undetermined(ChangeReason::Inconclusive),
            (None, Some(_)) => return undetermined(ChangeReason::NothingEarlier),
        };
        let by_company = before.is_known_by_company() || after.is_known_by_company();
        if was != is && by_company && self.runs[old].pools != self.runs[new].pools {
            return (ChangeKind::NotComparable, Some(ChangeReason::PoolingDiffers));
        }
        // Runs without the path were told apart already.
        let (Some(path_before), Some(path_after)) = (self.runs[old].paths.get(&unit.path), self.runs[new].paths.get(&unit.path))
        else {
            return (ChangeKind::NotComparable, Some(ChangeReason::NotInBoth));
        };
        let (were, are) = (path_before.conditions, path_after.conditions);
        let route = route(unit, path_before.venue);
        self.routes.insert(route.clone());
        self.items.entry((new, unit.item.clone())).or_default().add(route, (before, were), (after, are));
        *self.families.entry((Side::Now, was == Verdict::Delivered)).or_default() += 1;
        *self.families.entry((Side::Before, is == Verdict::Delivered)).or_default() += 1;
        if was == is {
            return (ChangeKind::Unchanged, None);
        }
        self.questions.push(Question {
            record: self.records.len(),
            states: (was, is),
            ln_e_before: before.against(is, were),
            ln_e_now: after.against(was, are),
        });
        (ChangeKind::Undetermined, None)
    }
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
