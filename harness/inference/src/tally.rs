//! Counting outcomes per unit (item, arm, recipient), kept up to date as outcomes come in and are revised.

use std::sync::Arc;

use lacuna_model::{AccountIx, ArmIx, ItemIx, Outcome, ProbeId, Purpose, Role, Study, Unit, Verdict};

use crate::evidence::{Change, Evidence};
use crate::loss::{LossBaseline, required_drops};
use crate::verdicts::judge;

/// What became of the sends of one item, alone, on one arm, for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Sends with an outcome.
    pub probes: u32,
    /// Arrived as sent.
    pub delivered: u32,
    /// Arrived after having been counted as missing.
    pub delivered_late: u32,
    /// Missing inside a bracket.
    pub dropped: u32,
    /// Refused by the platform.
    pub refused: u32,
    /// Arrived changed.
    pub altered: u32,
    /// Arrived and taken away again.
    pub retracted: u32,
    /// Missing without a bracket.
    pub void: u32,
    /// The platform asked to slow down.
    pub rate_limited: u32,
    /// Certainly not sent.
    pub send_failed: u32,
    /// Of unknown fate.
    pub unknown_submission: u32,
    /// Sends together with other items that arrived as sent.
    pub pooled_delivered: u32,
    /// Sends together with other items that did not: missing inside a bracket, refused, altered or retracted.
    pub pooled_dropped: u32,
}

impl Tally {
    fn count(&mut self, outcome: Outcome, by: i32) {
        let field = match outcome {
            Outcome::Delivered => &mut self.delivered,
            Outcome::DeliveredLate => &mut self.delivered_late,
            Outcome::Altered => &mut self.altered,
            Outcome::Retracted => &mut self.retracted,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Refused => &mut self.refused,
            Outcome::RateLimited => &mut self.rate_limited,
            Outcome::SendFailed => &mut self.send_failed,
            Outcome::UnknownSubmission => &mut self.unknown_submission,
            Outcome::Void => &mut self.void,
        };
        *field = field.saturating_add_signed(by);
    }

    fn count_pooled(&mut self, outcome: Outcome, by: i32) {
        let field = match outcome {
            Outcome::Delivered | Outcome::DeliveredLate => &mut self.pooled_delivered,
            Outcome::Dropped | Outcome::Refused | Outcome::Altered | Outcome::Retracted => &mut self.pooled_dropped,
            Outcome::RateLimited | Outcome::SendFailed | Outcome::UnknownSubmission | Outcome::Void => return,
        };
        *field = field.saturating_add_signed(by);
    }

    /// Arrived on time or late, as sent.
    #[must_use]
    pub fn passed(&self) -> u32 {
        self.delivered + self.delivered_late
    }

    /// Whether the platform showed in some way other than a silent drop that it handles the item apart.
    #[must_use]
    pub fn signalled(&self) -> bool {
        self.refused + self.altered + self.retracted > 0
    }

    /// Sends that say something about the item: arrived, in whatever form, or dropped, or refused.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.passed() + self.altered + self.retracted + self.dropped + self.refused
    }
}

/// The tallies of all units of a study, and the loss baseline of each arm.
pub struct Tallies {
    study: Arc<Study>,
    /// Place of an item among the tested ones; `None` for controls.
    place: Vec<Option<u32>>,
    tested: Vec<ItemIx>,
    /// Per arm: one tally per tested item and recipient.
    units: Vec<Vec<Tally>>,
    /// Per arm and recipient: what became of the controls.
    controls: Vec<Vec<LossBaseline>>,
    /// Per arm and recipient: what units that arrived at least once lost before and after.
    passed: Vec<Vec<LossBaseline>>,
    /// Per arm: units with at least one counted send, and of these the ones under suspicion.
    seen: Vec<u64>,
    suspects: Vec<u64>,
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
        let units = study.arms.iter().map(|arm| vec![Tally::default(); tested.len() * arm.recipients.len()]).collect();
        let nothing: Vec<Vec<LossBaseline>> =
            study.arms.iter().map(|arm| vec![LossBaseline::default(); arm.recipients.len()]).collect();
        let arms = study.arms.len();
        let zeros = vec![0; arms];
        Self { study, place, tested, units, controls: nothing.clone(), passed: nothing, seen: zeros.clone(), suspects: zeros }
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

    fn index(&self, unit: Unit) -> Option<usize> {
        let recipients = &self.study.arm(unit.arm).recipients;
        let recipient = recipients.iter().position(|it| *it == unit.recipient)?;
        let place = (*self.place.get(unit.item.get())?)? as usize;
        Some(place * recipients.len() + recipient)
    }

    /// The tally of a unit; all zero for what is not tested.
    #[must_use]
    pub fn of(&self, unit: Unit) -> Tally {
        self.index(unit).map(|index| self.units[unit.arm.get()][index]).unwrap_or_default()
    }

    /// Takes a change of an outcome.
    pub fn apply(&mut self, evidence: &Evidence, change: Change) {
        if let Change::Outcome { probe, recipient, outcome, before } = change {
            self.change(evidence, probe, recipient, outcome, before);
        }
    }

    fn change(&mut self, evidence: &Evidence, probe: ProbeId, recipient: AccountIx, outcome: Outcome, before: Option<Outcome>) {
        let probe = &evidence.probe(probe).probe;
        let arm = self.study.channel(probe.channel).arm;
        if probe.role == Role::Control {
            let recipients = &self.study.arm(arm).recipients;
            if let Some(place) = recipients.iter().position(|it| *it == recipient) {
                let baseline = &mut self.controls[arm.get()][place];
                count_control(baseline, outcome, 1);
                if let Some(before) = before {
                    count_control(baseline, before, -1);
                }
            }
            return;
        }
        if let [_, _, ..] = probe.items.as_slice() {
            for item in &probe.items {
                if let Some(index) = self.index(Unit { item: *item, arm, recipient }) {
                    let tally = &mut self.units[arm.get()][index];
                    tally.count_pooled(outcome, 1);
                    if let Some(before) = before {
                        tally.count_pooled(before, -1);
                    }
                }
            }
            return;
        }
        // Only what is sent alone says something about the item itself; split by the separator it is another text.
        let &[item] = probe.items.as_slice() else { return };
        if probe.purpose == Purpose::Calibration {
            return;
        }
        let Some(index) = self.index(Unit { item, arm, recipient }) else { return };
        self.forget(arm, index);
        let tally = &mut self.units[arm.get()][index];
        tally.count(outcome, 1);
        match before {
            Some(before) => tally.count(before, -1),
            None => tally.probes += 1,
        }
        self.remember(arm, index);
    }

    /// Takes a unit out of the sums over its arm, before its tally changes.
    fn forget(&mut self, arm: ArmIx, index: usize) {
        let (loss, counted, suspected) = contribution(&self.units[arm.get()][index]);
        let sums = &mut self.passed[arm.get()][index % self.study.arm(arm).recipients.len()];
        sums.sends -= loss.sends;
        sums.losses -= loss.losses;
        self.seen[arm.get()] -= counted;
        self.suspects[arm.get()] -= suspected;
    }

    /// Puts a unit back into the sums over its arm.
    fn remember(&mut self, arm: ArmIx, index: usize) {
        let (loss, counted, suspected) = contribution(&self.units[arm.get()][index]);
        let sums = &mut self.passed[arm.get()][index % self.study.arm(arm).recipients.len()];
        *sums = *sums + loss;
        self.seen[arm.get()] += counted;
        self.suspects[arm.get()] += suspected;
    }

    /// What became of the controls of an arm at one recipient.
    #[must_use]
    pub fn controls(&self, arm: ArmIx, recipient: AccountIx) -> LossBaseline {
        let place = self.study.arm(arm).recipients.iter().position(|it| *it == recipient);
        place.map(|place| self.controls[arm.get()][place]).unwrap_or_default()
    }

    /// The loss baseline of an arm at one recipient: its controls there, and its items that arrived there at least once.
    #[must_use]
    pub fn baseline(&self, arm: ArmIx, recipient: AccountIx) -> LossBaseline {
        let place = self.study.arm(arm).recipients.iter().position(|it| *it == recipient);
        place.map(|place| self.controls[arm.get()][place] + self.passed[arm.get()][place]).unwrap_or_default()
    }

    /// What the evidence says of a unit by now; `None` while it does not suffice.
    #[must_use]
    pub fn verdict(&self, unit: Unit) -> Option<Verdict> {
        let tally = self.of(unit);
        // The number of drops is only asked for where it decides: it costs a quantile of the beta distribution.
        judge(&tally, None)
            .or_else(|| (tally.dropped > 0).then(|| judge(&tally, self.required_drops(unit.arm, unit.recipient))).flatten())
    }

    /// How many drops it takes on this arm for this recipient now; `None` where no number is enough.
    ///
    /// The loss is bounded by the worse of two bounds, over the recipient alone and over all recipients of the arm: one
    /// recipient with a bad connection must not be judged by the good ones of the others.
    #[must_use]
    pub fn required_drops(&self, arm: ArmIx, recipient: AccountIx) -> Option<u32> {
        let rule = &self.study.decision;
        // Half a unit on either side keeps the estimate away from 0 and 1 (Jeffreys).
        let prevalence = (self.suspects[arm.get()] as f64 + 0.5) / (self.seen[arm.get()] as f64 + 1.0);
        let recipients = &self.study.arm(arm).recipients;
        let all = recipients.iter().fold(LossBaseline::default(), |sum, it| sum + self.baseline(arm, *it));
        let loss = self.baseline(arm, recipient).upper_bound().max(all.upper_bound());
        required_drops(loss, prevalence, rule.false_positive_rate, rule.false_discovery_rate)
    }
}

/// What a unit adds to the sums of its arm: losses of an item that passes, whether it was seen, whether it is suspected.
fn contribution(tally: &Tally) -> (LossBaseline, u64, u64) {
    let passes = tally.passed() > 0 && !tally.signalled();
    let loss = if passes {
        LossBaseline { sends: u64::from(tally.passed() + tally.dropped), losses: u64::from(tally.dropped) }
    } else {
        LossBaseline::default()
    };
    let seen = u64::from(tally.counted() > 0);
    let suspect = u64::from(tally.counted() > 0 && !passes);
    (loss, seen, suspect)
}

/// Counts a control's outcome into (or, with -1, out of) a baseline. Only what arrived, and what is missing inside a bracket, counts.
fn count_control(baseline: &mut LossBaseline, outcome: Outcome, by: i64) {
    let lost = match outcome {
        Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered | Outcome::Retracted => 0,
        Outcome::Dropped => by,
        Outcome::Refused | Outcome::RateLimited | Outcome::SendFailed | Outcome::UnknownSubmission | Outcome::Void => return,
    };
    baseline.sends = baseline.sends.saturating_add_signed(by);
    baseline.losses = baseline.losses.saturating_add_signed(lost);
}
