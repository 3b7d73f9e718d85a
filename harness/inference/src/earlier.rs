//! What an earlier run found, as far as it says what a later one has to make sure of.
//!
//! A unit that is not what it was is a change, and a change is claimed among all units that could have changed
//! ([`comparison`](crate::comparison)). What convicts a unit in its own run can fall short of that: the sends that are missing are cheap now, and cannot be had
//! later.

use lacuna_model::{Earlier, Study, Unit};
use libm::log;

use crate::company::Company;
use crate::comparison::{LEAK, against_a_filter};
use crate::unit_tally::Tally;

/// The units that an earlier run said something of.
#[derive(Clone, Debug)]
pub(crate) struct EarlierUnits {
    units: Vec<EarlierState>,
    delivered: usize,
    blocked: usize,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlierState {
    pub unit: Unit,
    pub was_blocked: bool,
}

impl EarlierUnits {
    pub fn new(earlier: &Earlier, study: &Study) -> Self {
        let asked = |units: &[lacuna_model::EarlierUnit], was_blocked| -> Vec<EarlierState> {
            let due = units.iter().filter(|(item, ..)| !earlier.leaves_out(*item) && item.get() < study.items.len());
            due.map(|(item, arm, recipient)| EarlierState {
                unit: Unit { item: *item, arm: *arm, recipient: *recipient },
                was_blocked,
            })
            .collect()
        };
        let mut units = asked(&earlier.delivered, false);
        let delivered = units.len();
        units.extend(asked(&earlier.blocked, true));
        Self { blocked: units.len() - delivered, delivered, units }
    }

    pub fn units(&self) -> impl Iterator<Item = EarlierState> + '_ {
        self.units.iter().copied()
    }

    /// What the arrivals of a unit that was blocked say against its being blocked still.
    pub fn ln_e_of_arrivals(tally: &Tally, company: Company, loss: f64) -> f64 {
        against_a_filter((tally.passed(), tally.dropped), company, loss, LEAK)
    }

    /// The logarithm of the e-value that such a change needs if so many are claimed.
    pub fn ln_wanted(&self, was_blocked: bool, changed: u32, level: f64) -> f64 {
        let family = if was_blocked { self.blocked } else { self.delivered };
        // Four families, and the list of units has a quarter of the level.
        log(16.0 * family as f64) - log(level * f64::from(changed.max(1)))
    }
}
