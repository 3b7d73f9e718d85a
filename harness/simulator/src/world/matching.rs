//! Which components occur in a text, and the text with them masked.
//!
//! Matching is on exact code points: no folding of case, width or normal form. Both sides are valid UTF-8, so a match of
//! bytes is a match of code points.

use std::collections::HashMap;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What a component occurrence is replaced by.
const MASK: &str = "***";

/// Of more bytes of components no table is made.
const MOST_BYTES_OF_A_TABLE: usize = 4_096;

/// All distinct components of all rules, found in one pass over a text.
pub(super) struct Components {
    texts: Vec<Arc<str>>,
    /// `None` where the automaton cannot be built because the components are too large for it; they are then looked for
    /// one by one.
    automaton: Option<AhoCorasick>,
}

impl Components {
    /// Numbers the components and builds the automaton.
    pub(super) fn new(interned: Interner) -> Self {
        let bytes: usize = interned.texts.iter().map(|text| text.len()).sum();
        // A table of all transitions is fastest; of components as long as messages it takes seconds to build.
        let kind = (bytes > MOST_BYTES_OF_A_TABLE).then_some(AhoCorasickKind::ContiguousNFA);
        let automaton = AhoCorasick::builder().kind(kind).build(interned.texts.iter().map(|text| text.as_bytes())).ok();
        Self { texts: interned.texts, automaton }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Calls `found` with each component that occurs in the text, once for each occurrence.
    pub(super) fn for_each_in(&self, text: &str, mut found: impl FnMut(u32)) {
        if let Some(automaton) = &self.automaton {
            for occurrence in automaton.find_overlapping_iter(text) {
                found(occurrence.pattern().as_u32());
            }
        } else {
            for (index, component) in (0u32..).zip(&self.texts) {
                if text.contains(&**component) {
                    found(index);
                }
            }
        }
    }

    /// The text with every occurrence of these components replaced by `***`. Occurrences that overlap become one.
    pub(super) fn mask(&self, text: &str, components: &[u32]) -> String {
        let mut spans = Vec::new();
        for &index in components {
            let component = &*self.texts[index as usize];
            if component.is_empty() {
                continue;
            }
            // One code point further after each hit, so that a component that overlaps itself is covered whole.
            let mut from = 0;
            while let Some(offset) = text[from..].find(component) {
                let start = from + offset;
                spans.push((start, start + component.len()));
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        spans.sort_unstable();

        let mut masked = String::with_capacity(text.len());
        let mut end_of_last = 0;
        for (start, end) in spans {
            if start < end_of_last {
                end_of_last = end_of_last.max(end);
                continue;
            }
            masked.push_str(&text[end_of_last..start]);
            masked.push_str(MASK);
            end_of_last = end;
        }
        masked.push_str(&text[end_of_last..]);
        masked
    }
}

/// Numbers components while rules are read.
#[derive(Default)]
pub(super) struct Interner {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Interner {
    /// The number of a component.
    pub(super) fn number(&mut self, component: &str) -> u32 {
        if let Some(&number) = self.numbers.get(component) {
            return number;
        }
        let text: Arc<str> = component.into();
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn components(texts: &[String]) -> Components {
        let mut interner = Interner::default();
        for text in texts {
            interner.number(text);
        }
        Components::new(interner)
    }

    fn found(components: &Components, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        components.for_each_in(text, |component| found.push(component));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Marks every code point that some occurrence covers, and every seam between two that one covers together.
    fn mask_by_marks(text: &str, components: &[String]) -> String {
        let chars: Vec<char> = text.chars().collect();
        let (mut covered, mut joined) = (vec![false; chars.len()], vec![false; chars.len()]);
        for component in components.iter().map(|component| component.chars().collect::<Vec<_>>()) {
            for start in 0..chars.len() {
                if !component.is_empty() && chars[start..].starts_with(&component) {
                    covered[start..start + component.len()].fill(true);
                    joined[start + 1..start + component.len()].fill(true);
                }
            }
        }
        let mut masked = String::new();
        for (index, &char) in chars.iter().enumerate() {
            match (covered[index], joined[index]) {
                (false, _) => masked.push(char),
                (true, false) => masked.push_str("***"),
                (true, true) => {}
            }
        }
        masked
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_the_text_contains(
            texts in prop::collection::vec("[ab新é]{0,3}", 0..8),
            text in "[ab新é]{0,12}",
        ) {
            let mut components = components(&texts);
            let expected: Vec<u32> =
                (0..).zip(&components.texts).filter(|(_, component)| text.contains(&***component)).map(|(n, _)| n).collect();
            prop_assert_eq!(found(&components, &text), &*expected);
            components.automaton = None;
            prop_assert_eq!(found(&components, &text), expected);
        }

        #[test]
        fn masking_covers_every_occurrence(
            texts in prop::collection::vec("[ab新é]{0,3}", 0..4),
            text in "[ab新é]{0,12}",
        ) {
            let components = components(&texts);
            let all: Vec<u32> = (0..).take(components.len()).collect();
            prop_assert_eq!(components.mask(&text, &all), mask_by_marks(&text, &texts));
        }
    }
}
