//! Given texts on a platform that drops by given rules: what `design = "isolate"` is measured on.

use std::sync::Arc;

use lacuna_model::policy::{Action, Network, Policy, Rule};
use lacuna_model::study::IsolationRule;
use lacuna_model::{DesignKind, Duration, Role, Study};

use super::{Generated, item, only_censored};

/// Texts to be searched.
#[derive(Clone, PartialEq, Debug)]
pub struct Searched {
    /// From which losses and delays follow.
    pub seed: u64,
    /// The texts.
    pub texts: Vec<String>,
    /// What the platform drops: every combination of components.
    pub rules: Vec<Vec<String>>,
    /// Rules of earlier lists, which the search is told.
    pub known: Vec<Vec<String>>,
    /// The network.
    pub network: Network,
}

impl Searched {
    /// A study of one sender and one recipient in a conversation, and the policy of its platform.
    #[must_use]
    pub fn make(&self) -> (Study, Policy) {
        let (mut study, mut policy) =
            Generated { senders: 1, prevalence: 0.0, network: self.network.clone(), ..Generated::new(self.seed, 0) }.make();
        let texts = self.texts.iter().enumerate();
        let texts = texts.map(|(number, text)| item("texts", number + 1, Role::Candidate, text.clone(), "text"));
        study.items.splice(0..0, texts);
        study.design = DesignKind::Isolate;
        let known = self.known.iter().map(|rule| rule.iter().map(|component| Arc::from(component.as_str())).collect());
        study.isolation = Some(IsolationRule { max_messages_per_text: 400, rules: known.collect() });
        policy.rules = self.rules.iter().enumerate().map(rule).collect();
        (study, policy)
    }
}

fn rule((number, components): (usize, &Vec<String>)) -> Rule {
    Rule {
        id: format!("planted-{}", number + 1),
        all: components.clone(),
        unless: Vec::new(),
        when: only_censored(),
        action: Action::Drop,
        after: Duration::ZERO,
        enforcement: 1.0,
    }
}
