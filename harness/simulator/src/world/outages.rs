//! When something does not work.

use lacuna_model::policy::{Outage, OutageKind};
use lacuna_model::{AccountId, Timestamp};

/// A stretch of time, its end excluded.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Timestamp,
    until: Timestamp,
}

impl Stretch {
    fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// The outages of a policy, as moments.
pub(super) struct Outages {
    down: Vec<Stretch>,
    black_hole: Vec<Stretch>,
    deaf: Vec<(Stretch, Vec<AccountId>)>,
}

impl Outages {
    pub(super) fn new(outages: &[Outage], started_at: Timestamp) -> Self {
        let mut sorted = Self { down: Vec::new(), black_hole: Vec::new(), deaf: Vec::new() };
        for outage in outages {
            let from = started_at + outage.from;
            let stretch = Stretch { from, until: from + outage.lasts };
            match outage.kind {
                OutageKind::Down => sorted.down.push(stretch),
                OutageKind::BlackHole => sorted.black_hole.push(stretch),
                OutageKind::Deaf => sorted.deaf.push((stretch, outage.accounts.clone())),
            }
        }
        sorted
    }

    /// Whether nothing can be sent.
    pub(super) fn is_down(&self, at: Timestamp) -> bool {
        self.down.iter().any(|stretch| stretch.contains(at))
    }

    /// Whether what is sent vanishes.
    pub(super) fn swallows(&self, at: Timestamp) -> bool {
        self.black_hole.iter().any(|stretch| stretch.contains(at))
    }

    /// Whether the account receives nothing.
    pub(super) fn is_deaf(&self, at: Timestamp, account: &AccountId) -> bool {
        self.deaf.iter().any(|(stretch, accounts)| stretch.contains(at) && (accounts.is_empty() || accounts.contains(account)))
    }
}
