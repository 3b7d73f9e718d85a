//! Combinations: messages of several items that are dropped although each item alone, or in other company, passes.
//!
//! The claim is about a *content* for one recipient: at least two bracketed drops, no delivery, every item known to pass there, and
//! an e-value of the content's own sends that the e-BH procedure rejects among all contents of several items that were sent,
//! and that is at least 1 / false-positive-rate. Of contents that hold one another only the smallest is named: what it adds is
//! explained by what it holds.

use lacuna_model::{AccountIx, ArmIx, ItemIx};
use libm::log;

use crate::evidence::Evidence;
use crate::multiplicity;
use crate::pools::Content;
use crate::tally::Tallies;
use crate::verdicts::e_value;

/// A combination that is dropped: one or more rows of `combinations.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct CombinationRecord {
    /// The arm.
    pub arm: ArmIx,
    /// For whom.
    pub recipient: AccountIx,
    /// Its items as they stood in the first message.
    pub items: Vec<ItemIx>,
    /// Sends that say something: all were dropped.
    pub probes: u32,
    /// Sends missing inside a bracket.
    pub dropped: u32,
    /// The evidence against "only lost".
    pub e_value: f64,
}

/// The combinations that are dropped, in the order in which they were first sent, and of the recipients of an arm.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Vec<CombinationRecord> {
    let study = evidence.study();
    let least = -log(study.decision.false_positive_rate);
    let mut found: Vec<(&Content, usize, f64)> = Vec::new();
    for content in tallies.pools().contents() {
        for (place, tally) in content.tallies.iter().enumerate().filter(|(_, tally)| tally.is_suspect()) {
            let ln_e = tallies.ln_e_of_pool(content.arm, place, tally);
            if ln_e >= least {
                found.push((content, place, ln_e));
            }
        }
    }
    let mut ln_e: Vec<f64> = found.iter().map(|(.., ln_e)| *ln_e).collect();
    ln_e.sort_by(|a, b| b.total_cmp(a));
    let (sent, _) = tallies.pools().sent_and_suspects();
    let level = study.decision.false_discovery_rate;
    let threshold = multiplicity::ln_threshold(multiplicity::rejected(&ln_e, sent, level), sent, level);
    found.retain(|(.., ln_e)| *ln_e >= threshold);
    let explained = |(content, place, _): &(&Content, usize, f64)| {
        found.iter().any(|(other, at, _)| {
            at == place
                && other.arm == content.arm
                && other.items.len() < content.items.len()
                && is_part_of(&other.items, &content.items)
        })
    };
    let mut smallest: Vec<_> = found.iter().filter(|it| !explained(it)).collect();
    smallest.sort_by_key(|(content, place, _)| (content.first, *place));
    let record = |(content, place, ln_e): &(&Content, usize, f64)| {
        let tally = &content.tallies[*place];
        CombinationRecord {
            arm: content.arm,
            recipient: study.arm(content.arm).recipients[*place],
            items: evidence.probe(content.first).probe.items.clone(),
            probes: tally.probes(),
            dropped: tally.dropped(),
            e_value: e_value(*ln_e),
        }
    };
    smallest.into_iter().map(record).collect()
}

/// Whether all of `few` are in `many`; both in order.
fn is_part_of(few: &[ItemIx], many: &[ItemIx]) -> bool {
    few.iter().all(|item| many.binary_search(item).is_ok())
}
