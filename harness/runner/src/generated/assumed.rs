//! A given study under an assumed policy: what would this design cost, and find, if so much were blocked and so much lost?

use lacuna_inference::rules::SHORTEST_TEXT;
use lacuna_model::policy::{Condition, Network, Policy};
use lacuna_model::{Item, Role, Study};
use unicode_segmentation::UnicodeSegmentation;

use super::{chosen, rules};

/// What is assumed of a platform.
#[derive(Clone, PartialEq, Debug)]
pub struct Assumption {
    /// The share of the candidates that are dropped, on all arms and for all recipients.
    pub prevalence: f64,
    /// The share of matching messages on which each rule acts.
    pub enforcement: f64,
    /// The network.
    pub network: Network,
}

/// A policy that drops candidates of the study, chosen at random from a seed, each by a rule of its own.
///
/// Where the study searches texts, two words of each are what is blocked.
///
/// Where one candidate is part of another, the rule on the one drops the other as well; candidates that are part of a control are
/// never chosen, since a control is neutral by assumption.
#[must_use]
pub fn assume(study: &Study, assumption: &Assumption, seed: u64) -> Policy {
    let controls: Vec<&str> =
        study.items.iter().filter(|item| item.role == Role::Control).map(|item| item.message.as_ref()).collect();
    let in_a_control = |item: &Item| controls.iter().any(|control| control.contains(&*item.message));
    let candidates: Vec<Item> =
        study.items.iter().filter(|item| item.role == Role::Candidate && !in_a_control(item)).cloned().collect();
    let canaries: Vec<Item> =
        study.items.iter().filter(|item| item.role == Role::Canary && !in_a_control(item)).cloned().collect();
    let anybody = Condition::default();
    let chosen = chosen(seed, candidates.len(), assumption.prevalence);
    let mut all = rules(&candidates, &chosen, assumption.enforcement, &anybody);
    if study.isolation.is_some() {
        for rule in &mut all {
            rule.all = words_of(&rule.all[0]);
        }
    }
    // A canary is known to be dropped.
    all.extend(rules(&canaries, &(0..canaries.len()).collect::<Vec<_>>(), assumption.enforcement, &anybody));
    Policy { name: "assumed".to_owned(), rules: all, network: assumption.network.clone(), ..Policy::default() }
}

/// What blocks a text where words of texts are sought: two words of it, a fifth and three fifths of the way through. A short one is blocked
/// as it is.
fn words_of(text: &str) -> Vec<String> {
    const LENGTH: usize = 3;
    let clusters: Vec<&str> = text.graphemes(true).collect();
    if clusters.len() < SHORTEST_TEXT {
        return vec![text.to_owned()];
    }
    [1, 3].map(|fifths| clusters[clusters.len() * fifths / 5..][..LENGTH].concat()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::Generated;
    use super::*;

    #[test]
    fn two_words_of_a_text_are_blocked() {
        let text = "一二三四五六七八九十百千万上下左右前后里外东南西北";
        assert_eq!(words_of(text), ["六七八", "左右前"]);
        assert_eq!(words_of("一二三"), ["一二三"]);
    }

    #[test]
    fn the_assumed_share_is_dropped_and_no_control_is() {
        let (study, _) = Generated::new(5, 200).make();
        let assumption = Assumption { prevalence: 0.1, enforcement: 1.0, network: Network::default() };
        let policy = assume(&study, &assumption, 1);
        let dropped: HashSet<&str> = policy.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(dropped.len(), 20);
        assert!(dropped.iter().all(|id| id.starts_with("generated/")));
        assert_eq!(assume(&study, &assumption, 1), policy);
        assert_ne!(assume(&study, &assumption, 2), policy);
    }
}
