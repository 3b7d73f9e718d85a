//! Which components occur in a text, and the text with them masked.
//!
//! Matching is on exact code points: no folding of case, width or normal form. Both sides are valid UTF-8, so a match of
//! bytes is a match of code points.

use std::collections::HashMap;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

/// What a component occurrence is replaced by.
const MASK: &str = "***";

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
        let automaton = AhoCorasick::new(interned.texts.iter().map(|text| text.as_bytes())).ok();
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
