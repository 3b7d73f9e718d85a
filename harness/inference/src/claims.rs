//! Everything that is claimed beyond verdicts: enforcement rates and contrasts, from the whole of the evidence.

use std::sync::Arc;

use lacuna_model::{AccountIx, ProbeId, Unit};

use crate::contrasts::{self, Contrasts};
use crate::enforcement::{self, EnforcementRecord, Rate, Sends};
use crate::evidence::{Change, Evidence};
use crate::tally::{Tallies, Tally};

/// What is claimed of a run.
pub struct Claims {
    tallies: Tallies,
    sends: Sends,
    /// By category, arm and recipient; only with a fixed number of sends.
    pub enforcement: Vec<EnforcementRecord>,
    /// By item and comparison.
    pub contrasts: Contrasts,
}

/// Derives every claim.
#[must_use]
pub fn derive(evidence: &Evidence) -> Claims {
    let study = evidence.study();
    let mut tallies = Tallies::new(Arc::clone(study));
    for row in evidence.outcomes() {
        let change = Change::Outcome { probe: row.probe, recipient: row.recipient, outcome: row.outcome, before: None };
        tallies.apply(evidence, change);
    }
    let contrasts = contrasts::derive(evidence, &|probe, recipient| loss_bound(evidence, &tallies, probe, recipient));
    Claims { sends: Sends::of(study), enforcement: enforcement::derive(study, &tallies), contrasts, tallies }
}

impl Claims {
    /// The enforcement for one unit, of which these are the counts.
    #[must_use]
    pub fn enforcement_of(&self, unit: Unit, tally: &Tally) -> Option<Rate> {
        enforcement::of_unit(tally, self.tallies.controls(unit.arm, unit.recipient), self.sends)
    }
}

/// The upper bound on the loss of a message for a recipient.
fn loss_bound(evidence: &Evidence, tallies: &Tallies, probe: ProbeId, recipient: AccountIx) -> f64 {
    let study = evidence.study();
    let arm = study.channel(evidence.probe(probe).probe.channel).arm;
    let all = study.arm(arm).recipients.iter().map(|it| tallies.baseline(arm, *it));
    let all = all.reduce(|sum, it| sum + it).unwrap_or_default();
    tallies.baseline(arm, recipient).upper_bound().max(all.upper_bound())
}
