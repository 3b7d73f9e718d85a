//! Which rule decides.

use lacuna_model::VenueKind;
use lacuna_model::policy::{Action, Rule};

use super::draws::{Key, Purpose};
use super::matching::{Components, Interner};
use super::members::AccountProfile;

/// A set of rules, a bit each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct RuleMask(Vec<u64>);

impl RuleMask {
    fn of(rules: &[Rule], holds: impl Fn(&Rule) -> bool) -> Self {
        let mut words = vec![0; rules.len().div_ceil(64)];
        for (index, rule) in rules.iter().enumerate() {
            words[index / 64] |= u64::from(holds(rule)) << (index % 64);
        }
        Self(words)
    }

    fn has(&self, rule: RuleIndex) -> bool {
        self.0[rule.get() / 64] >> (rule.get() % 64) & 1 == 1
    }
}

/// The place of a rule in the policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct RuleIndex(u32);

impl RuleIndex {
    fn get(self) -> usize {
        self.0 as usize
    }
}

/// The rules of a policy, ready to be asked.
pub(super) struct Rules {
    written: Vec<Rule>,
    /// For each rule, the numbers of its distinct components.
    required: Vec<Vec<u32>>,
    /// For each rule, what its enforcement draws are salted with.
    salts: Vec<u64>,
    components: Components,
    /// For each component, the rules that require it.
    required_by: Vec<Vec<RuleIndex>>,
    /// For each component, the rules that it disables.
    disabling: Vec<Vec<RuleIndex>>,
    /// The rules without components: they concern every text.
    unconditional: Vec<RuleIndex>,
}

/// What one text makes of the rules; kept between texts so that nothing is allocated for each.
#[derive(Default)]
pub(super) struct Scratch {
    seen: Vec<bool>,
    touched: Vec<u32>,
    missing: Vec<u32>,
    disabled: Vec<bool>,
    /// The rules that the text meets, in the order of the policy.
    pub(super) met: Vec<RuleIndex>,
}

impl Rules {
    /// Reads the rules of a policy.
    pub(super) fn new(rules: &[Rule], seed: u64) -> Self {
        let mut interner = Interner::default();
        let mut numbers = |texts: &[String]| {
            let mut numbers: Vec<u32> = texts.iter().map(|text| interner.number(text)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let required: Vec<_> = rules.iter().map(|rule| numbers(&rule.all)).collect();
        let excluded: Vec<_> = rules.iter().map(|rule| numbers(&rule.unless)).collect();
        let components = Components::new(interner);

        let by_component = |lists: &[Vec<u32>]| {
            let mut rules_of = vec![Vec::new(); components.len()];
            for (rule, list) in (0u32..).map(RuleIndex).zip(lists) {
                for &component in list {
                    rules_of[component as usize].push(rule);
                }
            }
            rules_of
        };
        Self {
            required_by: by_component(&required),
            disabling: by_component(&excluded),
            unconditional: (0u32..)
                .map(RuleIndex)
                .zip(&required)
                .filter(|(_, components)| components.is_empty())
                .map(|(rule, _)| rule)
                .collect(),
            salts: rules.iter().map(|rule| Key::new("lacuna simulator rule 1", seed, [rule.id.as_str()]).as_salt()).collect(),
            written: rules.to_vec(),
            required,
            components,
        }
    }

    /// Fills `scratch.met` with the rules that the text meets, conditions aside.
    pub(super) fn meet(&self, text: &str, scratch: &mut Scratch) {
        let Scratch { seen, touched, missing, disabled, met } = scratch;
        met.clear();
        if missing.len() != self.written.len() {
            seen.resize(self.components.len(), false);
            *missing = self.required.iter().map(|components| components.len().try_into().unwrap_or(u32::MAX)).collect();
            disabled.resize(self.written.len(), false);
        }
        self.components.for_each_in(text, |component| {
            if !std::mem::replace(&mut seen[component as usize], true) {
                touched.push(component);
            }
        });
        for &component in &*touched {
            for rule in &self.required_by[component as usize] {
                missing[rule.get()] -= 1;
                if missing[rule.get()] == 0 {
                    met.push(*rule);
                }
            }
            for rule in &self.disabling[component as usize] {
                disabled[rule.get()] = true;
            }
        }
        met.extend(&self.unconditional);
        met.retain(|rule| !disabled[rule.get()]);
        met.sort_unstable();
        for component in touched.drain(..) {
            seen[component as usize] = false;
            for rule in &self.required_by[component as usize] {
                missing[rule.get()] += 1;
            }
            for rule in &self.disabling[component as usize] {
                disabled[rule.get()] = false;
            }
        }
    }

    /// The first rule that applies and acts, of those that the text meets. `acts` draws its enforcement.
    pub(super) fn decide(
        met: &[RuleIndex],
        conditions: [&RuleMask; 3],
        mut acts: impl FnMut(RuleIndex) -> bool,
    ) -> Option<RuleIndex> {
        met.iter().copied().find(|&rule| conditions.iter().all(|mask| mask.has(rule)) && acts(rule))
    }

    /// Whether the rule acts on the `n`-th message of a path. A refusal is drawn once a message, so its key is the
    /// channel's.
    pub(super) fn acts(&self, rule: RuleIndex, channel: Key, path: Key, n: u64) -> bool {
        let enforcement = self.written[rule.get()].enforcement;
        let key = if self.action(rule) == Action::Refuse { channel } else { path };
        enforcement >= 1.0 || key.uniform(n, Purpose::Enforcement(self.salts[rule.get()])) < enforcement
    }

    /// The rule behind an index.
    pub(super) fn rule(&self, rule: RuleIndex) -> &Rule {
        &self.written[rule.get()]
    }

    /// What the rule does.
    pub(super) fn action(&self, rule: RuleIndex) -> Action {
        self.written[rule.get()].action
    }

    /// The text with the rule's components masked.
    pub(super) fn mask(&self, rule: RuleIndex, text: &str) -> String {
        self.components.mask(text, &self.required[rule.get()])
    }

    /// The rules whose conditions on the sender this account meets.
    pub(super) fn for_sender(&self, account: &AccountProfile) -> RuleMask {
        RuleMask::of(&self.written, |rule| rule.when.admits_sender(&account.id, account.registered_in))
    }

    /// The rules whose conditions on the recipient this account meets.
    pub(super) fn for_recipient(&self, account: &AccountProfile) -> RuleMask {
        RuleMask::of(&self.written, |rule| rule.when.admits_recipient(&account.id, account.registered_in))
    }

    /// The rules whose conditions on the venue this one meets.
    pub(super) fn for_venue<'a>(
        &self,
        kind: VenueKind,
        members: &(impl Iterator<Item = &'a AccountProfile> + Clone),
    ) -> RuleMask {
        RuleMask::of(&self.written, |rule| rule.when.admits_venue(kind, members.clone().map(|member| member.registered_in)))
    }
}
