//! What is counted of messages and of verdicts.

use std::ops::Add;

use lacuna_inference::enforcement::Rate;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{Probe, Purpose, Role, Verdict};

use crate::truth::Handling;

/// Messages handed to the platform, by what they were for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Messages {
    /// With candidates, to find out about them: screened, confirmed, sent again.
    pub candidates: u64,
    /// Of these, with several candidates each.
    pub pools: u64,
    /// Controls that prove a path alive.
    pub controls: u64,
    /// Items known to be dropped, in pools: does a pool hide what is in it?
    pub spikes: u64,
    /// Items known to be dropped, split by the separator: does it separate?
    pub calibration: u64,
    /// Cleared items, alone: did the pool that cleared them tell the truth?
    pub audits: u64,
    /// Pools that were dropped although their parts pass, again.
    pub certificates: u64,
    /// Parts of texts that are blocked, to find out what in them is.
    pub excerpts: u64,
    /// Canaries.
    pub canaries: u64,
}

impl Messages {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        let Self { candidates, pools: _, controls, spikes, calibration, audits, certificates, excerpts, canaries } = *self;
        candidates + controls + spikes + calibration + audits + certificates + excerpts + canaries
    }

    pub(super) fn count(&mut self, probe: &Probe) {
        let field = match (probe.purpose, probe.role) {
            _ if probe.excerpt.is_some() => &mut self.excerpts,
            (Purpose::Cut | Purpose::Order | Purpose::Broken | Purpose::Lifting, _) => &mut self.excerpts,
            (Purpose::Spike, _) => &mut self.spikes,
            (Purpose::Calibration, _) => &mut self.calibration,
            (Purpose::Audit, _) => &mut self.audits,
            (Purpose::Certificate, _) => &mut self.certificates,
            (Purpose::Bracket, _) | (Purpose::Screen | Purpose::Confirm | Purpose::Retest | Purpose::Exposure, Role::Control) => {
                &mut self.controls
            }
            (Purpose::Screen | Purpose::Confirm | Purpose::Retest | Purpose::Exposure, Role::Canary) => &mut self.canaries,
            (Purpose::Screen | Purpose::Confirm | Purpose::Retest | Purpose::Exposure, Role::Candidate) => {
                self.pools += u64::from(probe.items.len() > 1);
                &mut self.candidates
            }
        };
        *field += 1;
    }
}

impl Add for Messages {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            candidates: self.candidates + other.candidates,
            pools: self.pools + other.pools,
            controls: self.controls + other.controls,
            spikes: self.spikes + other.spikes,
            calibration: self.calibration + other.calibration,
            audits: self.audits + other.audits,
            certificates: self.certificates + other.certificates,
            excerpts: self.excerpts + other.excerpts,
            canaries: self.canaries + other.canaries,
        }
    }
}

/// Verdicts on candidates, held against the truth. A unit is one candidate, on one arm, for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdicts {
    /// Units.
    pub units: u64,
    /// Units that a rule drops.
    pub blocked: u64,
    /// Of these, called dropped.
    pub found: u64,
    /// Units that no rule drops or holds back, but called dropped.
    pub falsely_dropped: u64,
    /// Units with a conclusive verdict that is not true; those falsely dropped are among them.
    pub wrong: u64,
    /// Intervals of the drop rate, of units that a rule drops or none concerns, where the loss is known.
    pub rate_intervals: u64,
    /// Of these, with the true rate inside.
    pub rates_covered: u64,
    /// Intervals of the enforcement, of units that a rule drops or none concerns, where the number of sends is fixed.
    pub enforcement_intervals: u64,
    /// Of these, with the true share inside.
    pub enforcements_covered: u64,
    /// Units by verdict, in the order of [`Verdict::ALL`].
    pub by_verdict: [u64; Verdict::ALL.len()],
}

impl Verdicts {
    /// Units with this verdict.
    #[must_use]
    pub fn with(&self, verdict: Verdict) -> u64 {
        Verdict::ALL.iter().zip(self.by_verdict).filter(|(it, _)| **it == verdict).map(|(_, count)| count).sum()
    }

    /// Units that no rule drops.
    #[must_use]
    pub const fn not_blocked(&self) -> u64 {
        self.units - self.blocked
    }

    /// Counts an interval of a unit's drop rate. With independent losses a message arrives if neither rule nor loss takes it.
    pub(super) fn count_rate(&mut self, (low, high): (f64, f64), truth: Handling, loss: f64) {
        if truth.is_drop_or_nothing() {
            let rate = truth.enforcement + (1.0 - truth.enforcement) * loss;
            self.rate_intervals += 1;
            self.rates_covered += u64::from(low <= rate && rate <= high);
        }
    }

    /// Counts an interval of a unit's enforcement.
    pub(super) fn count_enforcement(&mut self, interval: Rate, truth: Handling) {
        if truth.is_drop_or_nothing() {
            self.enforcement_intervals += 1;
            self.enforcements_covered += u64::from(interval.low <= truth.enforcement && truth.enforcement <= interval.high);
        }
    }

    pub(super) fn count(&mut self, record: &VerdictRecord, truth: Handling) {
        let (verdict, blocked) = (record.verdict, truth.verdict == Verdict::Dropped);
        let (admitted, dropped) = (truth.admits(verdict), verdict == Verdict::Dropped);
        self.units += 1;
        self.blocked += u64::from(blocked);
        self.found += u64::from(blocked && dropped);
        self.falsely_dropped += u64::from(dropped && !admitted);
        self.wrong += u64::from(!admitted);
        for (it, count) in Verdict::ALL.iter().zip(&mut self.by_verdict) {
            *count += u64::from(*it == verdict);
        }
    }
}

impl Add for Verdicts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut by_verdict = self.by_verdict;
        by_verdict.iter_mut().zip(other.by_verdict).for_each(|(count, more)| *count += more);
        Self {
            units: self.units + other.units,
            blocked: self.blocked + other.blocked,
            found: self.found + other.found,
            falsely_dropped: self.falsely_dropped + other.falsely_dropped,
            wrong: self.wrong + other.wrong,
            rate_intervals: self.rate_intervals + other.rate_intervals,
            rates_covered: self.rates_covered + other.rates_covered,
            enforcement_intervals: self.enforcement_intervals + other.enforcement_intervals,
            enforcements_covered: self.enforcements_covered + other.enforcements_covered,
            by_verdict,
        }
    }
}
