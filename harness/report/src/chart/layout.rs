//! Where everything stands: legend, panels, titles, axes.

use maud::{Markup, html};

use super::marks::{self, Px};
use super::{Axis, Chart, FONT, Panel, Scale, WIDTH};
use crate::colours::{INK, PAPER, QUIET, RULE};
use crate::text::{fitting, width_of};

const LINE: f64 = 16.0;
const GAP: f64 = 18.0;
const BETWEEN: f64 = 40.0;
const TICK: f64 = 18.0;
/// The widest that labels on the left may be.
const WIDEST_LABEL: f64 = 190.0;
/// What a tick's name may take beyond the last panel.
const RIGHT: f64 = 24.0;

/// The rectangle between a panel's axes.
#[derive(Clone, Copy)]
pub(super) struct Plot {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Plot {
    pub(super) fn x(&self, axis: &Axis, value: f64) -> f64 {
        self.left + axis.scale.place(value) * self.width
    }

    pub(super) fn y(&self, axis: &Axis, value: f64) -> f64 {
        let share = axis.scale.place(value);
        // Bands are read from the top down, quantities grow upwards.
        let share = if matches!(axis.scale, Scale::Bands(_)) { share } else { 1.0 - share };
        self.top + share * self.height
    }
}

pub(super) fn svg(chart: &Chart) -> Markup {
    let (legend, mut top) = legend(chart);
    let columns = chart.columns.max(1);
    let labels = label_width(chart);
    let between = if columns > 1 { BETWEEN * (columns - 1) as f64 } else { 0.0 };
    let width = ((WIDTH - labels - RIGHT - between) / columns as f64).max(20.0);
    // What all panels have below them stands there once.
    let shared =
        chart.panels.first().map(|panel| &panel.x.label).filter(|label| {
            !label.is_empty() && chart.panels.len() > 1 && chart.panels.iter().all(|panel| panel.x.label == **label)
        });
    let mut panels = Vec::new();
    for of_row in chart.panels.chunks(columns) {
        let titles = of_row.iter().map(|panel| panel.title.len()).max().unwrap_or(0);
        let height = of_row.iter().map(|panel| panel.height).fold(0.0, f64::max);
        top += titles as f64 * LINE + if titles > 0 { 4.0 } else { 0.0 };
        let mut below = TICK;
        for (column, panel) in of_row.iter().enumerate() {
            let left = labels + column as f64 * (width + BETWEEN);
            let plot = Plot { left, top, width, height: panel.height };
            let labelled = shared.is_none() && !panel.x.label.is_empty();
            if labelled {
                below = TICK + LINE;
            }
            panels.push(draw(chart.name, panel, plot, column == 0, labelled));
        }
        top += height + below + GAP;
    }
    let height = top - GAP + if shared.is_some() { LINE } else { 0.0 } + 6.0;
    let (title, description) = (format!("{}-title", chart.name), format!("{}-description", chart.name));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (Px(WIDTH)) " " (Px(height)) }
            role="img" aria-labelledby={ (title) " " (description) }
            font-family="system-ui, 'Noto Sans', 'Noto Sans CJK SC', sans-serif" font-size=(Px(FONT)) fill=(INK) {
            title id=(title) { (chart.title) }
            desc id=(description) { (chart.description) }
            (marks::definitions(chart.name))
            rect width=(Px(WIDTH)) height=(Px(height)) fill=(PAPER) {}
            (legend)
            @for panel in &panels { (panel) }
            @if let Some(label) = shared { (label_below(label, labels + (WIDTH - labels - RIGHT) / 2.0, height - 8.0)) }
        }
    }
}

/// The labels of the first column's axis of y, and a little air.
fn label_width(chart: &Chart) -> f64 {
    let first = chart.panels.iter().step_by(chart.columns.max(1));
    let labels = first.flat_map(|panel| panel.y.scale.ticks(ticks_of(panel.height)));
    let widest = labels.map(|(_, name)| width_of(&name) * FONT).fold(12.0, f64::max);
    widest.min(WIDEST_LABEL) + 14.0
}

fn ticks_of(height: f64) -> f64 {
    (height / 36.0).max(2.0)
}

/// The legend, and where it ends.
fn legend(chart: &Chart) -> (Markup, f64) {
    let (mut x, mut y) = (4.0, 14.0);
    let mut entries = Vec::new();
    for (swatch, words) in &chart.legend {
        let words = fitting(words, (WIDTH - 40.0) / FONT);
        let width = 20.0 + width_of(&words) * FONT + 18.0;
        if x + width > WIDTH && x > 4.0 {
            (x, y) = (4.0, y + 20.0);
        }
        entries.push(html! {
            (marks::swatch(chart.name, *swatch, x, y))
            text x=(Px(x + 20.0)) y=(Px(y + 4.0)) { (words) }
        });
        x += width;
    }
    let markup = html! { @for entry in &entries { (entry) } };
    (markup, if chart.legend.is_empty() { 6.0 } else { y + 24.0 })
}

fn draw(name: &str, panel: &Panel, plot: Plot, first: bool, labelled: bool) -> Markup {
    let bottom = plot.top + plot.height;
    let titles = panel.title.len();
    html! {
        g {
            @for (line, words) in panel.title.iter().enumerate() {
                text x=(Px(plot.left)) y=(Px(plot.top - 8.0 - (titles - 1 - line) as f64 * LINE))
                    font-weight=[(line == 0).then_some("600")] fill=[(line > 0).then_some(QUIET)] {
                    (fitting(words, (plot.width + RIGHT / 2.0) / FONT))
                }
            }
            (y_axis(panel, plot, first))
            (x_axis(panel, plot))
            @for mark in &panel.marks { (marks::mark(name, mark, panel, plot)) }
            @if labelled {
                (label_below(&panel.x.label, plot.left + plot.width / 2.0, bottom + TICK + LINE - 4.0))
            }
        }
    }
}

/// What an axis measures, centred; as long as it can be without leaving the chart.
fn label_below(label: &str, x: f64, y: f64) -> Markup {
    let room = 2.0 * x.min(WIDTH - x);
    html! { text x=(Px(x)) y=(Px(y)) text-anchor="middle" fill=(QUIET) { (fitting(label, room / FONT)) } }
}

fn y_axis(panel: &Panel, plot: Plot, first: bool) -> Markup {
    let bands = matches!(panel.y.scale, Scale::Bands(_));
    let ticks = panel.y.scale.ticks(ticks_of(plot.height));
    html! {
        @for (value, name) in &ticks {
            @let y = plot.y(&panel.y, *value);
            @if !bands { line x1=(Px(plot.left)) x2=(Px(plot.left + plot.width)) y1=(Px(y)) y2=(Px(y)) stroke=(RULE) stroke-width="1" {} }
            @if first {
                text x=(Px(plot.left - 8.0)) y=(Px(y + 4.0)) text-anchor="end" fill=[(!bands).then_some(QUIET)] {
                    (fitting(name, WIDEST_LABEL / FONT))
                }
            }
        }
    }
}

fn x_axis(panel: &Panel, plot: Plot) -> Markup {
    let bottom = plot.top + plot.height;
    let bands = matches!(panel.x.scale, Scale::Bands(_));
    let ticks = panel.x.scale.ticks((plot.width / 64.0).max(1.0));
    let room = if bands { plot.width / ticks.len().max(1) as f64 } else { plot.width };
    html! {
        @for (value, name) in &ticks {
            @let x = plot.x(&panel.x, *value);
            @if !bands { line x1=(Px(x)) x2=(Px(x)) y1=(Px(plot.top)) y2=(Px(bottom)) stroke=(RULE) stroke-width="1" {} }
            text x=(Px(x)) y=(Px(bottom + 15.0)) text-anchor="middle" fill=(QUIET) { (fitting(name, room / FONT)) }
        }
        line x1=(Px(plot.left)) x2=(Px(plot.left + plot.width)) y1=(Px(bottom)) y2=(Px(bottom)) stroke=(QUIET) stroke-width="1" {}
    }
}
