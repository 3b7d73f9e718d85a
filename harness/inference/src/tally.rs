//! Counting outcomes per unit (item, arm, recipient), kept up to date as outcomes come in and are revised, and what they say.
//!
//! [`Tallies`] is asked by the engine while a run goes on, and by the analysis at its end. Between the two stands the number of
//! units that are called dropped in the end, on which the e-BH procedure depends and which nobody knows beforehand:
//!
//! - [`Tallies::verdict`] estimates it from the suspects so far, carried on to the part of the list that was not seen yet;
//! - [`Tallies::settle`] counts it, and [`Tallies::final_verdict`] is the verdict with what was counted.
//!
//! A change costs a few table look-ups. What needs a quantile of the beta distribution is computed when it is asked for, and
//! remembered until its counts change.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use lacuna_model::{AccountIx, ArmIx, ItemIx, Outcome, ProbeId, Purpose, Role, Study, Timestamp, Unit, Verdict};
use libm::log;

use crate::baseline::{Baselines, Hour, hour_of};
use crate::company::{Companies, Company};
use crate::controls::{ControlTally, Controls, is_lost};
use crate::earlier::EarlierUnits;
use crate::evidence::{Change, Evidence};
use crate::loss::{FEWEST_DROPS, LossBaseline, drops_to_reach};
use crate::multiplicity;
use crate::pools::{DropsByHour, PoolOutcome, PoolTally, Pools, count_drop};
use crate::sequential::{BlockDrops, STAKE_ON_PARTLY, STAKE_WITH_REPLICATES, ln_e_value};
use crate::suspicion::Sums;
pub use crate::unit_tally::Tally;
use crate::verdicts::judge;

/// The tallies of all units of a study, and what is known of the loss of each arm.
pub struct Tallies {
    study: Arc<Study>,
    /// Place of an item among the tested ones; `None` for controls.
    place: Vec<Option<u32>>,
    tested: Vec<ItemIx>,
    /// Per arm: one tally per tested item and recipient.
    units: Vec<Vec<Tally>>,
    /// Per arm: the drops of those units that have any, by hour.
    drops: Vec<HashMap<u32, DropsByHour, FixedState>>,
    /// Per arm.
    sums: Vec<Sums>,
    /// All units of the study.
    total: u64,
    baselines: Baselines,
    controls: Controls,
    pools: Pools,
    /// Files are under test, which a filter may learn: what arrived once may rightly be missing later.
    has_files: bool,
    earlier: Option<EarlierUnits>,
    settled: Option<Settled>,
}

/// What [`Tallies::settle`] found.
#[derive(Clone, Debug)]
struct Settled {
    /// The logarithm of the least e-value that convicts.
    ln_threshold: f64,
    /// Per arm: the units with drops enough that it does not convict, and how many sends that count they had.
    left_open: Vec<HashMap<u32, u32, FixedState>>,
    /// The same of units that are not what they were in an earlier run, as long as that is not certain.
    unconfirmed: Vec<HashMap<u32, u32, FixedState>>,
}

/// One send of a tested item for one recipient of the arm.
#[derive(Clone, Copy)]
struct Told {
    arm: ArmIx,
    place: usize,
    hour: Hour,
    outcome: Outcome,
    before: Option<Outcome>,
}

impl Tallies {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(study: Arc<Study>) -> Self {
        let mut place = vec![None; study.items.len()];
        let mut tested = Vec::new();
        for (item, index) in study.items.iter().zip(0u32..) {
            if item.role != Role::Control {
                place[index as usize] = u32::try_from(tested.len()).ok();
                tested.push(ItemIx(index));
            }
        }
        let units: Vec<_> = study.arms.iter().map(|arm| vec![Tally::default(); tested.len() * arm.recipients.len()]).collect();
        let arms = study.arms.len();
        let has_files = study.items.iter().any(|item| item.role != Role::Control && item.file.is_some());
        Self {
            place,
            tested,
            total: units.iter().map(|arm| arm.len() as u64).sum(),
            units,
            drops: vec![HashMap::default(); arms],
            sums: vec![Sums::default(); arms],
            baselines: Baselines::new(study.arms.iter().map(|arm| arm.recipients.len())),
            controls: Controls::default(),
            pools: Pools::new(study.decision.replicates.is_none() && !has_files),
            has_files,
            earlier: study.earlier.as_ref().map(|earlier| EarlierUnits::new(earlier, &study)),
            settled: None,
            study,
        }
    }

    /// The tested items: candidates and canaries, in the order of the study.
    #[must_use]
    pub fn tested(&self) -> &[ItemIx] {
        &self.tested
    }

    /// Every unit, ordered by item, arm and recipient as the study orders them.
    pub fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.tested.iter().flat_map(move |item| {
            (0u16..).map(ArmIx).zip(&self.study.arms).flat_map(move |(arm, it)| {
                it.recipients.iter().map(move |recipient| Unit { item: *item, arm, recipient: *recipient })
            })
        })
    }

    fn recipient_place(&self, arm: ArmIx, recipient: AccountIx) -> Option<usize> {
        self.study.arm(arm).recipients.iter().position(|it| *it == recipient)
    }

    /// Where the tally of an item stands for the recipient at this place of the arm; `None` for controls.
    fn at(&self, item: ItemIx, arm: ArmIx, place: usize) -> Option<usize> {
        let of_item = (*self.place.get(item.get())?)? as usize;
        Some(of_item * self.study.arm(arm).recipients.len() + place)
    }

    fn index(&self, unit: Unit) -> Option<(usize, usize)> {
        let place = self.recipient_place(unit.arm, unit.recipient)?;
        self.at(unit.item, unit.arm, place).map(|index| (index, place))
    }

    /// The tally of a unit; all zero for what is not tested.
    #[must_use]
    pub fn of(&self, unit: Unit) -> Tally {
        self.index(unit).map(|(index, _)| self.units[unit.arm.get()][index]).unwrap_or_default()
    }

    /// Takes a change of an outcome.
    pub fn apply(&mut self, evidence: &Evidence, change: Change) {
        if let Change::Outcome { probe, recipient, outcome, before } = change {
            self.change(evidence, probe, recipient, outcome, before);
        }
    }

    fn change(&mut self, evidence: &Evidence, probe: ProbeId, recipient: AccountIx, outcome: Outcome, before: Option<Outcome>) {
        let record = evidence.probe(probe);
        let arm = self.study.channel(record.probe.channel).arm;
        let Some(place) = self.recipient_place(arm, recipient) else { return };
        let hour = hour_of(record.started_at.unwrap_or(record.planned_at));
        let told = Told { arm, place, hour, outcome, before };
        // Parts of a text say something about the text's words, and nothing about loss that controls and whole texts do not say.
        if record.probe.excerpt.is_some() {
            return;
        }
        let items = record.probe.items.as_slice();
        match (record.probe.role, record.probe.purpose) {
            (Role::Control, _) => self.control_told(probe, items, told),
            // An item that is known to be dropped, in company or in pieces: it says something about the filter, nothing about loss,
            // and nothing that is not known about the items.
            (_, Purpose::Spike | Purpose::Calibration) => {}
            _ => match *items {
                [item] => self.item_told(item, told),
                [_, _, ..] => self.pool_told(probe, items, told),
                [] => {}
            },
        }
    }

    fn control_told(&mut self, probe: ProbeId, items: &[ItemIx], told: Told) {
        let Told { arm, place, hour, outcome, before } = told;
        self.controls.count(probe, items, arm, place, outcome, before);
        for (outcome, by) in [(Some(outcome), 1), (before, -1)] {
            if let Some(lost) = outcome.and_then(is_lost) {
                self.baselines.count(arm, place, hour, by, if lost { by } else { 0 });
            }
        }
    }

    fn item_told(&mut self, item: ItemIx, told: Told) {
        let Told { arm, place, hour, outcome, before } = told;
        let Some(index) = self.at(item, arm, place) else { return };
        self.count_own_losses(arm, place, index, -1);
        for (outcome, by) in [(Some(outcome), 1), (before, -1)] {
            match outcome {
                Some(Outcome::Delivered | Outcome::DeliveredLate) if self.learns_from_items() => {
                    self.baselines.count(arm, place, hour, i64::from(by), 0);
                }
                Some(Outcome::Dropped) => self.count_own_drop(arm, index, hour, by),
                _ => {}
            }
        }
        self.recount(item, told, |tally| {
            tally.count(outcome, 1);
            match before {
                Some(before) => tally.count(before, -1),
                None => tally.probes += 1,
            }
        });
        self.count_own_losses(arm, place, index, 1);
    }

    fn pool_told(&mut self, probe: ProbeId, items: &[ItemIx], told: Told) {
        let Told { arm, place, hour, outcome, before } = told;
        let recipients = self.study.arm(arm).recipients.len();
        // The pool first, so that it sees its items as they were, and then hears of every change.
        let (places, units) = (&self.place, &self.units[arm.get()]);
        let passes = |item: ItemIx, place: usize| {
            let of_item = places.get(item.get()).copied().flatten();
            of_item.is_none_or(|of_item| units[of_item as usize * recipients + place].passes())
        };
        let pool = PoolOutcome { place, hour, outcome, before };
        self.pools.count((probe, arm, items), recipients, pool, &mut self.baselines, passes);
        for item in items {
            self.recount(*item, told, |tally| {
                tally.count_pooled(outcome, 1);
                if let Some(before) = before {
                    tally.count_pooled(before, -1);
                }
            });
        }
    }

    /// Changes a tally, and with it the sums over its arm and what pools know of their items.
    fn recount(&mut self, item: ItemIx, Told { arm, place, .. }: Told, change: impl FnOnce(&mut Tally)) {
        let Some(index) = self.at(item, arm, place) else { return };
        let tally = &mut self.units[arm.get()][index];
        let sums = &mut self.sums[arm.get()];
        let before = tally.passes();
        sums.count(tally, -1);
        change(tally);
        sums.count(tally, 1);
        let passes = tally.passes();
        if passes != before {
            self.pools.item_changed(arm, item, place, passes, &mut self.baselines);
        }
    }

    /// With a fixed number of sends an item, whatever came of them, a filter that lets some of them through would make its drops
    /// look like losses: there only the controls teach the loss.
    fn learns_from_items(&self) -> bool {
        self.study.decision.replicates.is_none() && !self.has_files
    }

    fn count_own_drop(&mut self, arm: ArmIx, index: usize, hour: Hour, by: i32) {
        let key = u32::try_from(index).unwrap_or(u32::MAX);
        let drops = self.drops[arm.get()].entry(key).or_default();
        count_drop(drops, hour, by);
        if drops.is_empty() {
            self.drops[arm.get()].remove(&key);
        }
    }

    fn own_drops(&self, arm: ArmIx, index: usize) -> &[(Hour, u32)] {
        u32::try_from(index).ok().and_then(|key| self.drops[arm.get()].get(&key)).map_or(&[], Vec::as_slice)
    }

    /// Adds the drops of a unit to the baseline, or takes them out, if they were losses.
    fn count_own_losses(&mut self, arm: ArmIx, place: usize, index: usize, sign: i64) {
        let tally = &self.units[arm.get()][index];
        if tally.dropped == 0 || !tally.drops_were_losses() || !self.learns_from_items() {
            return;
        }
        let key = u32::try_from(index).unwrap_or(u32::MAX);
        let Some(drops) = self.drops[arm.get()].get(&key) else { return };
        for (hour, drops) in drops {
            let losses = sign * i64::from(*drops);
            self.baselines.count(arm, place, *hour, losses, losses);
        }
    }

    /// What became of the control messages of an arm for one recipient.
    #[must_use]
    pub fn controls(&self, arm: ArmIx, recipient: AccountIx) -> LossBaseline {
        self.recipient_place(arm, recipient).map(|place| self.controls.messages(arm, place)).unwrap_or_default()
    }

    /// What became of the messages that carried one control, on an arm, for one recipient.
    #[must_use]
    pub fn control(&self, item: ItemIx, arm: ArmIx, recipient: AccountIx) -> ControlTally {
        self.recipient_place(arm, recipient).map(|place| self.controls.of(item, arm, place)).unwrap_or_default()
    }

    /// Whether a control is dropped on this arm for this recipient more often in a row than loss explains.
    #[must_use]
    pub fn is_expelled_for(&self, item: ItemIx, arm: ArmIx, recipient: AccountIx) -> bool {
        self.recipient_place(arm, recipient).is_some_and(|place| {
            let loss = self.baselines.counts(arm, place);
            self.controls.is_expelled(item, arm, place, loss, self.study.decision.false_positive_rate)
        })
    }

    /// Whether a control is dropped on this arm for some recipient more often in a row than loss explains: at least twice, and so often
    /// that as many losses in a row are rarer than the false positive rate. It should not be sent there any more. Costs little.
    #[must_use]
    pub fn is_expelled(&self, item: ItemIx, arm: ArmIx) -> bool {
        self.study.arm(arm).recipients.iter().any(|recipient| self.is_expelled_for(item, arm, *recipient))
    }

    /// The loss baseline of an arm for one recipient: its controls there, and the contents that arrived there at least once.
    #[must_use]
    pub fn baseline(&self, arm: ArmIx, recipient: AccountIx) -> LossBaseline {
        self.recipient_place(arm, recipient).map(|place| self.baselines.counts(arm, place)).unwrap_or_default()
    }

    /// The upper bound on the loss of an arm for a recipient by now: the worse of that of the whole run and that of the latest time
    /// block. 1 while nothing is known.
    #[must_use]
    pub fn loss_bound(&self, arm: ArmIx, recipient: AccountIx) -> f64 {
        self.recipient_place(arm, recipient).map_or(1.0, |place| self.baselines.latest_bound(arm, place))
    }

    /// The upper bound on the loss for a recipient of an arm in the time block of this moment.
    #[must_use]
    pub fn loss_bound_at(&self, arm: ArmIx, recipient: AccountIx, at: Timestamp) -> f64 {
        self.recipient_place(arm, recipient).map_or(1.0, |place| self.baselines.bound(arm, place, hour_of(at)))
    }

    /// The number of the time block of an arm that a moment belongs to, from 0, by the sends counted so far.
    #[must_use]
    pub fn time_block(&self, arm: ArmIx, at: Timestamp) -> u32 {
        self.baselines.block(arm, hour_of(at))
    }

    /// The share of the arm's units seen so far that are blocked in some way or under suspicion, kept away from 0 and 1 by half a
    /// unit on either side (Jeffreys).
    #[must_use]
    pub fn prevalence(&self, arm: ArmIx) -> f64 {
        let sums = &self.sums[arm.get()];
        ((sums.suspects(self.more_than_loss(arm)) + sums.signalled) as f64 + 0.5) / (sums.seen as f64 + 1.0)
    }

    /// The logarithm of the e-value of a unit from its own sends: 0 without any.
    #[must_use]
    pub fn ln_e_value(&self, unit: Unit) -> f64 {
        self.index(unit).map_or(0.0, |(index, place)| self.ln_e_at(unit.arm, index, place))
    }

    fn ln_e_at(&self, arm: ArmIx, index: usize, place: usize) -> f64 {
        let tally = &self.units[arm.get()][index];
        let pooled = self.baselines.pooled_bound(arm, place);
        ln_e_value(&self.block_drops(arm, place, self.own_drops(arm, index)), tally.arrivals(), pooled, self.stake_on_partly())
    }

    fn stake_on_partly(&self) -> f64 {
        if self.study.decision.replicates.is_some() { STAKE_WITH_REPLICATES } else { STAKE_ON_PARTLY }
    }

    fn block_drops<'a>(
        &'a self,
        arm: ArmIx,
        place: usize,
        drops: &'a [(Hour, u32)],
    ) -> impl Iterator<Item = BlockDrops> + Clone + 'a {
        drops.iter().map(move |(hour, drops)| BlockDrops { drops: *drops, loss_upper: self.baselines.bound(arm, place, *hour) })
    }

    /// What the evidence says of a unit by now; `None` while it does not suffice.
    ///
    /// An item that was dropped is convicted by an e-value of at least `max(1 / false-positive-rate, N / (false-discovery-rate × R))` from at
    /// least two drops of its own, N being all units of the study. R is how many units the e-BH procedure would reject if all present
    /// suspects were confirmed, carried on to the part of the list that was not seen yet: `S + (S - 1) × unseen / seen`, with
    /// S the suspects (dropped alone, never arrived alone, and missing so often, alone or with others, that loss explains it only at the
    /// false positive rate) and one of them left out of the rate, because it is a suspect that makes somebody ask. R is too small at first, so that early suspects may be asked once too often, and right when the list
    /// was seen to its end.
    ///
    /// After [`Tallies::settle`], a unit that [`Tallies::final_verdict`] left open is open here too until another of its sends counts, so
    /// that asking again always asks something.
    #[must_use]
    pub fn verdict(&self, unit: Unit) -> Option<Verdict> {
        let (index, place) = self.index(unit)?;
        let tally = &self.units[unit.arm.get()][index];
        let convicted = tally.dropped >= FEWEST_DROPS
            && !self.was_left_open(unit.arm, index, tally)
            && self.ln_e_at(unit.arm, index, place) >= self.ln_threshold_by_now();
        if self.is_undecided(tally, convicted, unit) { None } else { judge(tally, convicted) }
    }

    /// With a fixed number of sends: some arrived, and more are missing than loss explains well, but not so many that it is excluded.
    fn is_undecided(&self, tally: &Tally, convicted: bool, unit: Unit) -> bool {
        const LN_TWENTY: f64 = 3.0;
        self.study.decision.replicates.is_some()
            && !convicted
            && !tally.signalled()
            && tally.passed() > 0
            && tally.dropped >= FEWEST_DROPS
            && self.ln_e_value(unit) >= LN_TWENTY
    }

    fn was_left_open(&self, arm: ArmIx, index: usize, tally: &Tally) -> bool {
        let Some(settled) = &self.settled else { return false };
        let counted = u32::try_from(index).ok().and_then(|key| settled.left_open[arm.get()].get(&key));
        counted.is_some_and(|counted| *counted == tally.counted())
    }

    fn ln_least(&self) -> f64 {
        -log(self.study.decision.false_positive_rate)
    }

    /// How often an item of this arm must be missing for loss to explain it only at the false positive rate.
    fn more_than_loss(&self, arm: ArmIx) -> u32 {
        let places = 0..self.study.arm(arm).recipients.len();
        let loss = places.map(|place| self.baselines.pooled_bound(arm, place)).fold(0.0, f64::max);
        drops_to_reach(loss, self.ln_least()).unwrap_or(u32::MAX)
    }

    fn ln_threshold_by_now(&self) -> f64 {
        let arms = (0u16..).map(ArmIx).zip(&self.sums);
        let suspects: u64 = arms.map(|(arm, sums)| sums.suspects(self.more_than_loss(arm))).sum();
        let seen: u64 = self.sums.iter().map(|sums| sums.seen).sum();
        let unseen = self.total.saturating_sub(seen) as f64;
        let to_come = suspects.saturating_sub(1) as f64 * unseen / seen.max(1) as f64;
        let rejected = (suspects as f64 + to_come).max(1.0);
        let by_list = log(self.total as f64) - log(self.study.decision.false_discovery_rate) - log(rejected);
        by_list.max(self.ln_least())
    }

    /// How many drops it takes on this arm for this recipient by now, all sends dropped; `None` where no number is enough.
    #[must_use]
    pub fn required_drops(&self, arm: ArmIx, recipient: AccountIx) -> Option<u32> {
        drops_to_reach(self.loss_bound(arm, recipient), self.ln_threshold_by_now())
    }

    /// Every unit that has drops enough to be convicted at all, and its e-value: by arm and place.
    fn accused(&self) -> Vec<(ArmIx, usize, f64)> {
        let mut accused = Vec::new();
        for (arm, drops) in (0u16..).map(ArmIx).zip(&self.drops) {
            let recipients = self.study.arm(arm).recipients.len();
            let units = &self.units[arm.get()];
            let mut indices: Vec<usize> = drops.keys().map(|key| *key as usize).collect();
            indices.retain(|index| units[*index].dropped >= FEWEST_DROPS);
            indices.sort_unstable();
            accused.extend(indices.into_iter().map(|index| (arm, index, self.ln_e_at(arm, index, index % recipients))));
        }
        accused
    }

    /// The e-BH procedure over all units of the study, with what is known now.
    ///
    /// The e-value of a unit enters as 0 where it cannot convict alone: fewer than two drops, or below 1 / false-positive-rate. Setting
    /// an e-value to 0 keeps it one, and the units rejected are then exactly those that are convicted.
    pub fn settle(&mut self) {
        let accused = self.accused();
        let mut ln_e: Vec<f64> = accused.iter().map(|(.., ln_e)| *ln_e).filter(|ln_e| *ln_e >= self.ln_least()).collect();
        ln_e.sort_by(|a, b| b.total_cmp(a));
        let level = self.study.decision.false_discovery_rate;
        let rejected = multiplicity::rejected(&ln_e, self.total, level);
        let ln_threshold = multiplicity::ln_threshold(rejected, self.total, level).max(self.ln_least());
        let mut left_open = vec![HashMap::default(); self.study.arms.len()];
        for (arm, index, _) in accused.into_iter().filter(|(.., ln_e)| *ln_e < ln_threshold) {
            let counted = self.units[arm.get()][index].counted();
            left_open[arm.get()].insert(u32::try_from(index).unwrap_or(u32::MAX), counted);
        }
        let unconfirmed = self.unconfirmed(ln_threshold);
        self.settled = Some(Settled { ln_threshold, left_open, unconfirmed });
    }

    /// The units that differ from what they were in an earlier run, but by too few sends to say so among all that could have changed.
    fn unconfirmed(&self, ln_threshold: f64) -> Vec<HashMap<u32, u32, FixedState>> {
        let mut unconfirmed = vec![HashMap::default(); self.study.arms.len()];
        let Some(earlier) = &self.earlier else { return unconfirmed };
        let companies = self.companies_at(ln_threshold);
        let mut changed = Vec::new();
        let mut all_changed = 0;
        for unit in earlier.units() {
            let Some((index, place)) = self.index(unit.unit) else { continue };
            let tally = &self.units[unit.unit.arm.get()][index];
            let ln_e = self.ln_e_at(unit.unit.arm, index, place);
            let dropped = tally.dropped >= FEWEST_DROPS && ln_e >= ln_threshold && tally.arrivals() == 0;
            let ln_e = match unit.was_blocked {
                false if tally.signalled() => f64::INFINITY,
                false if dropped => ln_e,
                true if tally.passes() => {
                    let company = companies.of((unit.unit.arm, index));
                    EarlierUnits::ln_e_of_arrivals(tally, company, self.baselines.pooled_bound(unit.unit.arm, place))
                }
                _ => continue,
            };
            all_changed += 1;
            changed.push((unit, index, ln_e));
        }
        let level = self.study.decision.false_discovery_rate;
        for (unit, index, ln_e) in changed {
            if ln_e < earlier.ln_wanted(unit.was_blocked, all_changed, level) {
                let arm = unit.unit.arm.get();
                unconfirmed[arm].insert(u32::try_from(index).unwrap_or(u32::MAX), self.units[arm][index].counted());
            }
        }
        unconfirmed
    }

    /// What the messages of several items say of each of them, by the last [`Tallies::settle`]; before it only what was signalled is caught.
    #[must_use]
    pub fn companies(&self) -> Companies {
        self.companies_at(self.settled.as_ref().map_or(f64::INFINITY, |settled| settled.ln_threshold))
    }

    /// What they say of this one.
    #[must_use]
    pub fn company(&self, companies: &Companies, unit: Unit) -> Company {
        self.index(unit).map(|(index, _)| companies.of((unit.arm, index))).unwrap_or_default()
    }

    fn companies_at(&self, ln_threshold: f64) -> Companies {
        let convicted = self.accused().into_iter().filter(|(.., ln_e)| *ln_e >= ln_threshold).map(|(arm, index, _)| (arm, index));
        let arms = (0u16..).map(ArmIx).zip(&self.units);
        let signalled = arms.flat_map(|(arm, units)| {
            units.iter().enumerate().filter(|(_, tally)| tally.signalled()).map(move |(index, _)| (arm, index))
        });
        let caught = convicted.chain(signalled).collect();
        let contents = self.pools.contents().iter().flat_map(|content| {
            content.tallies.iter().enumerate().map(move |(place, tally)| {
                let items = content.items.iter();
                (items.filter_map(|item| Some((content.arm, self.at(*item, content.arm, place)?))).collect(), tally.into())
            })
        });
        Companies::new(&caught, contents)
    }

    /// Whether a unit is not what it was in an earlier run, and another of its sends would say so with more certainty. Known once
    /// [`Tallies::settle`] was called, and until another of its sends counts.
    #[must_use]
    pub fn awaits_confirmation(&self, unit: Unit) -> bool {
        let (Some(settled), Some((index, _))) = (&self.settled, self.index(unit)) else { return false };
        let counted = u32::try_from(index).ok().and_then(|key| settled.unconfirmed[unit.arm.get()].get(&key));
        counted.is_some_and(|counted| *counted == self.units[unit.arm.get()][index].counted())
    }

    /// The verdict of a unit by the last [`Tallies::settle`], exact for what had been counted by then; before it nothing is convicted.
    #[must_use]
    pub fn final_verdict(&self, unit: Unit) -> Option<Verdict> {
        let (index, place) = self.index(unit)?;
        let tally = &self.units[unit.arm.get()][index];
        let convicted = tally.dropped >= FEWEST_DROPS
            && self.settled.as_ref().is_some_and(|settled| self.ln_e_at(unit.arm, index, place) >= settled.ln_threshold);
        if self.is_undecided(tally, convicted, unit) { None } else { judge(tally, convicted) }
    }

    /// The smallest false discovery rate at which a unit would be convicted, for every unit with two drops or more of its own; 1 for
    /// those that cannot be, and for all that are not listed.
    #[must_use]
    pub fn q_values(&self) -> HashMap<Unit, f64, FixedState> {
        let accused = self.accused();
        let enters = |ln_e: f64| if ln_e >= self.ln_least() { ln_e } else { f64::NEG_INFINITY };
        let ln_e: Vec<f64> = accused.iter().map(|(.., ln_e)| enters(*ln_e)).collect();
        let unit = |arm: ArmIx, index: usize| {
            let recipients = &self.study.arm(arm).recipients;
            Unit { item: self.tested[index / recipients.len()], arm, recipient: recipients[index % recipients.len()] }
        };
        accused.iter().map(|(arm, index, _)| unit(*arm, *index)).zip(multiplicity::q_values(&ln_e, self.total)).collect()
    }

    /// The messages of several items, by content.
    #[must_use]
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// The logarithm of the e-value of something that was sent by itself: its drops by hour, and how many of its sends arrived.
    pub(crate) fn ln_e_of_drops(&self, arm: ArmIx, recipient: AccountIx, drops: &DropsByHour, arrivals: u32) -> f64 {
        let Some(place) = self.recipient_place(arm, recipient) else { return 0.0 };
        ln_e_value(&self.block_drops(arm, place, drops), arrivals, self.baselines.pooled_bound(arm, place), STAKE_ON_PARTLY)
    }

    /// The logarithm of the e-value of a content for the recipient at this place of the arm.
    pub(crate) fn ln_e_of_pool(&self, arm: ArmIx, place: usize, tally: &PoolTally) -> f64 {
        let arrivals = tally.delivered + tally.signalled;
        ln_e_value(
            &self.block_drops(arm, place, &tally.drops),
            arrivals,
            self.baselines.pooled_bound(arm, place),
            STAKE_ON_PARTLY,
        )
    }

    /// Whether a content, several items in one message, is dropped although each of its items passes; `None` while that is not
    /// decided, because a part is still under suspicion, or because the drops do not suffice yet: the same demands as on a unit, with
    /// the contents sent so far in the place of the units.
    #[must_use]
    pub fn combination(&self, arm: ArmIx, recipient: AccountIx, items: &[ItemIx]) -> Option<bool> {
        let place = self.recipient_place(arm, recipient)?;
        let tally = &self.pools.content(arm, items)?.tallies[place];
        if tally.delivered + tally.signalled > 0 {
            return Some(false);
        }
        if !tally.is_suspect() {
            return None;
        }
        let (sent, suspects) = self.pools.sent_and_suspects();
        let level = self.study.decision.false_discovery_rate;
        let ln_threshold = multiplicity::ln_threshold(suspects.max(1), sent, level).max(self.ln_least());
        (self.ln_e_of_pool(arm, place, tally) >= ln_threshold).then_some(true)
    }
}
