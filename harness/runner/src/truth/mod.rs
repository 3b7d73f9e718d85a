//! What the simulator's policy does to every item, chances aside: the truth that verdicts are held against; and what in a text it
//! does it for, which the rules found in texts are held against.

pub mod files;
mod rules;

use std::collections::BTreeMap;

use lacuna_model::policy::{Action, Policy};
use lacuna_model::{Study, Unit, Verdict};
use lacuna_simulator::world::{Member, Place, World};

pub use rules::{Combination, Triggers};

use crate::virtual_time::{settle, start_of};

/// The truth about every unit in which some rule has a part.
#[derive(Clone, PartialEq, Debug)]
pub struct Truth {
    /// Units that are not in here are let through.
    handled: BTreeMap<Unit, Handling>,
}

/// What becomes of a unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Handling {
    /// The verdict that is true of it; [`Verdict::Inconsistent`] where the senders of the arm fare differently.
    pub verdict: Verdict,
    /// The share of its sends on which the deciding rule acts, in the mean over the arm's senders.
    pub enforcement: f64,
}

impl Handling {
    /// Whether the unit is dropped, always or at times, or let through: nothing else becomes of it.
    #[must_use]
    pub fn is_drop_or_nothing(self) -> bool {
        matches!(self.verdict, Verdict::Dropped | Verdict::Delivered)
    }

    const LET_THROUGH: Self = Self { verdict: Verdict::Delivered, enforcement: 0.0 };

    /// Whether a verdict says nothing wrong. To say nothing is never wrong. A rule that acts on part of the sends makes them
    /// inconsistent, and what is held back longer than receivers listen is dropped as far as anybody can tell.
    #[must_use]
    pub fn admits(self, verdict: Verdict) -> bool {
        verdict == self.verdict
            || match verdict {
                Verdict::Inconclusive => true,
                Verdict::Inconsistent => self.enforcement < 1.0 && self.verdict != Verdict::Delivered,
                Verdict::Dropped => self.verdict == Verdict::Delayed,
                _ => false,
            }
    }
}

impl Truth {
    /// Asks the policy about every item of the study. It does not depend on the seed.
    ///
    /// The first rule that ever acts on the text decides; that a second one may act where the first does not is left aside.
    #[must_use]
    pub fn new(study: &Study, policy: &Policy) -> Self {
        let mut world = World::new(policy, study.seed, start_of(study.seed));
        let (members, places) = settle(&mut world, study);
        let mut handled = BTreeMap::new();
        for (item, it) in (0u32..).map(lacuna_model::ItemIx).zip(&study.items) {
            for (arm, on) in (0u16..).map(lacuna_model::ArmIx).zip(&study.arms) {
                for &recipient in &on.recipients {
                    let unit = Unit { item, arm, recipient };
                    let handling = ask(&world, &members, &places, study, unit, &it.message);
                    if handling != Handling::LET_THROUGH {
                        handled.insert(unit, handling);
                    }
                }
            }
        }
        Self { handled }
    }

    /// What becomes of a unit.
    #[must_use]
    pub fn of(&self, unit: Unit) -> Handling {
        self.handled.get(&unit).copied().unwrap_or(Handling::LET_THROUGH)
    }
}

fn ask(world: &World, members: &[Member], places: &[Place], study: &Study, unit: Unit, text: &str) -> Handling {
    let channels = study.arm(unit.arm).channels.iter().map(|channel| study.channel(*channel));
    let mut all = channels.filter(|channel| channel.recipients.contains(&unit.recipient)).map(|channel| {
        let (sender, recipient) = (members[channel.sender.get()], members[unit.recipient.get()]);
        let rule = world.rule_for(sender, recipient, places[channel.venue.get()], text);
        rule.map_or(Handling::LET_THROUGH, |rule| Handling { verdict: verdict_of(rule.action), enforcement: rule.enforcement })
    });
    let Some(first) = all.next() else { return Handling::LET_THROUGH };
    let (mut verdict, mut enforcement, mut senders) = (first.verdict, first.enforcement, 1.0);
    for other in all {
        if other.verdict != verdict {
            verdict = Verdict::Inconsistent;
        }
        enforcement += other.enforcement;
        senders += 1.0;
    }
    Handling { verdict, enforcement: enforcement / senders }
}

/// What a rule's action shows as.
const fn verdict_of(action: Action) -> Verdict {
    match action {
        Action::Drop => Verdict::Dropped,
        Action::Refuse => Verdict::Refused,
        Action::Mask => Verdict::Altered,
        Action::Retract => Verdict::Retracted,
        Action::Hold => Verdict::Delayed,
    }
}
