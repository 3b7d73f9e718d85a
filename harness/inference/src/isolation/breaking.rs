//! Breaking rules in a text, and the smallest sets of components whose breaking breaks them all.

use std::collections::BTreeSet;

use super::text::{Span, Text};

/// A component, as the numbers of its clusters.
pub(crate) type Component = Vec<u32>;

/// Whether breaking `broken` breaks `component` too.
pub(crate) fn contains(component: &[u32], broken: &[u32]) -> bool {
    component.windows(broken.len()).any(|window| window == broken)
}

/// All smallest sets of components that hit every rule, smallest first (Berge's algorithm: rule by rule, extend the sets that do
/// not hit it, keep the minimal ones). `None` if there are more than `most`.
pub(crate) fn hitting_sets(rules: &[Vec<Component>], most: usize) -> Option<Vec<BTreeSet<Component>>> {
    let mut sets: Vec<BTreeSet<Component>> = vec![BTreeSet::new()];
    for rule in rules {
        let hits = |set: &BTreeSet<Component>| rule.iter().any(|component| set.iter().any(|broken| contains(component, broken)));
        let (mut kept, missing): (Vec<_>, Vec<_>) = sets.into_iter().partition(hits);
        let mut extended: Vec<BTreeSet<Component>> = Vec::new();
        for set in &missing {
            for component in rule {
                let mut larger = set.clone();
                larger.insert(component.clone());
                extended.push(larger);
            }
        }
        extended.sort();
        extended.dedup();
        kept.extend(extended);
        sets = minimal(kept);
        if sets.len() > most {
            return None;
        }
    }
    sets.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Some(sets)
}

fn minimal(mut sets: Vec<BTreeSet<Component>>) -> Vec<BTreeSet<Component>> {
    sets.sort_by_key(BTreeSet::len);
    let mut kept: Vec<BTreeSet<Component>> = Vec::new();
    for set in sets {
        if !kept.iter().any(|smaller| smaller.is_subset(&set)) {
            kept.push(set);
        }
    }
    kept
}

/// Where a component is cut in two. A cut kills the spans that cross it, so that what overlaps the component on one side survives
/// only if it is cut towards the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum At {
    /// At a word border inside it, where there is one, else in the middle.
    Border,
    /// Behind its first cluster.
    Beginning,
    /// Before its last.
    End,
}

/// The pieces of a text when every occurrence of the components is broken; a component of one cluster is left out.
pub(crate) fn broken(text: &Text, components: &BTreeSet<Component>, place: At) -> Vec<Span> {
    let mut cuts: BTreeSet<u32> = BTreeSet::new();
    let mut removed: BTreeSet<u32> = BTreeSet::new();
    for component in components {
        for span in text.occurrences(component) {
            if span.len() == 1 {
                removed.insert(span.start);
            } else if !cuts.range(span.start + 1..span.end).any(|_| true) && !removed.range(span.start..span.end).any(|_| true) {
                let middle = i64::from(span.start + span.end);
                let from_middle = |at: &u32| (!text.is_border(*at), (2 * i64::from(*at) - middle).abs());
                cuts.extend(match place {
                    At::Border => (span.start + 1..span.end).min_by_key(from_middle),
                    At::Beginning => Some(span.start + 1),
                    At::End => Some(span.end - 1),
                });
            }
        }
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 0..text.len() {
        if removed.contains(&at) || cuts.contains(&at) {
            pieces.push(Span::new(start, at));
            start = if removed.contains(&at) { at + 1 } else { at };
        }
    }
    pieces.push(Span::new(start, text.len()));
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_ways_to_break_rules_that_share_components() {
        let rules = [vec![vec![1], vec![2]], vec![vec![1], vec![3]], vec![vec![4, 1]]];
        let sets = hitting_sets(&rules, 100).unwrap_or_default();
        // Breaking 1 breaks all three; without it 2, 3 and the pair must each be broken.
        let expected: Vec<BTreeSet<Component>> = vec![BTreeSet::from([vec![1]]), BTreeSet::from([vec![2], vec![3], vec![4, 1]])];
        assert_eq!(sets, expected);
    }

    #[test]
    fn every_occurrence_is_broken() {
        let text = Text::new("abcabab");
        let component: Component = text.ids(Span::new(0, 2)).to_vec();
        let pieces = broken(&text, &BTreeSet::from([component]), At::Border);
        let words: Vec<&str> = pieces.iter().map(|piece| text.str(*piece)).collect();
        assert_eq!(words, ["a", "bca", "ba", "b"]);
    }
}
