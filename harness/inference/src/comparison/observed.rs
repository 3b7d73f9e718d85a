//! What a run saw of one unit, and what that says against each state that the unit could be in.

use lacuna_model::{AccountIx, ArmIx, Reason, Timestamp, Verdict};
use libm::log;

use crate::company::Company;
use crate::conclusion::Conclusion;
use crate::intervals::upper_bound;
use crate::loss::CONFIDENCE;
use crate::sequential::ALWAYS;
use crate::verdicts::VerdictRecord;

/// The share of messages that a filter is taken to let through at most, where nothing shows that it lets more through.
pub const LEAK: f64 = 1.0 - ALWAYS;

/// The sends of a unit, as far as they say something.
#[derive(Clone, PartialEq, Debug)]
pub struct Observed {
    /// The verdict.
    pub verdict: Verdict,
    /// Sends of the item alone that arrived as they were sent, in time.
    pub delivered: u32,
    /// Those that arrived late.
    pub late: u32,
    /// Missing inside a bracket, alone.
    pub dropped: u32,
    /// What became of the messages that it shared with others.
    pub company: Company,
    /// Whether the item was known from an earlier run and left out of this one.
    pub was_due: bool,
    /// The logarithm of the e-value of its own sends against "only lost".
    pub ln_e: f64,
    /// When it was sent first.
    pub first_sent_at: Option<Timestamp>,
    /// When it was sent last.
    pub last_sent_at: Option<Timestamp>,
}

/// What the sends of a path are judged by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conditions {
    /// The upper bound on the share of messages that are lost.
    pub loss: f64,
    /// The upper bound on the share of arrivals that are late by themselves.
    pub late: f64,
    /// The upper bound on the share of messages that a filter lets through: [`LEAK`], or the 99 % Clopper–Pearson bound over the sends of
    /// what was known to be dropped, if any of these arrived.
    pub leak: f64,
}

impl Conditions {
    /// As a run saw them.
    #[must_use]
    pub fn of(conclusion: &Conclusion, arm: ArmIx, recipient: AccountIx) -> Self {
        let tail = 1.0 - CONFIDENCE;
        let (mut late, mut arrived) = (0, 0);
        let (mut leaked, mut filtered) = (0, 0);
        for record in conclusion.verdicts.iter().filter(|record| record.unit.arm == arm && record.unit.recipient == recipient) {
            let tally = &record.tally;
            match record.verdict {
                Verdict::Delivered => {
                    late += u64::from(tally.delivered_late);
                    arrived += u64::from(tally.delivered + tally.delivered_late);
                }
                Verdict::Dropped | Verdict::Inconsistent => {
                    leaked += u64::from(tally.arrivals());
                    filtered += u64::from(tally.arrivals() + tally.dropped);
                }
                _ => {}
            }
        }
        // Spikes and audits are counted for the arm: what lets a pool through does so for whoever receives it.
        for checks in conclusion.checks.iter().filter(|checks| checks.arm == arm) {
            leaked += checks.spikes_delivered + checks.audit_misses;
            filtered += checks.spikes + checks.audits;
        }
        Self {
            loss: conclusion.tallies.loss_bound(arm, recipient),
            late: upper_bound(late, arrived, tail).max(LEAK),
            leak: if leaked == 0 { LEAK } else { upper_bound(leaked, filtered, tail).max(LEAK) },
        }
    }
}

/// The logarithm of the e-value of so many sends alone that arrived or are missing, and of those in company, against a filter that lets a share
/// of at most `leak` through: the likelihood ratio of a filter that lets just that much through, and none, with the greatest loss.
pub(crate) fn against_a_filter((arrived, missing): (u32, u32), company: Company, loss: f64, leak: f64) -> f64 {
    let arrivals = arrived + u32::from(company.arrived);
    // What was lost looks as if it had been dropped.
    let losses = missing + company.missing;
    f64::from(arrivals) * log((1.0 - loss) / leak).max(0.0) + f64::from(losses) * log(loss / (1.0 - leak)).min(0.0)
}

impl Observed {
    pub(super) fn of(record: &VerdictRecord, company: Company, ln_e: f64) -> Self {
        Self {
            verdict: record.verdict,
            delivered: record.tally.delivered,
            late: record.tally.delivered_late,
            dropped: record.tally.dropped,
            company,
            was_due: record.reason != Some(Reason::NotDue),
            ln_e,
            first_sent_at: record.first_sent_at,
            last_sent_at: record.last_sent_at,
        }
    }

    /// The verdict, where it says something.
    #[must_use]
    pub fn state(&self) -> Option<Verdict> {
        (!matches!(self.verdict, Verdict::Inconclusive | Verdict::Inconsistent)).then_some(self.verdict)
    }

    /// Whether it is known from messages alone that it shared with others.
    pub(super) fn is_known_by_company(&self) -> bool {
        self.verdict == Verdict::Delivered && self.delivered + self.late == 0
    }

    /// The logarithm of the e-value of these sends against "it passes".
    pub(super) fn blocked(&self) -> f64 {
        match self.verdict {
            Verdict::Refused | Verdict::Altered | Verdict::Retracted => f64::INFINITY,
            _ => self.ln_e,
        }
    }

    /// And against "it is blocked", by a filter that lets at most a share through.
    pub(super) fn passing(&self, conditions: Conditions) -> f64 {
        match self.verdict {
            Verdict::Refused | Verdict::Altered | Verdict::Retracted => f64::NEG_INFINITY,
            _ => {
                let alone = (self.delivered + self.late, self.dropped);
                against_a_filter(alone, self.company, conditions.loss, conditions.leak)
            }
        }
    }

    /// The logarithm of the e-value of these sends against the hypothesis that the unit is in `state`, which is not the one that they are
    /// taken for; infinite where they exclude it.
    #[must_use]
    pub fn against(&self, state: Verdict, conditions: Conditions) -> f64 {
        // A bet on x against a share of at most y is an e-value for y < x only.
        let bet = |seen: f64, at_most: f64| log(seen / at_most).max(0.0);
        let Conditions { late, leak, .. } = conditions;
        match (self.verdict, state) {
            (Verdict::Refused | Verdict::Altered | Verdict::Retracted, _) => f64::INFINITY,
            (Verdict::Dropped, _) => self.ln_e,
            (Verdict::Delayed, Verdict::Delivered) => f64::from(self.late) * bet(1.0 - LEAK, late),
            // What was late by itself looks as if it had been held back.
            (Verdict::Delivered, Verdict::Delayed) => {
                let held = f64::from(self.late) * log(late / (1.0 - leak)).min(0.0);
                f64::from(self.delivered) * bet(1.0 - late, leak) + held
            }
            (Verdict::Delivered | Verdict::Delayed, _) => self.passing(conditions),
            (Verdict::Inconsistent | Verdict::Inconclusive, _) => 0.0,
        }
    }
}
