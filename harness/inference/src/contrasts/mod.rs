//! What makes the difference: for each item the drop rate on two sides that differ in one factor, everything else being equal.
//!
//! The factors are the region in which the recipient or the sender was registered or connects from, and the kind of venue. The
//! estimand is the difference of the drop rates, the first level minus the second.
//!
//! # What is claimed
//!
//! A difference is claimed where its `q_value` is at most the false discovery rate. It can get there only if both sides could have
//! shown it: on one side every account with a send that counts is convicted by its own bracketed drops, and on the other
//! every one let the item through, alone or, where it had no send of the item alone, in a pool. An account without a send that
//! counts (deaf, suppressed: its sends are void) says nothing, for or against.
//!
//! - *Blocked here* is an e-value against "the item is not blocked": the product of one over the upper bound of the loss over the
//!   drops. *Passes there* is an arrival, which a filter that always acts on the item would not have let happen; a screen takes the
//!   filter for one that does. With fixed sends (`replicates`) it is not taken for that, and the e-value compares the two rates: see
//!   [`rates`].
//! - Two directions are looked at, so the e-value is half of the greater one.
//! - Recipients of one message share its fate: between them two drops at least must be of messages that arrived on the other side.
//! - `scope = region` needs two accounts on each side, and that all agree: the e-value is the smallest over the accounts, which is
//!   valid against "not every account of the region is treated so" whatever the dependence. Everything else is
//!   `account_pair`.
//! - The e-BH procedure runs over all rows.
//!
//! The interval of the difference takes nothing for granted about the filter, so after the few sends of a screen it is wide, and
//! may hold 0 where the difference is claimed. It is the wider of two: Student's over the rates of the accounts (Welch and
//! Satterthwaite), the accounts being a sample of their region; and what the sends of each account leave open (confidence
//! sequences, fixed-sample intervals with `replicates`; each account with its share of the 5 %).

mod comparisons;
mod counts;
mod judge;
pub mod rates;

use lacuna_model::{AccountIx, ArmIx, ItemIx, ProbeId, Role, VenueKind};

pub use comparisons::{Comparison, Context, Factor, Scope, Side, comparisons};
pub use judge::Difference;

use crate::evidence::Evidence;
use crate::multiplicity;
use crate::tally::Tallies;

/// One item in one comparison: one row of `contrasts.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct ContrastRecord {
    /// The item.
    pub item: ItemIx,
    /// Index into [`Contrasts::comparisons`].
    pub comparison: usize,
    /// The difference of the drop rates and its interval; `None` where a side has no send that counts.
    pub difference: Option<Difference>,
    /// The logarithm of the e-value; `None` where a side has no send that counts.
    pub ln_e: Option<f64>,
    /// The e-BH value over all rows.
    pub q_value: f64,
    /// What was counted on either side.
    pub counted: [Counted; 2],
}

/// What was counted on one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// Accounts with a send that counts.
    pub accounts: u32,
    /// Their sends that count: those of the item alone, or else those in pools that arrived.
    pub sends: u32,
    /// Of these, dropped.
    pub dropped: u32,
}

/// All comparisons of a study, and every item in each of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Contrasts {
    /// What is compared, in the order of the factors, levels and accounts.
    pub comparisons: Vec<Comparison>,
    /// Ordered by item, then by comparison.
    pub records: Vec<ContrastRecord>,
}

impl Contrasts {
    /// The rows whose difference is claimed.
    pub fn claimed(&self, false_discovery_rate: f64) -> impl Iterator<Item = (&Comparison, &ContrastRecord)> + '_ {
        let claimed = self.records.iter().filter(move |it| it.q_value <= false_discovery_rate);
        claimed.map(|it| (&self.comparisons[it.comparison], it))
    }
}

/// Every contrast that the evidence allows. The tallies are of the same evidence.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Contrasts {
    let study = evidence.study();
    let loss = |probe: ProbeId, recipient: AccountIx| {
        let record = evidence.probe(probe);
        let (arm, at) = (study.channel(record.probe.channel).arm, record.started_at.unwrap_or(record.planned_at));
        tallies.loss_bound_at(arm, recipient, at)
    };
    let comparisons = comparisons(study);
    let tested: Vec<ItemIx> =
        (0u32..).map(ItemIx).zip(&study.items).filter(|(_, item)| item.role != Role::Control).map(|(index, _)| index).collect();
    let mut place = vec![usize::MAX; study.items.len()];
    for (index, item) in tested.iter().enumerate() {
        place[item.get()] = index;
    }
    let mut rows: Vec<Vec<ContrastRecord>> = Vec::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        let counts = counts::Counts::new(evidence, comparison, &place, tested.len(), &loss);
        let row = |(nth, item): (usize, &ItemIx)| judge::record(study, *item, index, &counts.of(nth));
        rows.push(tested.iter().enumerate().map(row).collect());
    }
    let mut columns: Vec<_> = rows.into_iter().map(Vec::into_iter).collect();
    let mut records = Vec::with_capacity(tested.len() * comparisons.len());
    for _ in &tested {
        records.extend(columns.iter_mut().filter_map(Iterator::next));
    }
    // Where nothing can be said, nothing is counted against either: the row is a hypothesis all the same.
    let ln_e: Vec<f64> = records.iter().map(|it| it.ln_e.unwrap_or(f64::NEG_INFINITY)).collect();
    let q_values = multiplicity::q_values(&ln_e, records.len() as u64);
    for (record, q_value) in records.iter_mut().zip(q_values) {
        record.q_value = q_value;
    }
    Contrasts { comparisons, records }
}

impl Scope {
    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::AccountPair => "account_pair",
        }
    }
}

/// The level of a factor, as the files write it.
fn venue_level(venue: VenueKind) -> String {
    venue.as_str().to_owned()
}

/// The only element, if there is exactly one.
fn only<T: Copy + PartialEq>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut all = all;
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

impl Side {
    /// The arm, if it is one.
    #[must_use]
    pub fn arm(&self) -> Option<ArmIx> {
        only(self.arms.iter().copied())
    }
}
