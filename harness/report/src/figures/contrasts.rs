//! The forest plot: differences of drop rates between regions, senders and venues, item by item.

use lacuna_inference::contrasts::{Comparison, Contrasts, Factor, Scope};
use lacuna_model::{ItemIx, Study};

use super::Figure;
use crate::chart::{Axis, Chart, Mark, Panel, Scale, Shape, Swatch, Ticks};
use crate::colours::{BLUE, QUIET, VERMILION};
use crate::text;

/// The name of its files.
pub const NAME: &str = "contrasts";

/// Items drawn for each comparison, and comparisons; the CSV has all that is claimed.
const MOST_ITEMS: usize = 40;
const MOST_PANELS: usize = 24;

/// One claimed difference.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The item.
    pub item: ItemIx,
    /// What differs between the sides.
    pub factor: Factor,
    /// The two levels.
    pub levels: [String; 2],
    /// How far the claim reaches.
    pub scope: Scope,
    /// The drop rate of the first level less that of the second.
    pub difference: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The false discovery rate at which it would just be claimed.
    pub q_value: f64,
}

/// A factor in words.
pub(crate) const fn in_words(factor: Factor) -> &'static str {
    match factor {
        Factor::RecipientRegisteredIn => "recipient registered in",
        Factor::SenderRegisteredIn => "sender registered in",
        Factor::RecipientLocatedIn => "recipient connecting from",
        Factor::SenderLocatedIn => "sender connecting from",
        Factor::Venue => "venue",
    }
}

pub(super) fn figure(study: &Study, contrasts: &Contrasts) -> Figure<Row> {
    let level = study.decision.false_discovery_rate;
    let mut claimed: Vec<(usize, Row)> = contrasts
        .records
        .iter()
        .filter(|record| record.q_value <= level)
        .filter_map(|record| {
            let comparison = &contrasts.comparisons[record.comparison];
            let difference = record.difference?;
            let row = Row {
                item: record.item,
                factor: comparison.factor,
                levels: comparison.levels.clone(),
                scope: comparison.scope,
                difference: difference.estimate,
                low: difference.low,
                high: difference.high,
                q_value: record.q_value,
            };
            Some((record.comparison, row))
        })
        .collect();
    claimed.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.difference.total_cmp(&x.difference)).then(x.item.cmp(&y.item)));
    let chart = chart(study, &contrasts.comparisons, &claimed);
    Figure::new(claimed.into_iter().map(|(_, row)| row).collect(), &chart)
}

fn chart(study: &Study, comparisons: &[Comparison], claimed: &[(usize, Row)]) -> Chart {
    let title = "Differences between sides";
    if claimed.is_empty() {
        return super::nothing(NAME, title, "No difference is claimed");
    }
    let mut panels = Vec::new();
    for of_one in claimed.chunk_by(|(a, _), (b, _)| a == b).take(MOST_PANELS) {
        let comparison = &comparisons[of_one[0].0];
        let drawn = &of_one[..of_one.len().min(MOST_ITEMS)];
        let items = drawn.iter().map(|(_, row)| text::excerpt(&study.item(row.item).message).line());
        let mark = |(place, (_, row)): (usize, &(usize, Row))| {
            let (shape, colour) = look(row.scope);
            Mark::Interval { low: row.low, high: row.high, at: (row.difference, place as f64 + 0.5), shape, colour }
        };
        let zero = Mark::Rule { x: 0.0, colour: QUIET, dashed: false };
        panels.push(Panel {
            title: vec![heading(comparison), context(study, comparison, drawn.len(), of_one.len())],
            x: Axis::new("difference of drop rates, percentage points, 95 % interval", Scale::linear(-1.0, 1.0, Ticks::Points)),
            y: Axis::new("", Scale::Bands(items.collect())),
            height: drawn.len() as f64 * 22.0,
            marks: std::iter::once(zero).chain(drawn.iter().enumerate().map(mark)).collect(),
        });
    }
    Chart {
        name: NAME,
        title: title.to_owned(),
        description: format!(
            "For each claimed difference the drop rate on the first side less that on the second, with its interval: right of the \
             middle more is dropped on the first side. figures/{NAME}.csv has the numbers."
        ),
        legend: [Scope::Region, Scope::AccountPair]
            .map(|scope| (Swatch::Point(look(scope).0, look(scope).1), meaning(scope).to_owned()))
            .into(),
        columns: 1,
        panels,
    }
}

fn look(scope: Scope) -> (Shape, &'static str) {
    match scope {
        Scope::Region => (Shape::Diamond, VERMILION),
        Scope::AccountPair => (Shape::Circle, BLUE),
    }
}

fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Region => "two accounts or more on each side",
        Scope::AccountPair => "about these accounts only",
    }
}

/// `recipient registered in CA less CN`
pub(crate) fn heading(comparison: &Comparison) -> String {
    let [a, b] = &comparison.levels;
    format!("{} {a}, less {b}", in_words(comparison.factor))
}

fn context(study: &Study, comparison: &Comparison, drawn: usize, all: usize) -> String {
    let mut arms: Vec<_> = comparison.sides.iter().flat_map(|side| &side.arms).copied().collect();
    arms.sort_unstable();
    arms.dedup();
    let names: Vec<String> = arms.iter().map(|arm| text::name(study.arm(*arm).id.as_str()).line()).collect();
    let more = if drawn < all { format!("; {drawn} of {all} differences") } else { String::new() };
    format!("{}{more}", names.join(", "))
}
