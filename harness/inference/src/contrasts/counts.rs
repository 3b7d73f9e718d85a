//! What became of each item on the two sides of a comparison, account by account.

use lacuna_model::{AccountIx, ChannelIx, Outcome, ProbeId, Purpose, Role};
use libm::log;

use super::comparisons::{Comparison, Member, Side};
use crate::evidence::Evidence;

/// One item at one account.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct MemberCounts {
    /// Messages of the item alone that arrived, in whatever form.
    pub arrived: u32,
    /// Messages of the item alone that were dropped.
    pub dropped: u32,
    /// Messages with other items that arrived.
    pub pooled_arrived: u32,
    /// Of the dropped, those that are known not to be missing on the other side too.
    pub telling_drops: u32,
    /// The sum of ln(1 / p⁺) over the dropped.
    pub ln_e: f64,
    /// The greatest p⁺ of the drops.
    pub loss: f64,
}

/// Messages that both of two accounts should have got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PairCounts {
    /// Dropped on the first side, arrived on the second.
    pub only_a_dropped: u32,
    /// The other way round.
    pub only_b_dropped: u32,
    /// Both, or neither.
    pub alike: u32,
}

/// One item in one comparison.
pub struct ItemCounts<'a> {
    /// The accounts of the two sides.
    pub sides: [&'a [MemberCounts]; 2],
    /// For every account of the first side, and in it for every one of the second: the messages that they share.
    /// Empty where no message goes to both sides.
    pub pairs: &'a [PairCounts],
}

/// All items in one comparison.
pub struct Counts {
    /// By side: as many per item as the side has accounts.
    members: [Vec<MemberCounts>; 2],
    sizes: [usize; 2],
    pairs: Vec<PairCounts>,
    shared: bool,
}

/// What one message showed at one account.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Seen {
    Arrived,
    /// With the greatest bound of the loss among the recipients for which it is missing.
    Dropped(f64),
}

impl Counts {
    pub fn new(
        evidence: &Evidence,
        comparison: &Comparison,
        place: &[usize],
        items: usize,
        loss: &dyn Fn(ProbeId, AccountIx) -> f64,
    ) -> Self {
        let sizes = [comparison.sides[0].members.len(), comparison.sides[1].members.len()];
        let on = |side: &Side, channel: ChannelIx| side.members.iter().any(|member| recipients(member, channel).is_some());
        let mut channels: Vec<ChannelIx> =
            comparison.sides.iter().flat_map(|side| &side.members).flat_map(|member| &member.paths).map(|(it, _)| *it).collect();
        channels.sort_unstable();
        channels.dedup();
        let shared = channels.iter().any(|channel| comparison.sides.iter().all(|side| on(side, *channel)));
        let mut counts = Self {
            members: sizes.map(|size| vec![MemberCounts::default(); size * items]),
            sizes,
            pairs: if shared { vec![PairCounts::default(); sizes[0] * sizes[1] * items] } else { Vec::new() },
            shared,
        };
        for channel in channels {
            let members = [0, 1].map(|side: usize| comparison.sides[side].members.as_slice());
            for probe in evidence.sent_on(channel) {
                let record = evidence.probe(*probe);
                if record.probe.role == Role::Control
                    || record.probe.purpose == Purpose::Calibration
                    || record.probe.excerpt.is_some()
                {
                    continue;
                }
                let seen = members.map(|members| {
                    let of = |member| recipients(member, channel).and_then(|all| seen(evidence, *probe, all, loss));
                    members.iter().map(of).collect::<Vec<_>>()
                });
                let on_side = members.map(|members| members.iter().any(|member| recipients(member, channel).is_some()));
                for item in &record.probe.items {
                    let nth = place[item.get()];
                    if nth < items {
                        counts.take(nth, record.probe.items.len() == 1, &seen, on_side == [true, true]);
                    }
                }
            }
        }
        counts
    }

    /// Takes one message of an item.
    fn take(&mut self, nth: usize, alone: bool, seen: &[Vec<Option<Seen>>; 2], shared: bool) {
        for (side, other) in [(0, 1), (1, 0)] {
            let arrived_there = seen[other].contains(&Some(Seen::Arrived));
            for (member, seen) in seen[side].iter().enumerate() {
                let counts = &mut self.members[side][nth * self.sizes[side] + member];
                match seen {
                    Some(Seen::Arrived) if alone => counts.arrived += 1,
                    Some(Seen::Arrived) => counts.pooled_arrived += 1,
                    Some(Seen::Dropped(bound)) if alone => {
                        counts.dropped += 1;
                        counts.loss = counts.loss.max(*bound);
                        counts.ln_e -= log(*bound);
                        // One message to both sides: if it is missing on both, it may have been lost before it parted.
                        if !shared || arrived_there {
                            counts.telling_drops += 1;
                        }
                    }
                    None | Some(Seen::Dropped(_)) => {}
                }
            }
        }
        if shared && alone {
            for (a, seen_a) in seen[0].iter().enumerate() {
                for (b, seen_b) in seen[1].iter().enumerate() {
                    let pair = &mut self.pairs[(nth * self.sizes[0] + a) * self.sizes[1] + b];
                    match (seen_a, seen_b) {
                        (Some(Seen::Dropped(_)), Some(Seen::Arrived)) => pair.only_a_dropped += 1,
                        (Some(Seen::Arrived), Some(Seen::Dropped(_))) => pair.only_b_dropped += 1,
                        (Some(_), Some(_)) => pair.alike += 1,
                        _ => {}
                    }
                }
            }
        }
    }

    /// The item at this place.
    pub fn of(&self, nth: usize) -> ItemCounts<'_> {
        let [a, b] = self.sizes;
        ItemCounts {
            sides: [&self.members[0][nth * a..(nth + 1) * a], &self.members[1][nth * b..(nth + 1) * b]],
            pairs: if self.shared { &self.pairs[nth * a * b..(nth + 1) * a * b] } else { &[] },
        }
    }
}

/// The recipients on a channel whose outcomes count for an account.
fn recipients(member: &Member, channel: ChannelIx) -> Option<&[AccountIx]> {
    member.paths.iter().find(|(it, _)| *it == channel).map(|(_, recipients)| recipients.as_slice())
}

/// What a message showed: it arrived if it arrived at one of the recipients; it was dropped if it is missing for one and arrived at none.
fn seen(evidence: &Evidence, probe: ProbeId, recipients: &[AccountIx], loss: &dyn Fn(ProbeId, AccountIx) -> f64) -> Option<Seen> {
    let mut dropped: Option<f64> = None;
    for recipient in recipients {
        match evidence.outcome(probe, *recipient).unwrap_or(Outcome::Void) {
            Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered | Outcome::Retracted => return Some(Seen::Arrived),
            Outcome::Dropped => {
                // What is lost before it parts is lost for all of them: one loss, not one for each. The greatest bound is the
                // careful one.
                let bound = loss(probe, *recipient);
                dropped = Some(dropped.map_or(bound, |other| other.max(bound)));
            }
            _ => {}
        }
    }
    dropped.map(Seen::Dropped)
}
