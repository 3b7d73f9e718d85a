//! How many items of a category are kept from a recipient: for a screen, which stops asking once it knows, a share of items says
//! more than a share of sends.

use std::collections::BTreeMap;

use lacuna_model::{AccountIx, ArmIx, Role, Study, Verdict};

use crate::enforcement::Rate;
use crate::intervals::clopper_pearson;
use crate::verdicts::{CONFIDENCE, VerdictRecord};

/// The candidates of one category, on one arm, for one recipient.
#[derive(Clone, PartialEq, Debug)]
pub struct CategoryRecord {
    /// As the corpora give it; may be empty.
    pub category: String,
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// All candidates of the category.
    pub items: u64,
    /// Of these, with a conclusion: any verdict but `inconclusive` and `inconsistent`.
    pub concluded: u64,
    /// Of these, kept from the recipient: dropped, refused, altered or retracted.
    pub kept: u64,
    /// Kept among the concluded, with the 95 % interval of Clopper and Pearson for a category of which these items are a sample;
    /// `None` without a conclusion.
    pub share: Option<Rate>,
}

/// Whether a verdict says that the recipient did not get the message, or not as it was sent.
#[must_use]
pub fn is_kept(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted)
}

/// Every category, arm and recipient, in this order.
#[must_use]
pub fn derive(study: &Study, verdicts: &[VerdictRecord]) -> Vec<CategoryRecord> {
    let mut counts: BTreeMap<(&str, ArmIx, usize), (AccountIx, [u64; 3])> = BTreeMap::new();
    for record in verdicts.iter().filter(|record| study.item(record.unit.item).role == Role::Candidate) {
        let unit = record.unit;
        let place = study.arm(unit.arm).recipients.iter().position(|it| *it == unit.recipient).unwrap_or_default();
        let key = (study.item(unit.item).category.as_str(), unit.arm, place);
        let (_, [items, concluded, kept]) = counts.entry(key).or_insert((unit.recipient, [0; 3]));
        *items += 1;
        *concluded += u64::from(!matches!(record.verdict, Verdict::Inconclusive | Verdict::Inconsistent));
        *kept += u64::from(is_kept(record.verdict));
    }
    let record = |((category, arm, _), (recipient, [items, concluded, kept])): ((&str, ArmIx, usize), (AccountIx, [u64; 3]))| {
        let (low, high) = clopper_pearson(kept, concluded, CONFIDENCE);
        let share = (concluded > 0).then(|| Rate { estimate: kept as f64 / concluded as f64, low, high });
        CategoryRecord { category: category.to_owned(), arm, recipient, items, concluded, kept, share }
    };
    counts.into_iter().map(record).collect()
}
