//! A text as grapheme clusters, and the part of it that a search walks over.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt};
use unicode_segmentation::UnicodeSegmentation;

use super::borders;

/// A run of grapheme clusters: `start` up to and without `end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// The first grapheme cluster.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

impl Span {
    /// A span of a text.
    #[must_use]
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// Grapheme clusters in it.
    #[must_use]
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `other` lies inside it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// What a grapheme cluster is to the priors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Of a script that is written densely, without spaces: a word takes one to four clusters.
    Dense,
    /// Of a script whose words take many clusters.
    Letter,
    /// White space.
    Space,
    /// Punctuation and symbols.
    Mark,
}

fn class_of(cluster: &str) -> Class {
    let first = cluster.chars().next().unwrap_or(' ');
    match first {
        c if c.is_whitespace() => Class::Space,
        c if !c.is_alphanumeric() => Class::Mark,
        '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => Class::Dense,
        _ => Class::Letter,
    }
}

/// A cluster is common if it is one of so many.
const COMMON: u32 = 125;

/// A text cut into grapheme clusters (UAX 29).
#[derive(Clone, Debug)]
pub(crate) struct Text {
    source: String,
    /// Byte offsets of the clusters, and the length at the end.
    offsets: Vec<u32>,
    /// The same number for the same cluster.
    ids: Vec<u32>,
    classes: Vec<Class>,
    /// How many word borders lie before or at each cluster's beginning; one more for the end of the text.
    borders: Vec<u32>,
    /// Whether a cluster is a word by itself, and one of the commonest of the text.
    common: Vec<bool>,
}

impl Text {
    pub(crate) fn new(source: &str) -> Self {
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let (mut offsets, mut ids, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for (offset, cluster) in source.grapheme_indices(true) {
            let next = u32_of(seen.len());
            offsets.push(u32_of(offset));
            ids.push(*seen.entry(cluster).or_insert(next));
            classes.push(class_of(cluster));
        }
        offsets.push(u32_of(source.len()));
        let at_border = borders::of(source, &offsets);
        let mut total = 0;
        let borders = at_border
            .into_iter()
            .map(|border| {
                total += u32::from(border);
                total
            })
            .collect();
        let mut text = Self { source: source.to_owned(), offsets, ids, classes, borders, common: Vec::new() };
        let mut counts = vec![0_u32; seen.len()];
        for id in &text.ids {
            counts[*id as usize] += 1;
        }
        let enough = (text.len() / COMMON).max(4);
        let common = |at: u32| text.is_border(at) && text.is_border(at + 1) && counts[text.id(at) as usize] >= enough;
        text.common = (0..text.len()).map(common).collect();
        text
    }

    pub(crate) fn len(&self) -> u32 {
        u32_of(self.ids.len())
    }

    pub(crate) fn whole(&self) -> Span {
        Span::new(0, self.len())
    }

    pub(crate) fn bytes(&self, span: Span) -> Range<usize> {
        self.offsets[span.start as usize] as usize..self.offsets[span.end as usize] as usize
    }

    pub(crate) fn str(&self, span: Span) -> &str {
        self.source.get(self.bytes(span)).unwrap_or_default()
    }

    pub(crate) fn class(&self, at: u32) -> Class {
        self.classes[at as usize]
    }

    pub(crate) fn id(&self, at: u32) -> u32 {
        self.ids[at as usize]
    }

    /// Whether a cluster is a word by itself, and one of the commonest of the text.
    pub(crate) fn is_common(&self, at: u32) -> bool {
        self.common[at as usize]
    }

    /// The clusters of a span, as numbers.
    pub(crate) fn ids(&self, span: Span) -> &[u32] {
        &self.ids[span.start as usize..span.end as usize]
    }

    /// Whether a word begins or ends before the cluster `at`.
    pub(crate) fn is_border(&self, at: u32) -> bool {
        let at = at as usize;
        at == 0 || self.borders[at] > self.borders[at - 1]
    }

    /// Word borders strictly inside a span.
    pub(crate) fn inner_borders(&self, span: Span) -> u32 {
        if span.len() < 2 { 0 } else { self.borders[span.end as usize - 1] - self.borders[span.start as usize] }
    }

    /// Where the clusters of `needle` occur, overlaps included.
    pub(crate) fn occurrences(&self, needle: &[u32]) -> Vec<Span> {
        if needle.is_empty() {
            return Vec::new();
        }
        let length = u32_of(needle.len());
        let windows = self.ids.windows(needle.len()).enumerate();
        windows.filter(|(_, window)| *window == needle).map(|(at, _)| Span::new(u32_of(at), u32_of(at) + length)).collect()
    }

    /// The span of a byte range, if it begins and ends at cluster borders.
    pub(crate) fn span_of(&self, range: &Range<usize>) -> Option<Span> {
        let at = |offset: usize| self.offsets.binary_search(&u32_of(offset)).ok().map(u32_of);
        let span = Span::new(at(range.start)?, at(range.end)?);
        (!span.is_empty()).then_some(span)
    }

    /// The span of a string that occurs in the text at cluster borders: its last occurrence.
    pub(crate) fn last_occurrence(&self, needle: &str) -> Option<Span> {
        let mut found = None;
        let mut from = 0;
        while let Some(at) = self.source.get(from..).and_then(|rest| rest.find(needle)) {
            let start = from + at;
            if let Some(span) = self.span_of(&(start..start + needle.len())) {
                found = Some(span);
            }
            from = start + self.source[start..].chars().next().map_or(1, char::len_utf8);
        }
        found
    }
}

/// What a search walks over: pieces of the text in order, laid end to end. A row is a grapheme cluster in a piece; a
/// component never crosses the end of its piece. Pieces may overlap in the text.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pieces: Vec<Span>,
    /// The first row of each piece.
    firsts: Vec<u32>,
    /// The cluster of each row.
    at: Vec<u32>,
    /// How many clusters from a row to the end of its piece.
    limits: Vec<u32>,
}

impl Rows {
    pub(crate) fn new(pieces: &[Span]) -> Self {
        let mut rows = Self { pieces: Vec::new(), firsts: Vec::new(), at: Vec::new(), limits: Vec::new() };
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            rows.pieces.push(*piece);
            rows.firsts.push(u32_of(rows.at.len()));
            for at in piece.start..piece.end {
                rows.at.push(at);
                rows.limits.push(piece.end - at);
            }
        }
        rows
    }

    pub(crate) fn len(&self) -> u32 {
        u32_of(self.at.len())
    }

    pub(crate) fn limit(&self, row: u32) -> u32 {
        self.limits[row as usize]
    }

    pub(crate) fn at(&self, row: u32) -> u32 {
        self.at[row as usize]
    }

    /// The span of the text that begins at a row.
    pub(crate) fn span(&self, row: u32, length: u32) -> Span {
        let at = self.at(row);
        Span::new(at, at + length)
    }

    /// Everything from a row on, as pieces.
    pub(crate) fn from(&self, row: u32) -> Vec<Span> {
        if row >= self.len() {
            return Vec::new();
        }
        let piece = self.firsts.partition_point(|first| *first <= row) - 1;
        let mut rest = vec![self.span(row, self.limit(row))];
        rest.extend_from_slice(&self.pieces[piece + 1..]);
        rest
    }

    /// For each row, the longest prefix (up to `longest`) that occurs again at a later row: only the last occurrence of a
    /// string can be the component that a search arrives at.
    pub(crate) fn repeated(&self, text: &Text, longest: u32) -> Vec<u32> {
        let mut repeated = vec![0; self.at.len()];
        let mut active: Vec<(u32, u32)> = (0..self.len()).map(|row| (row, 0)).collect();
        for length in 1..=longest {
            let mut groups: HashMap<(u32, u32), (u32, u32, u32)> = HashMap::with_capacity(active.len());
            let mut keyed = Vec::with_capacity(active.len());
            for (row, group) in active {
                if self.limit(row) < length {
                    continue;
                }
                let next = u32_of(groups.len());
                let entry = groups
                    .entry((group, text.id(self.at(row) + length - 1)))
                    .and_modify(|e| (e.1, e.2) = (e.1 + 1, row))
                    .or_insert((next, 1, row));
                keyed.push((row, *entry));
            }
            let members: HashMap<u32, (u32, u32)> =
                groups.values().map(|(group, members, last)| (*group, (*members, *last))).collect();
            active = Vec::new();
            for (row, (group, ..)) in keyed {
                let Some((count, last)) = members.get(&group) else { continue };
                if *count > 1 {
                    if row != *last {
                        repeated[row as usize] = length;
                    }
                    active.push((row, group));
                }
            }
            if active.is_empty() {
                break;
            }
        }
        repeated
    }
}

/// Texts are far below 2^32 clusters.
pub(crate) fn u32_of(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
