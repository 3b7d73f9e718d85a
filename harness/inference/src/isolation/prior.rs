//! What is known beforehand about rules: how many components, how long, where in a sentence, and which terms earlier lists held.
//!
//! A prior only steers the order of the questions. Part of its mass (the escape) ignores word borders and lists, and no span
//! has none at all: a wrong prior costs messages, never correctness.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use unicode_segmentation::UnicodeSegmentation;

/// Components of a rule that the prior on their number tells apart.
pub(crate) const COUNTED: usize = 9;
/// Lengths with a probability of their own; longer components share [`LONGER`].
pub(crate) const LONGEST: usize = 40;
/// The probability of a component longer than [`LONGEST`].
pub(crate) const LONGER: f64 = 1e-3;

/// Share of rules with 0, 1, 2, … components: a mix of five published lists of a messaging platform's rules, smoothed.
const COUNTS: [f64; COUNTED] = [0.0, 0.25, 0.25, 0.27, 0.13, 0.05, 0.02, 0.02, 0.01];
/// Lengths in scripts written without spaces, from the same lists.
const DENSE: [f64; 9] = [0.0, 0.015, 0.30, 0.25, 0.23, 0.10, 0.06, 0.025, 0.01];

/// Lengths of rules of one component: most are phrases.
const DENSE_ALONE: [f64; 9] = [0.0, 0.004, 0.02, 0.13, 0.37, 0.26, 0.12, 0.05, 0.025];

/// What the built-in laws weigh against a list, in rules and in components.
const COUNTS_WEIGH: f64 = 1000.0;
const LENGTHS_WEIGH: f64 = 50.0;

/// What is known beforehand about rules.
#[derive(Clone, Debug)]
pub struct Prior {
    pub(crate) counts: Counts,
    /// By length in grapheme clusters; index 0 is unused.
    pub(crate) dense: Vec<f64>,
    pub(crate) letters: Vec<f64>,
    /// The same for rules of one component.
    pub(crate) dense_alone: Vec<f64>,
    /// Whether word borders are looked at.
    pub(crate) borders: bool,
    /// Terms of earlier lists, and in how many rules each stood.
    pub(crate) terms: Arc<HashMap<String, f64>>,
    /// What the terms begin with.
    pub(crate) beginnings: Arc<BTreeSet<char>>,
    /// The probability that a component is one of the terms, where the text holds any.
    pub(crate) listed: f64,
    /// Components of rules found in the same text: rules of one text often share some.
    pub(crate) nearby: Vec<String>,
    /// Share of the mass that ignores borders and terms.
    pub(crate) escape: f64,
}

impl Default for Prior {
    /// Component numbers, lengths and word borders as in published rule lists; no list of terms.
    fn default() -> Self {
        Self {
            counts: Counts(COUNTS),
            dense: normalised(&tailed(&DENSE, 0.55)),
            letters: normalised(&letters()),
            dense_alone: normalised(&tailed(&DENSE_ALONE, 0.55)),
            borders: true,
            terms: Arc::new(HashMap::new()),
            beginnings: Arc::new(BTreeSet::new()),
            nearby: Vec::new(),
            listed: 0.3,
            escape: 0.03,
        }
    }
}

impl Prior {
    /// Nothing but a wide law of lengths: every position is as likely as every other, whatever stands there.
    #[must_use]
    pub fn without_borders() -> Self {
        Self { borders: false, ..Self::default() }
    }

    /// Learns from earlier rules, each a list of components: their number, their lengths, and the terms themselves. The built-in
    /// laws weigh as much as fifty components and a thousand rules: how many components the next list's rules have is not known
    /// from the last one's.
    #[must_use]
    pub fn with_rules<'a, R, C>(mut self, rules: R) -> Self
    where
        R: IntoIterator<Item = C>,
        C: IntoIterator<Item = &'a str>,
    {
        let mut counts = self.counts.0.map(|share| share * COUNTS_WEIGH);
        let mut lengths: Vec<f64> = self.dense.iter().map(|share| share * LENGTHS_WEIGH).collect();
        let mut alone: Vec<f64> = self.dense_alone.iter().map(|share| share * LENGTHS_WEIGH).collect();
        let terms = Arc::make_mut(&mut self.terms);
        let beginnings = Arc::make_mut(&mut self.beginnings);
        for rule in rules {
            let components: Vec<&str> = rule.into_iter().collect();
            for component in &components {
                let length = component.graphemes(true).count();
                let law = if components.len() == 1 { &mut alone } else { &mut lengths };
                if let Some(seen) = law.get_mut(length)
                    && !component.is_ascii()
                {
                    *seen += 1.0;
                }
                *terms.entry((*component).to_owned()).or_insert(0.0) += 1.0;
                beginnings.extend(component.chars().next());
            }
            if let Some(seen) = counts.get_mut(components.len()) {
                *seen += 1.0;
            }
        }
        counts[0] = 0.0;
        let total: f64 = counts.iter().sum();
        self.counts = Counts(counts.map(|count| count / total));
        self.dense = normalised(&lengths);
        self.dense_alone = normalised(&alone);
        self
    }

    /// States the probability that a component is one of the terms of earlier rules (by default 0.3: rules change).
    #[must_use]
    pub fn with_listed(mut self, probability: f64) -> Self {
        self.listed = probability.clamp(0.0, 0.95);
        self
    }

    /// States how likely rules with 1, 2, 3, … components are.
    #[must_use]
    pub fn with_counts(mut self, shares: &[f64]) -> Self {
        let mut counts = [0.0; COUNTED];
        for (count, share) in counts.iter_mut().skip(1).zip(shares.iter().chain(std::iter::repeat(&0.0))) {
            *count = share.max(1e-4);
        }
        let total: f64 = counts.iter().sum();
        self.counts = Counts(counts.map(|count| count / total));
        self
    }

    /// The same, where rules with these components were found in the text.
    pub(crate) fn near(&self, components: Vec<String>) -> Self {
        Self { nearby: components, ..self.clone() }
    }
}

/// Shares of rules with 0, 1, 2, … components.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts([f64; COUNTED]);

impl Counts {
    /// Whether the `found` lowest components are all of them, and how many are left otherwise. `above` is the share of all spans
    /// that lies above the last one found: with much of the text left above it, it is more likely that it was the lowest of
    /// several. (The lowest c of k draws have density k!/(k-c)! times above^(k-c).) `alone` is how much likelier the one found
    /// is in a rule of one component than in one of several.
    pub(crate) fn after(&self, found: usize, above: f64, alone: f64) -> (f64, Vec<f64>) {
        let mut weights = Vec::new();
        for count in found..self.0.len().max(found + 2) {
            // Beyond the counts told apart, each further component halves the probability.
            let beyond = count.saturating_sub(COUNTED - 1);
            let share = self.0[count - beyond] / libm::exp2(beyond as f64);
            let left = count - found;
            let orders: f64 = (left + 1..=count).map(|n| n as f64).product();
            weights.push(share * orders * libm::pow(above, left as f64));
        }
        if found == 1 {
            weights[0] *= alone;
        }
        let complete = weights[0];
        let left: f64 = weights[1..].iter().sum();
        if left > 0.0 {
            (complete / (complete + left), weights[1..].iter().map(|weight| weight / left).collect())
        } else {
            (1.0, vec![1.0])
        }
    }
}

/// A law continued geometrically to the longest length.
fn tailed(head: &[f64], ratio: f64) -> Vec<f64> {
    let mut law = head.to_vec();
    while law.len() <= 16 {
        let last = law.last().copied().unwrap_or(0.0);
        law.push(last * ratio);
    }
    law
}

/// Scripts with spaces: words of four to twelve letters, phrases of two or three words.
fn letters() -> Vec<f64> {
    let bump = |x: f64, centre: f64, width: f64| libm::exp(-(x - centre) * (x - centre) / (2.0 * width * width));
    (0..=LONGEST)
        .map(
            |length| if length == 0 { 0.0 } else { bump(length as f64, 7.0, 3.0) + 0.35 * bump(length as f64, 15.0, 8.0) + 0.01 },
        )
        .collect()
}

fn normalised(law: &[f64]) -> Vec<f64> {
    let total: f64 = law.iter().sum();
    law.iter().map(|share| share / total).collect()
}
