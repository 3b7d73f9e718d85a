//! The counts of one unit: one item, alone, on one arm, for one recipient.

use lacuna_model::Outcome;

/// What became of the sends of one item, alone, on one arm, for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Sends with an outcome.
    pub probes: u32,
    /// Arrived as sent.
    pub delivered: u32,
    /// Arrived after having been counted as missing.
    pub delivered_late: u32,
    /// Missing inside a bracket.
    pub dropped: u32,
    /// Refused by the platform.
    pub refused: u32,
    /// Arrived changed.
    pub altered: u32,
    /// Arrived and taken away again.
    pub retracted: u32,
    /// Missing without a bracket.
    pub void: u32,
    /// The platform asked to slow down.
    pub rate_limited: u32,
    /// Certainly not sent.
    pub send_failed: u32,
    /// Of unknown fate.
    pub unknown_submission: u32,
    /// Sends together with other items that arrived as sent.
    pub pooled_delivered: u32,
    /// Sends together with other items that did not, or not in time: missing inside a bracket, late, refused, altered or retracted.
    pub pooled_dropped: u32,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: Outcome, by: i32) {
        let field = match outcome {
            Outcome::Delivered => &mut self.delivered,
            Outcome::DeliveredLate => &mut self.delivered_late,
            Outcome::Altered => &mut self.altered,
            Outcome::Retracted => &mut self.retracted,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Refused => &mut self.refused,
            Outcome::RateLimited => &mut self.rate_limited,
            Outcome::SendFailed => &mut self.send_failed,
            Outcome::UnknownSubmission => &mut self.unknown_submission,
            Outcome::Void => &mut self.void,
        };
        *field = field.saturating_add_signed(by);
    }

    pub(crate) fn count_pooled(&mut self, outcome: Outcome, by: i32) {
        let field = match outcome {
            // What comes late may be held back for one of its items: that is no word about the others, and no more about that one.
            Outcome::Delivered => &mut self.pooled_delivered,
            Outcome::DeliveredLate | Outcome::Dropped | Outcome::Refused | Outcome::Altered | Outcome::Retracted => {
                &mut self.pooled_dropped
            }
            Outcome::RateLimited | Outcome::SendFailed | Outcome::UnknownSubmission | Outcome::Void => return,
        };
        *field = field.saturating_add_signed(by);
    }

    /// Arrived on time or late, as sent.
    #[must_use]
    pub fn passed(&self) -> u32 {
        self.delivered + self.delivered_late
    }

    /// Whether the platform showed in some way other than a silent drop that it handles the item apart.
    #[must_use]
    pub fn signalled(&self) -> bool {
        self.refused + self.altered + self.retracted > 0
    }

    /// Sends that say something about the item: arrived, in whatever form, or dropped, or refused.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.passed() + self.altered + self.retracted + self.dropped + self.refused
    }

    /// Sends of the item alone that arrived in some form: what speaks against a drop.
    #[must_use]
    pub fn arrivals(&self) -> u32 {
        self.passed() + self.altered + self.retracted
    }

    /// Whether the item is known to pass: it arrived as it was sent, and nothing else was done to it. That it arrived in a pool is only
    /// enough where no send of its own speaks against it.
    #[must_use]
    pub fn passes(&self) -> bool {
        (self.passed() > 0 || (self.pooled_delivered > 0 && self.dropped == 0)) && !self.signalled()
    }

    /// Whether anything was learned of the item.
    pub(crate) fn is_seen(&self) -> bool {
        self.counted() + self.pooled_delivered > 0
    }

    /// Whether the item may be dropped: dropped alone, and never arrived alone.
    pub(crate) fn is_suspect(&self) -> bool {
        self.dropped > 0 && self.arrivals() + self.refused == 0
    }

    /// How often it was missing, alone or with others.
    pub(crate) fn times_missing(&self) -> u32 {
        self.dropped + self.pooled_dropped
    }

    /// Whether the drops of the item alone were losses: it arrives.
    pub(crate) fn drops_were_losses(&self) -> bool {
        self.passed() > 0 && !self.signalled()
    }
}
