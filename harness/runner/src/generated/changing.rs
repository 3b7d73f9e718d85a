//! A platform whose rules change between two runs.

use lacuna_design::generator;
use lacuna_model::policy::{Condition, Network, Policy};
use lacuna_model::{Arm, ArmId, ArmIx, Channel, ChannelIx, Duration, ItemIx, Study, Venue, VenueId, VenueIx, VenueKind};

use super::{CENSORED, Generated, rules};

/// A list that is measured twice, directly and in a group, and the rules of the platform before and after.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangingRules {
    /// The list, its accounts and its network; its `prevalence` is the share of items with a rule that stays.
    pub list: Generated,
    /// So many items get a rule.
    pub new: usize,
    /// So many lose theirs.
    pub gone: usize,
    /// For so many the rule holds in groups alone afterwards.
    pub group_only: usize,
}

/// The same study over time.
#[derive(Clone, PartialEq, Debug)]
pub struct Changing {
    /// What is measured.
    pub study: Study,
    /// By which rules at first.
    pub before: Policy,
    /// And by which later.
    pub after: Policy,
    /// The items whose rules change.
    pub changed: Vec<ItemIx>,
}

impl ChangingRules {
    /// Eight new rules, five gone, two for groups alone, in a network that loses one message in a hundred.
    #[must_use]
    pub fn new(seed: u64, items: u32) -> Self {
        let network = Network {
            loss: 0.01,
            delay_median: Duration::from_millis(20),
            delay_p99: Duration::from_millis(200),
            ..Network::default()
        };
        let list = Generated { prevalence: 0.05, recipients: 2, network, ..Generated::new(seed, items) };
        Self { list, new: 8, gone: 5, group_only: 2 }
    }

    /// The study and both policies.
    #[must_use]
    pub fn make(&self) -> Changing {
        let (mut study, mut before) = self.list.make();
        self.add_group(&mut study);
        let staying: Vec<&str> = before.rules.iter().map(|rule| rule.id.as_str()).collect();
        let candidates = self.list.items as usize;
        let others: Vec<usize> = (0..candidates).filter(|place| !staying.contains(&study.items[*place].id.as_str())).collect();
        let wanted = (self.new + self.gone + self.group_only).min(others.len());
        let drawn = rand::seq::index::sample(&mut generator(self.list.seed, &["changing"]), others.len(), wanted);
        let places: Vec<usize> = drawn.into_iter().map(|place| others[place]).collect();
        let (new, rest) = places.split_at(self.new.min(wanted));
        let (gone, narrowed) = rest.split_at(self.gone.min(rest.len()));

        let censored = Condition { recipient_registered_in: CENSORED.parse().into_iter().collect(), ..Condition::default() };
        let in_groups = Condition { venue: vec![VenueKind::Group], ..censored.clone() };
        let more = |places: &[usize], when: &Condition| rules(&study.items, places, self.list.enforcement, when);
        let mut after = before.clone();
        after.rules.extend(more(new, &censored));
        after.rules.extend(more(narrowed, &in_groups));
        before.rules.extend(more(gone, &censored));
        before.rules.extend(more(narrowed, &censored));
        let changed = places.iter().filter_map(|place| u32::try_from(*place).ok()).map(ItemIx).collect();
        Changing { study, before, after, changed }
    }

    /// A group of everybody, in which each sender writes to all recipients.
    fn add_group(&self, study: &mut Study) {
        let venue = VenueIx(u16::try_from(study.venues.len()).unwrap_or(u16::MAX));
        let first = u16::try_from(study.channels.len()).unwrap_or(u16::MAX);
        let (senders, recipients): (Vec<_>, Vec<_>) = (self.list.sending().collect(), self.list.receiving().collect());
        study.venues.push(Venue {
            id: VenueId::from("group:everybody"),
            kind: VenueKind::Group,
            members: senders.iter().chain(&recipients).copied().collect(),
            existing: None,
        });
        study.arms.push(Arm {
            id: ArmId::from("to-censored-group"),
            venue: VenueKind::Group,
            senders: senders.clone(),
            recipients: recipients.clone(),
            channels: (first..).map(ChannelIx).take(senders.len()).collect(),
        });
        let channel = |sender| Channel { arm: ArmIx(1), sender, venue, recipients: recipients.clone() };
        study.channels.extend(senders.into_iter().map(channel));
    }
}
