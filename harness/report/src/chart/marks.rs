//! Marks and swatches as elements of SVG. Only attributes, no styles, so that a page may forbid them.

use maud::{Escaper, Markup, Render, html};
use std::fmt::Write as _;

use super::layout::Plot;
use super::{FONT, Mark, Paint, Panel, Shape, Swatch};
use crate::colours::{Colour, INK, PALE, PAPER, QUIET, RULE};

/// A length with one digit after the point, and none where it is 0.
#[derive(Clone, Copy)]
pub(super) struct Px(pub f64);

impl Render for Px {
    fn render_to(&self, buffer: &mut String) {
        let tenths = libm::round(self.0 * 10.0) / 10.0;
        // What is no number stands at 0; -0 is 0.
        let tenths = if tenths.is_finite() { tenths + 0.0 } else { 0.0 };
        let _ = write!(Escaper::new(buffer), "{tenths}");
    }
}

fn hatch(chart: &str) -> String {
    format!("{chart}-hatch")
}

/// What the marks of a chart refer to.
pub(super) fn definitions(chart: &str) -> Markup {
    html! {
        defs {
            pattern id=(hatch(chart)) width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect width="5" height="5" fill=(PALE) {}
                line x1="0" y1="0" x2="0" y2="5" stroke=(QUIET) stroke-width="2" {}
            }
        }
    }
}

fn fill(chart: &str, paint: Paint) -> String {
    match paint {
        Paint::Full(colour) => colour.to_owned(),
        Paint::Hatched => format!("url(#{})", hatch(chart)),
    }
}

pub(super) fn mark(chart: &str, mark: &Mark, panel: &Panel, plot: Plot) -> Markup {
    let x = |value: f64| plot.x(&panel.x, value);
    let y = |value: f64| plot.y(&panel.y, value);
    match mark {
        Mark::Bar { from, to, paint } => {
            let (left, right) = (x(from.0).min(x(to.0)), x(from.0).max(x(to.0)));
            let (top, bottom) = (y(from.1).min(y(to.1)), y(from.1).max(y(to.1)));
            html! { rect x=(Px(left)) y=(Px(top)) width=(Px(right - left)) height=(Px(bottom - top)) fill=(fill(chart, *paint)) {} }
        }
        Mark::Interval { low, high, at, shape, colour } => {
            let (left, right, level) = (x(*low), x(*high), y(at.1));
            html! {
                path d={ "M" (Px(left)) " " (Px(level - 3.0)) "v6M" (Px(left)) " " (Px(level)) "H" (Px(right)) "M" (Px(right)) " "
                    (Px(level - 3.0)) "v6" } stroke=(colour) stroke-width="1.5" fill="none" {}
                (point(*shape, colour, x(at.0), level))
            }
        }
        Mark::Point { at, shape, colour } => point(*shape, colour, x(at.0), y(at.1)),
        Mark::Rule { x: at, colour, dashed } => rule(colour, *dashed, x(*at), plot.top, plot.top + plot.height),
        Mark::Cell { column, row, ground, ink, text } => {
            let (left, right) = (x(*column as f64), x((*column + 1) as f64));
            let (top, bottom) = (y(*row as f64), y((*row + 1) as f64));
            cell(ground, ink, text, (left + 0.5, top + 0.5), (right - left - 1.0, bottom - top - 1.0))
        }
        Mark::Words { at, text } => html! { text x=(Px(x(at.0))) y=(Px(y(at.1) + 4.0)) fill=(QUIET) { (text) } },
    }
}

fn cell(ground: Colour, ink: Colour, text: &str, (left, top): (f64, f64), (width, height): (f64, f64)) -> Markup {
    html! {
        rect x=(Px(left)) y=(Px(top)) width=(Px(width)) height=(Px(height)) fill=(ground)
            stroke=[(ground == PAPER).then_some(RULE)] {}
        text x=(Px(left + width / 2.0)) y=(Px(top + height / 2.0 + 4.0)) text-anchor="middle" fill=(ink) { (text) }
    }
}

fn rule(colour: Colour, dashed: bool, x: f64, top: f64, bottom: f64) -> Markup {
    html! {
        line x1=(Px(x)) x2=(Px(x)) y1=(Px(top)) y2=(Px(bottom)) stroke=(colour) stroke-width="1.5"
            stroke-dasharray=[dashed.then_some("4 3")] {}
    }
}

fn point(shape: Shape, colour: Colour, x: f64, y: f64) -> Markup {
    let path = |d: &str| {
        html! { path transform={ "translate(" (Px(x)) " " (Px(y)) ")" } d=(d) fill=(colour) stroke=(PAPER) stroke-width="1" {} }
    };
    match shape {
        Shape::Circle => html! { circle cx=(Px(x)) cy=(Px(y)) r="4.5" fill=(colour) stroke=(PAPER) stroke-width="1" {} },
        Shape::Diamond => path("M0 -6L6 0L0 6L-6 0Z"),
        Shape::Triangle => path("M0 -6L6 5H-6Z"),
        Shape::Cross => html! {
            path transform={ "translate(" (Px(x)) " " (Px(y)) ")" } d="M-4 -4L4 4M-4 4L4 -4" stroke=(colour) stroke-width="2" {}
        },
    }
}

pub(super) fn swatch(chart: &str, swatch: Swatch, x: f64, y: f64) -> Markup {
    match swatch {
        Swatch::Surface(paint) => html! {
            rect x=(Px(x)) y=(Px(y - 6.0)) width=(Px(FONT)) height=(Px(FONT)) fill=(fill(chart, paint)) stroke=(RULE) {}
        },
        Swatch::Point(shape, colour) => point(shape, colour, x + 6.0, y),
        Swatch::Rule(colour, dashed) => rule(colour, dashed, x + 6.0, y - 8.0, y + 8.0),
        Swatch::Cell(ground, ink, text) => cell(ground, if ink == PAPER { ink } else { INK }, text, (x, y - 8.0), (16.0, 16.0)),
    }
}
