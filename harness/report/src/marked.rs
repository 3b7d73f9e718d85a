//! A text with what was found in it marked: components of rules, what lifts them, and where something is left to be found.
//!
//! Marks may overlap and hold one another, so the text is cut wherever one begins or ends, and each piece stands in all the
//! marks that cover it. Nothing rests on colour: each rule has its own kind of line, and its number behind every component.

use std::collections::BTreeSet;
use std::ops::Range;

use maud::{Markup, html};
use unicode_segmentation::UnicodeSegmentation;

use crate::text::stretch;
use crate::words::count;

/// What a mark is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// Somewhere in here something is left to be found.
    Window,
    /// Believed to be a component, and not certified.
    Candidate,
    /// A component of the rule of this number, from 1.
    Component(usize),
    /// What lifts the rule of this number.
    Lifts(usize),
}

/// A marked part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Bytes of the text.
    pub range: Range<usize>,
    pub kind: Kind,
}

/// Kinds of lines, one for each rule, and then again from the first.
const LINES: usize = 5;

impl Kind {
    fn class(self) -> String {
        match self {
            Self::Window => "window".to_owned(),
            Self::Candidate => "candidate".to_owned(),
            Self::Component(number) => format!("rule line-{}", (number.max(1) - 1) % LINES + 1),
            Self::Lifts(_) => "lifts".to_owned(),
        }
    }

    /// What stands behind it.
    fn label(self) -> String {
        match self {
            Self::Window => "left open".to_owned(),
            Self::Candidate => "?".to_owned(),
            Self::Component(number) => number.to_string(),
            Self::Lifts(number) => format!("lifts {number}"),
        }
    }
}

/// The text with its marks. Of each stretch without one, at most twice `context` characters are shown.
pub(crate) fn marked(text: &str, marks: &[Mark], context: usize) -> Markup {
    // Ranges come from a journal: one that does not fit the text marks nothing.
    let marks: Vec<&Mark> =
        marks.iter().filter(|mark| text.get(mark.range.clone()).is_some_and(|part| !part.is_empty())).collect();
    let mut cuts: BTreeSet<usize> = marks.iter().flat_map(|mark| [mark.range.start, mark.range.end]).collect();
    cuts.extend([0, text.len()]);
    let cuts: Vec<usize> = cuts.into_iter().collect();
    html! {
        bdi.marked {
            @for piece in cuts.windows(2) {
                (drawn(text, &marks, &(piece[0]..piece[1]), context))
                (labels(&marks, piece[1]))
            }
        }
    }
}

/// A piece of the text in which no mark begins or ends.
fn drawn(text: &str, marks: &[&Mark], piece: &Range<usize>, context: usize) -> Markup {
    let covers = |mark: &&&Mark| mark.range.start <= piece.start && piece.end <= mark.range.end;
    let covering: BTreeSet<Kind> = marks.iter().filter(covers).map(|mark| mark.kind).collect();
    let covering: Vec<Kind> = covering.into_iter().collect();
    let shown = text.get(piece.clone()).unwrap_or_default();
    let unmarked = covering.iter().all(|kind| *kind == Kind::Window);
    nested(
        &covering,
        &if unmarked {
            around(shown, context)
        } else {
            html! { (stretch(shown)) }
        },
    )
}

/// A piece in the marks that cover it.
fn nested(covering: &[Kind], piece: &Markup) -> Markup {
    html! {
        @if let Some((kind, inner)) = covering.split_first() { mark class=(kind.class()) { (nested(inner, piece)) } } @else { (piece) }
    }
}

/// The labels of the marks that end here.
fn labels(marks: &[&Mark], end: usize) -> Markup {
    let ending: BTreeSet<Kind> = marks.iter().filter(|mark| mark.range.end == end).map(|mark| mark.kind).collect();
    let labels: Vec<String> = ending.into_iter().map(Kind::label).collect();
    html! { @if !labels.is_empty() { sup { (labels.join(", ")) } } }
}

/// The beginning and the end of a long stretch, and how much is left out between them.
fn around(text: &str, context: usize) -> Markup {
    let places: Vec<usize> = text.grapheme_indices(true).map(|(place, _)| place).collect();
    let left_out = places.len().saturating_sub(context.saturating_mul(2));
    // To leave out a word or two helps nobody.
    if left_out < 20 {
        return html! { (stretch(text)) };
    }
    let (head, tail) = (places[context], places[places.len() - context]);
    html! {
        (stretch(&text[..head])) span.cut { " [… " (count(left_out as u64)) " characters …] " } (stretch(&text[tail..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(range: Range<usize>, kind: Kind) -> Mark {
        Mark { range, kind }
    }

    #[test]
    fn components_are_marked_where_they_stand_also_one_in_another() {
        let text = "on the vigil square, <b>mourners</b>\nsang";
        let marks = [
            mark(7..12, Kind::Component(1)),
            mark(13..19, Kind::Component(1)),
            mark(7..19, Kind::Component(6)),
            mark(24..32, Kind::Lifts(1)),
        ];
        assert_eq!(
            marked(text, &marks, 100).into_string(),
            "<bdi class=\"marked\">on the <mark class=\"rule line-1\"><mark class=\"rule line-1\">vigil</mark></mark><sup>1</sup>\
             <mark class=\"rule line-1\"> </mark>\
             <mark class=\"rule line-1\"><mark class=\"rule line-1\">square</mark></mark><sup>1, 6</sup>, &lt;b&gt;\
             <mark class=\"lifts\">mourners</mark><sup>lifts 1</sup>&lt;/b&gt;\nsang</bdi>"
        );
    }

    #[test]
    fn a_long_stretch_is_cut_and_what_is_open_is_marked() {
        let text = format!("{}X{}", "a".repeat(100), "新".repeat(100));
        let marks = [mark(100..101, Kind::Candidate), mark(101..401, Kind::Window)];
        assert_eq!(
            marked(&text, &marks, 3).into_string(),
            "<bdi class=\"marked\">aaa<span class=\"cut\"> [… 94 characters …] </span>aaa<mark class=\"candidate\">X</mark><sup>?</sup>\
             <mark class=\"window\">新新新<span class=\"cut\"> [… 94 characters …] </span>新新新</mark><sup>left open</sup></bdi>"
        );
    }

    #[test]
    fn ranges_that_do_not_fit_the_text_mark_nothing() {
        for range in [0..1, 2..3, 5..9, 3..3, 6..600] {
            assert_eq!(marked("新疆", &[mark(range, Kind::Component(1))], 9).into_string(), "<bdi class=\"marked\">新疆</bdi>");
        }
        assert_eq!(marked("", &[], 9).into_string(), "<bdi class=\"marked\"></bdi>");
    }
}
