//! What is thought of an item before it is asked about: by its category, by what the author of its corpus expects, by earlier
//! runs. It decides in which order items are asked and how many share a message; it never convicts.

use std::collections::BTreeMap;

use lacuna_model::{Item, Prior, Study};

/// Index of a class: items of which the same is thought.
pub(super) type ClassIx = u16;

/// So many blocked items, expected by the overall share, stand behind the thought that a class is like the others.
const WEIGHT: f64 = 2.0;

/// Items of which the same is thought, and what became of those that were answered.
#[derive(Clone, Debug)]
struct Class {
    /// By how much the odds differ from those of an item of which nothing is known.
    factor: f64,
    seen: f64,
    blocked: f64,
}

/// The classes of the candidates, on one route.
#[derive(Clone, Debug)]
pub(super) struct Priors {
    class_of: Vec<ClassIx>,
    classes: Vec<Class>,
    /// All classes together. What is blocked is known later than what passes, so that a class is held against what is known of
    /// the others at the same time, and not against the share that pools tell.
    seen: f64,
    blocked: f64,
}

impl Priors {
    pub fn new(study: &Study) -> Self {
        let mut numbers: BTreeMap<(&str, u8), ClassIx> = BTreeMap::new();
        let mut classes: Vec<Class> = Vec::new();
        let class_of = study
            .items
            .iter()
            .map(|item| {
                let (kind, factor) = opinion(&item.prior);
                *numbers.entry((topic(item), kind)).or_insert_with(|| {
                    classes.push(Class { factor, seen: 0.0, blocked: 0.0 });
                    ClassIx::try_from(classes.len() - 1).unwrap_or(ClassIx::MAX)
                })
            })
            .collect();
        Self { class_of, classes, seen: 0.0, blocked: 0.0 }
    }

    pub fn class_of(&self, item: lacuna_model::ItemIx) -> ClassIx {
        self.class_of[item.get()]
    }

    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// How likely an item of this class is blocked, given the share of all.
    pub fn chance(&self, class: ClassIx, prevalence: f64) -> f64 {
        let class = &self.classes[usize::from(class)];
        let usual = (self.blocked + WEIGHT * prevalence) / (self.seen + WEIGHT);
        let seen_factor = (class.blocked + WEIGHT) / (class.seen * usual * class.factor + WEIGHT);
        let odds = prevalence / (1.0 - prevalence) * class.factor * seen_factor;
        (odds / (1.0 + odds)).clamp(1e-6, 0.98)
    }

    /// An item of this class was answered.
    pub fn learn(&mut self, class: ClassIx, blocked: bool) {
        let class = &mut self.classes[usize::from(class)];
        let blocked = f64::from(u8::from(blocked));
        class.seen += 1.0;
        class.blocked += blocked;
        self.seen += 1.0;
        self.blocked += blocked;
    }
}

/// Categories are topics; without one the language may tell.
fn topic(item: &Item) -> &str {
    if item.category.is_empty() { &item.language } else { &item.category }
}

/// Kinds of foreknowledge, and by how much they change the odds. The figures only have to be of the right order: they are a
/// start, and what is seen of a class corrects them.
fn opinion(prior: &Prior) -> (u8, f64) {
    match (prior.blocked_before, prior.passed_before, prior.expected_dropped) {
        (1.., 0, _) => (1, 200.0),
        (1.., 1.., _) => (2, 20.0),
        (0, 1.., _) => (3, 0.2),
        (0, 0, Some(true)) => (4, 20.0),
        (0, 0, Some(false)) => (5, 0.2),
        (0, 0, None) => (0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(category: &str, prior: Prior) -> Item {
        Item {
            id: "x".into(),
            role: lacuna_model::Role::Candidate,
            kind: lacuna_model::ContentKind::Text,
            file: None,
            message: "x".into(),
            category: category.to_owned(),
            language: String::new(),
            prior,
        }
    }

    #[test]
    fn a_class_that_is_blocked_more_often_comes_to_be_thought_worse_of() {
        let new = Class { factor: 1.0, seen: 0.0, blocked: 0.0 };
        let mut classes = Priors { class_of: Vec::new(), classes: vec![new; 2], seen: 0.0, blocked: 0.0 };
        assert!((classes.chance(0, 0.01) - 0.01).abs() < 1e-9);
        for answer in 0..200 {
            classes.learn(0, answer % 5 == 0);
            classes.learn(1, false);
        }
        assert!(classes.chance(0, 0.01) > 0.015, "{}", classes.chance(0, 0.01));
        assert!(classes.chance(1, 0.01) < 0.01);
    }

    #[test]
    fn what_was_blocked_before_is_asked_first() {
        let before = |blocked_before, passed_before| Prior { blocked_before, passed_before, ..Prior::default() };
        let factors: Vec<f64> = [before(2, 0), before(1, 3), Prior::default(), before(0, 4)].map(|it| opinion(&it).1).to_vec();
        assert!(factors.is_sorted_by(|a, b| a > b), "{factors:?}");
        assert_eq!(topic(&item("religion", Prior::default())), "religion");
    }
}
