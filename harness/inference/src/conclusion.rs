//! Everything that is claimed from the whole of the evidence, each part from the same settled tallies.

use lacuna_model::{AccountIx, ArmIx, ItemIx, Role};

use crate::account_effects::{self, AccountEffect};
use crate::checks::{self, ArmChecks};
use crate::combinations::{self, CombinationRecord};
use crate::contrasts::{self, Contrasts};
use crate::controls::ControlTally;
use crate::enforcement::{self, EnforcementRecord};
use crate::evidence::Evidence;
use crate::exposure::{self, ExposureRecord, Trial};
use crate::mechanism::{self, MechanismRecord};
use crate::rules::{self, TextRecord};
use crate::tally::Tallies;
use crate::verdicts::{self, VerdictRecord};

/// What became of one control on one arm for one recipient: one row of `controls.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct ControlRecord {
    /// The control.
    pub item: ItemIx,
    /// The arm.
    pub arm: ArmIx,
    /// For whom.
    pub recipient: AccountIx,
    /// The counts.
    pub tally: ControlTally,
    /// Whether it was dropped more often in a row than loss explains.
    pub expelled: bool,
}

/// What is claimed about files.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FileClaims {
    /// One per original, arm and recipient; none unless the design asks for mechanisms.
    pub mechanisms: Vec<MechanismRecord>,
    /// Whether what is shown outside is enforced inside, and the trials; `None` unless the design exposes something.
    pub exposure: Option<(ExposureRecord, Vec<Trial>)>,
}

impl FileClaims {
    fn of(evidence: &Evidence, tallies: &Tallies) -> Self {
        Self { mechanisms: mechanism::derive(evidence, tallies), exposure: exposure::derive(evidence, tallies) }
    }
}

/// All claims of a run.
pub struct Conclusion {
    /// One per unit.
    pub verdicts: Vec<VerdictRecord>,
    /// What is dropped together, and passes apart.
    pub combinations: Vec<CombinationRecord>,
    /// One per control, arm and recipient.
    pub controls: Vec<ControlRecord>,
    /// One per arm.
    pub checks: Vec<ArmChecks>,
    /// How often the platform acts, by category; only with a fixed number of sends.
    pub enforcement: Vec<EnforcementRecord>,
    /// What differs between regions, senders and venues.
    pub contrasts: Contrasts,
    /// What in texts is blocked; one per text, arm and recipient.
    pub texts: Vec<TextRecord>,
    /// By what files are filtered.
    pub files: FileClaims,
    /// What the platform seems to do to accounts.
    pub account_effects: Vec<AccountEffect>,
    /// The settled tallies behind them.
    pub tallies: Tallies,
}

/// Concludes from the whole of the evidence.
#[must_use]
pub fn conclude(evidence: &Evidence) -> Conclusion {
    let tallies = verdicts::tallies(evidence);
    let verdicts = verdicts::records(evidence, &tallies);
    let combinations = combinations::derive(evidence, &tallies);
    let checks = checks::derive(evidence, &tallies, &verdicts);
    Conclusion {
        combinations,
        controls: controls(evidence, &tallies),
        checks,
        verdicts,
        enforcement: enforcement::derive(evidence.study(), &tallies),
        contrasts: contrasts::derive(evidence, &tallies),
        texts: rules::derive(evidence, &tallies),
        files: FileClaims::of(evidence, &tallies),
        account_effects: account_effects::derive(evidence, &tallies),
        tallies,
    }
}

fn controls(evidence: &Evidence, tallies: &Tallies) -> Vec<ControlRecord> {
    let study = evidence.study();
    let mut records = Vec::new();
    for item in study.items_of(Role::Control) {
        for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
            for recipient in &it.recipients {
                records.push(ControlRecord {
                    item,
                    arm,
                    recipient: *recipient,
                    tally: tallies.control(item, arm, *recipient),
                    expelled: tallies.is_expelled_for(item, arm, *recipient),
                });
            }
        }
    }
    records
}
