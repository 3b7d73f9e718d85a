//! What in a text a policy blocks: the truth that the rules found in texts are held against.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use lacuna_model::policy::Policy;
use lacuna_model::{AccountIx, ArmIx, Study};
use lacuna_simulator::world::{Member, Place, World};
use unicode_segmentation::UnicodeSegmentation;

use crate::virtual_time::{settle, start_of};

/// The rules of a policy, as a study meets them. The simulator itself is asked, chances aside: a rule counts if it ever acts.
pub struct Triggers {
    study: Arc<Study>,
    all: Platform,
    /// For each rule a platform that has no other, and its components: no one lies inside another.
    each: Vec<(Platform, Vec<String>)>,
}

/// A combination of components: which, whatever their order.
pub type Combination = BTreeSet<String>;

struct Platform {
    world: World,
    members: Vec<Member>,
    places: Vec<Place>,
}

impl Platform {
    fn new(study: &Study, policy: &Policy) -> Self {
        let mut world = World::new(policy, study.seed, start_of(study.seed));
        let (members, places) = settle(&mut world, study);
        Self { world, members, places }
    }

    /// Whether it acts on a message, whoever of the arm sends it.
    fn acts_on(&self, study: &Study, arm: ArmIx, recipient: AccountIx, message: &str) -> bool {
        let channels = study.arm(arm).channels.iter().map(|channel| study.channel(*channel));
        channels.filter(|channel| channel.recipients.contains(&recipient)).any(|channel| {
            let (sender, recipient) = (self.members[channel.sender.get()], self.members[recipient.get()]);
            self.world.rule_for(sender, recipient, self.places[channel.venue.get()], message).is_some()
        })
    }
}

impl Triggers {
    /// Reads a policy for a study. It does not depend on the seed.
    #[must_use]
    pub fn new(study: &Arc<Study>, policy: &Policy) -> Self {
        let each = policy.rules.iter().map(|rule| {
            let alone = Policy { rules: vec![rule.clone()], ..policy.clone() };
            let inside = |part: &String| rule.all.iter().any(|other| other != part && other.contains(part.as_str()));
            let components: BTreeSet<&String> = rule.all.iter().filter(|part| !inside(part)).collect();
            (Platform::new(study, &alone), components.into_iter().cloned().collect())
        });
        Self { study: Arc::clone(study), all: Platform::new(study, policy), each: each.collect() }
    }

    /// Whether something becomes of these parts, in one message with the platform's separator between them.
    #[must_use]
    pub fn blocks(&self, arm: ArmIx, recipient: AccountIx, parts: &[&str]) -> bool {
        self.all.acts_on(&self.study, arm, recipient, &parts.join(&*self.study.text.separator))
    }

    /// Whether these components, in this order, are a smallest combination that is blocked: not if one of them is left out, nor if
    /// one loses its first or its last character.
    #[must_use]
    pub fn is_minimal(&self, arm: ArmIx, recipient: AccountIx, components: &[&str]) -> bool {
        let blocks = |parts: &[&str]| self.blocks(arm, recipient, parts);
        blocks(components)
            && (0..components.len()).all(|at| {
                let with = |part: &str| {
                    let parts = components.iter().enumerate().map(|(place, it)| if place == at { part } else { *it });
                    blocks(&parts.filter(|part| !part.is_empty()).collect::<Vec<_>>())
                };
                !with("") && shorter(components[at]).into_iter().all(|part| !with(part))
            })
    }

    /// Whether parts that are blocked pass together with these, and with no fewer of them.
    #[must_use]
    pub fn is_lifted_by(&self, arm: ArmIx, recipient: AccountIx, components: &[&str], exception: &[&str]) -> bool {
        let blocks = |with: &[&str]| self.blocks(arm, recipient, &[components, with].concat());
        let without = |at: usize| [&exception[..at], &exception[at + 1..]].concat();
        blocks(&[]) && !blocks(exception) && (0..exception.len()).all(|at| blocks(&without(at)))
    }

    /// The smallest combinations for which this text is blocked. Rules that are lifted in it do not count, nor those of which a
    /// part is a rule of its own.
    #[must_use]
    pub fn held_by(&self, arm: ArmIx, recipient: AccountIx, text: &str) -> BTreeSet<Combination> {
        let in_force = self.each.iter().filter(|(platform, _)| platform.acts_on(&self.study, arm, recipient, text));
        let sorted = in_force.map(|(_, components)| {
            let mut components: Vec<&str> = components.iter().map(String::as_str).collect();
            components.sort_by_key(|component| text.find(component));
            components
        });
        let smallest = sorted.filter(|components| self.is_minimal(arm, recipient, components));
        smallest.map(|components| components.into_iter().map(str::to_owned).collect()).collect()
    }

    /// The same of byte ranges of a text.
    #[must_use]
    pub fn is_minimal_in(&self, arm: ArmIx, recipient: AccountIx, text: &str, components: &[Range<usize>]) -> bool {
        let parts: Option<Vec<&str>> = components.iter().map(|range| text.get(range.clone())).collect();
        parts.is_some_and(|parts| self.is_minimal(arm, recipient, &parts))
    }
}

/// A component without its first and without its last grapheme; nothing where it has only one.
fn shorter(component: &str) -> [&str; 2] {
    let borders: Vec<usize> = component.grapheme_indices(true).map(|(at, _)| at).collect();
    match borders.as_slice() {
        [] | [_] => ["", ""],
        [_, second, ..] => [&component[*second..], &component[..borders[borders.len() - 1]]],
    }
}
