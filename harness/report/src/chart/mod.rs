//! A small grammar of charts: panels with two scaled axes and marks in the units of the data. It knows nothing of what is drawn.
//!
//! A [`Chart`] is a value; [`Chart::svg`] lays it out and writes it, the same bytes for the same chart. Text in it is plain: what others
//! wrote comes through [`text`](crate::text) before.

mod layout;
mod marks;
mod scale;

use maud::Markup;

use crate::colours::Colour;
pub(crate) use scale::{Axis, Scale, Ticks, whole};

/// The width of every chart, in its own units; the font size is [`FONT`] of them.
pub(crate) const WIDTH: f64 = 640.0;
/// The font size.
pub(crate) const FONT: f64 = 12.0;

/// Panels, one beside or below the other, under one legend.
pub(crate) struct Chart {
    /// Short and unique in a page: the name of its file, and the beginning of its ids.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: String,
    /// What is seen on it, for those who do not see it.
    pub description: String,
    /// What the marks mean.
    pub legend: Vec<(Swatch, String)>,
    /// How many panels stand side by side. Panels of a row share the labels on their left.
    pub columns: usize,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
}

/// Two axes and what stands between them.
pub(crate) struct Panel {
    /// Lines above it.
    pub title: Vec<String>,
    /// From left to right.
    pub x: Axis,
    /// From the bottom up; bands from the top down.
    pub y: Axis,
    /// The height between the axes.
    pub height: f64,
    /// Drawn in this order.
    pub marks: Vec<Mark>,
}

/// How a surface is filled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Paint {
    /// With a colour.
    Full(Colour),
    /// With grey lines.
    Hatched,
}

/// What stands at a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Circle,
    Diamond,
    Triangle,
    Cross,
}

/// A place in the units of a panel's axes: x, y. Band `n` reaches from `n` to `n + 1`.
pub(crate) type At = (f64, f64);

/// Something drawn in a panel.
pub(crate) enum Mark {
    /// A rectangle from corner to corner.
    Bar { from: At, to: At, paint: Paint },
    /// A point with a horizontal interval.
    Interval { low: f64, high: f64, at: At, shape: Shape, colour: Colour },
    /// A point.
    Point { at: At, shape: Shape, colour: Colour },
    /// A vertical line over the whole height.
    Rule { x: f64, colour: Colour, dashed: bool },
    /// A filled cell of two axes of bands with a letter in it.
    Cell { column: usize, row: usize, ground: Colour, ink: Colour, text: &'static str },
    /// Words beginning at a place.
    Words { at: At, text: String },
}

/// What a line of the legend shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Swatch {
    /// A filled surface.
    Surface(Paint),
    /// A point.
    Point(Shape, Colour),
    /// A vertical line.
    Rule(Colour, bool),
    /// A cell with a letter.
    Cell(Colour, Colour, &'static str),
}

impl Chart {
    /// The chart as an `svg` element, for a page or a file of its own.
    pub(crate) fn svg(&self) -> Markup {
        layout::svg(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colours::{BLUE, PALE};

    fn chart() -> Chart {
        let panel = |title: &str| Panel {
            title: vec![title.to_owned()],
            x: Axis::new("share of items", Scale::linear(0.0, 1.0, Ticks::Share)),
            y: Axis::new("", Scale::Bands(vec!["politics".to_owned(), "新闻 <b>".to_owned()])),
            height: 40.0,
            marks: vec![
                Mark::Interval { low: 0.1, high: 0.4, at: (0.2, 0.5), shape: Shape::Circle, colour: BLUE },
                Mark::Bar { from: (0.0, 1.0), to: (0.5, 2.0), paint: Paint::Hatched },
                Mark::Cell { column: 0, row: 1, ground: PALE, ink: BLUE, text: "D" },
                Mark::Rule { x: 0.5, colour: BLUE, dashed: true },
            ],
        };
        Chart {
            name: "test",
            title: "A test".to_owned(),
            description: "Two panels & a legend".to_owned(),
            legend: vec![(Swatch::Surface(Paint::Hatched), "hatched".to_owned())],
            columns: 2,
            panels: vec![panel("left"), panel("right")],
        }
    }

    #[test]
    fn a_chart_is_written_like_this() {
        insta::assert_snapshot!(chart().svg().into_string().replace("><", ">\n<"));
    }

    #[test]
    fn nothing_leaves_the_chart() {
        let mut chart = chart();
        for panel in &mut chart.panels {
            panel.marks.push(Mark::Interval { low: -5.0, high: 7.0, at: (f64::NAN, 0.5), shape: Shape::Cross, colour: BLUE });
            panel.marks.push(Mark::Bar { from: (-1e9, 0.0), to: (f64::INFINITY, 1.0), paint: Paint::Full(BLUE) });
        }
        let svg = chart.svg().into_string();
        for number in svg.split('"').filter_map(|it| it.parse::<f64>().ok()) {
            assert!((-1.0..=WIDTH).contains(&number), "{number}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
