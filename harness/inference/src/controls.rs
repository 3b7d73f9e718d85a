//! What became of each control: the messages that prove paths alive, and teach how often messages are lost.
//!
//! A control is meant to be let through. One that the platform blocks after all would make every path look worse than it is, and
//! is *expelled* from an arm: its latest sends for one recipient, two at least, were all dropped inside brackets, and so many
//! losses in a row are rarer than the false positive rate. What it lost stays in the bound on the loss.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use lacuna_model::{ArmIx, ItemIx, Outcome, ProbeId};

use crate::loss::{FEWEST_DROPS, FLOOR, LossBaseline};

/// What became of the sends that carried one control, alone or with others, on one arm, for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ControlTally {
    /// Sends with an outcome.
    pub probes: u32,
    /// Arrived, on time or late, changed or not.
    pub delivered: u32,
    /// Missing inside a bracket.
    pub dropped: u32,
    /// Missing without a bracket.
    pub void: u32,
}

impl ControlTally {
    fn count(&mut self, outcome: Outcome, by: i32) {
        let field = match is_lost(outcome) {
            Some(true) => &mut self.dropped,
            Some(false) => &mut self.delivered,
            None if outcome == Outcome::Void => &mut self.void,
            None => return,
        };
        *field = field.saturating_add_signed(by);
    }
}

/// Whether a message was lost on its way: `None` where it cannot be said, because it never was on its way, or nothing shows that
/// the path was alive.
#[must_use]
pub(crate) fn is_lost(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered | Outcome::Retracted => Some(false),
        Outcome::Dropped => Some(true),
        Outcome::Refused | Outcome::RateLimited | Outcome::SendFailed | Outcome::UnknownSubmission | Outcome::Void => None,
    }
}

#[derive(Clone, Debug, Default)]
struct Record {
    tally: ControlTally,
    /// The sends that count, in the order in which they were planned, and whether they were lost.
    counted: BTreeMap<ProbeId, bool>,
}

/// The controls of a study.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    records: HashMap<(ItemIx, ArmIx, usize), Record, FixedState>,
    /// What became of control messages, however many controls they carried, by arm and recipient.
    messages: BTreeMap<(ArmIx, usize), LossBaseline>,
}

impl Controls {
    /// Counts an outcome of a control message for the recipient at this place of the arm.
    pub fn count(
        &mut self,
        probe: ProbeId,
        items: &[ItemIx],
        arm: ArmIx,
        place: usize,
        outcome: Outcome,
        before: Option<Outcome>,
    ) {
        for item in items {
            let record = self.records.entry((*item, arm, place)).or_default();
            record.tally.count(outcome, 1);
            match before {
                Some(before) => record.tally.count(before, -1),
                None => record.tally.probes += 1,
            }
            // Which of several controls in a message it was dropped for is not known: only what is dropped alone is held against one.
            match is_lost(outcome) {
                Some(lost) if !lost || items.len() == 1 => record.counted.insert(probe, lost),
                _ => record.counted.remove(&probe),
            };
        }
        let messages = self.messages.entry((arm, place)).or_default();
        for (outcome, by) in [(Some(outcome), 1), (before, -1)] {
            if let Some(lost) = outcome.and_then(is_lost) {
                messages.sends = messages.sends.saturating_add_signed(by);
                messages.losses = messages.losses.saturating_add_signed(if lost { by } else { 0 });
            }
        }
    }

    /// What became of the control messages of an arm for one recipient.
    #[must_use]
    pub fn messages(&self, arm: ArmIx, place: usize) -> LossBaseline {
        self.messages.get(&(arm, place)).copied().unwrap_or_default()
    }

    /// What became of one control.
    #[must_use]
    pub fn of(&self, item: ItemIx, arm: ArmIx, place: usize) -> ControlTally {
        self.records.get(&(item, arm, place)).map(|record| record.tally).unwrap_or_default()
    }

    /// Whether a control's latest sends for one recipient were dropped more often in a row than loss explains, `loss` being what is
    /// known of the loss there, its own drops included.
    #[must_use]
    pub fn is_expelled(&self, item: ItemIx, arm: ArmIx, place: usize, loss: LossBaseline, false_positive_rate: f64) -> bool {
        let Some(record) = self.records.get(&(item, arm, place)) else { return false };
        let in_a_row = record.counted.values().rev().take_while(|lost| **lost).count();
        let in_a_row = u32::try_from(in_a_row).unwrap_or(u32::MAX);
        if in_a_row < FEWEST_DROPS {
            return false;
        }
        // The loss without these drops: that of everything else.
        let others = LossBaseline {
            sends: loss.sends.saturating_sub(u64::from(in_a_row)),
            losses: loss.losses.saturating_sub(u64::from(in_a_row)),
        };
        let Some(rate) = others.rate() else { return false };
        libm::pow(rate.max(FLOOR), f64::from(in_a_row)) <= false_positive_rate
    }
}
