//! How much of each category is kept from whom: of a screen the share of items, with fixed sends the drop rate.

use lacuna_inference::categories;
use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::enforcement::{Rate, Sends};
use lacuna_model::{AccountIx, ArmIx, Study};

use super::Figure;
use super::verdicts::category;
use crate::chart::{Axis, Chart, Mark, Panel, Scale, Shape, Swatch, Ticks};
use crate::colours::{BLUE, VERMILION};
use crate::path::{Path, paths};

/// The name of its files.
pub const NAME: &str = "drop-rates";

/// Categories and panels that are drawn; the CSV has all.
const MOST_CATEGORIES: usize = 40;
const MOST_PANELS: usize = 24;

/// What a rate is a share of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Items with a conclusion.
    Items,
    /// Sends that could have arrived; the mean over the items.
    Sends,
}

impl Measure {
    /// Every word.
    pub const ALL: [Self; 2] = [Self::Items, Self::Sends];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Sends => "sends",
        }
    }
}

/// One category, arm and recipient.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// As the corpora give it; may be empty.
    pub category: String,
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// What is counted.
    pub measure: Measure,
    /// So many.
    pub whole: u64,
    /// Of these, kept from the recipient (items), or dropped (sends).
    pub part: u64,
    /// The rate with its 95 % interval; `None` where nothing counts.
    pub rate: Option<Rate>,
}

pub(super) fn figure(study: &Study, conclusion: &Conclusion) -> Figure<Row> {
    let rows: Vec<Row> = if Sends::of(study) == Sends::Fixed {
        let row = |it: &lacuna_inference::enforcement::EnforcementRecord| Row {
            category: it.category.clone(),
            arm: it.arm,
            recipient: it.recipient,
            measure: Measure::Sends,
            whole: it.sends,
            part: it.dropped,
            rate: it.drop_rate,
        };
        conclusion.enforcement.iter().map(row).collect()
    } else {
        let row = |it: categories::CategoryRecord| Row {
            category: it.category,
            arm: it.arm,
            recipient: it.recipient,
            measure: Measure::Items,
            whole: it.concluded,
            part: it.kept,
            rate: it.share,
        };
        categories::derive(study, &conclusion.verdicts).into_iter().map(row).collect()
    };
    let chart = chart(study, &rows);
    Figure::new(rows, &chart)
}

fn chart(study: &Study, rows: &[Row]) -> Chart {
    let title = "How much of each category is kept from whom";
    let Some(measure) = rows.iter().find(|row| row.rate.is_some()).map(|row| row.measure) else {
        return super::nothing(NAME, title, "No candidate has a conclusion");
    };
    // Rows are sorted by category.
    let mut names: Vec<&str> = rows.iter().map(|row| row.category.as_str()).collect();
    names.dedup();
    names.truncate(MOST_CATEGORIES);
    let label = match measure {
        Measure::Items => "share of items kept, 95 % interval",
        Measure::Sends => "drop rate, 95 % interval",
    };
    let highest = rows.iter().filter_map(|row| row.rate).map(|rate| rate.high).fold(0.0, f64::max);
    // A scale that ends at a round place, and at 100 % unless everything is far below.
    let end = [0.05, 0.1, 0.2, 0.5].into_iter().find(|end| highest <= *end).unwrap_or(1.0);
    let panel = |path: &Path| {
        let of_path = rows.iter().filter(|row| row.arm == path.arm && row.recipient == path.recipient);
        let marks = of_path.filter_map(|row| {
            let place = names.iter().position(|name| *name == row.category)?;
            let rate = row.rate?;
            let (shape, colour) = look(row.part);
            Some(Mark::Interval { low: rate.low, high: rate.high, at: (rate.estimate, place as f64 + 0.5), shape, colour })
        });
        Panel {
            title: vec![path.arm_line(study), path.recipient_line(study)],
            x: Axis::new(label, Scale::linear(0.0, end, Ticks::Share)),
            y: Axis::new("", Scale::Bands(names.iter().map(|name| category(name)).collect())),
            height: names.len() as f64 * 22.0,
            marks: marks.collect(),
        }
    };
    let panels: Vec<Panel> = paths(study).iter().take(MOST_PANELS).map(panel).collect();
    Chart {
        name: NAME,
        title: title.to_owned(),
        description: format!(
            "For each category and each arm and recipient the {label}, a line from its lower to its upper end; figures/{NAME}.csv has \
             the numbers."
        ),
        legend: vec![
            (Swatch::Point(look(1).0, look(1).1), "something is kept".to_owned()),
            (Swatch::Point(look(0).0, look(0).1), "nothing is, as far as was seen".to_owned()),
        ],
        columns: super::beside(panels.len()),
        panels,
    }
}

fn look(part: u64) -> (Shape, &'static str) {
    if part > 0 { (Shape::Diamond, VERMILION) } else { (Shape::Circle, BLUE) }
}
