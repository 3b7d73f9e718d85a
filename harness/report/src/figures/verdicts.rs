//! The matrix: items by arms and recipients, each cell a verdict.

use std::collections::BTreeMap;

use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{ItemIx, Role, Study, Unit, Verdict};

use super::Figure;
use crate::chart::{Axis, Chart, Mark, Panel, Scale, Swatch};
use crate::colours;
use crate::path::{Path, paths};
use crate::{text, words};

/// The name of its files.
pub const NAME: &str = "verdicts";

/// Rows that are drawn; the page and the CSV have all.
const MOST_LINES: usize = 240;
/// Groups of so many items and more are one row.
const FEWEST_TOGETHER: usize = 3;

/// One cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Item, arm and recipient.
    pub unit: Unit,
    /// The verdict.
    pub verdict: Verdict,
    /// The row of the matrix, from 1: items of a category with the same verdicts everywhere share one.
    pub line: u32,
}

/// Items of one category with the same verdicts everywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub category: String,
    pub role: Role,
    pub items: Vec<ItemIx>,
    /// By path.
    pub verdicts: Vec<Option<Verdict>>,
}

impl Line {
    /// Whether something is kept from somebody, or contradicts itself.
    pub(crate) fn is_finding(&self) -> bool {
        self.verdicts.iter().flatten().any(|verdict| !matches!(verdict, Verdict::Delivered | Verdict::Inconclusive))
    }
}

/// What the items of a line share: role, category, verdicts by path.
type Pattern<'a> = (Role, &'a str, Vec<Option<Verdict>>);

/// The lines of the matrix: candidates before canaries, by category; in each the findings first.
pub(crate) fn lines(study: &Study, verdicts: &[VerdictRecord]) -> Vec<Line> {
    let place: BTreeMap<Path, usize> = paths(study).into_iter().zip(0..).collect();
    let mut of_item: BTreeMap<ItemIx, Vec<Option<Verdict>>> = BTreeMap::new();
    for record in verdicts {
        let row = of_item.entry(record.unit.item).or_insert_with(|| vec![None; place.len()]);
        if let Some(place) = place.get(&Path { arm: record.unit.arm, recipient: record.unit.recipient }) {
            row[*place] = Some(record.verdict);
        }
    }
    let mut groups: BTreeMap<Pattern<'_>, Vec<ItemIx>> = BTreeMap::new();
    for (item, row) in of_item {
        let it = study.item(item);
        groups.entry((it.role, it.category.as_str(), row)).or_default().push(item);
    }
    let line = |((role, category, verdicts), items): (Pattern<'_>, Vec<ItemIx>)| Line {
        category: category.to_owned(),
        role,
        items,
        verdicts,
    };
    let mut lines: Vec<Line> = groups.into_iter().map(line).collect();
    let rank = |line: &Line| {
        let kept = line.verdicts.iter().flatten().filter(|it| !matches!(it, Verdict::Delivered | Verdict::Inconclusive)).count();
        (line.role, usize::MAX - kept)
    };
    // Stable: of equals the pattern decides, and inside a line the study.
    lines.sort_by(|a, b| (a.role, &a.category, rank(a), a.items[0]).cmp(&(b.role, &b.category, rank(b), b.items[0])));
    lines
}

/// The letter that stands for a verdict where a word does not fit.
pub(crate) const fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "·",
        Verdict::Delayed => "L",
        Verdict::Dropped => "D",
        Verdict::Refused => "R",
        Verdict::Altered => "A",
        Verdict::Retracted => "T",
        Verdict::Inconsistent => "X",
        Verdict::Inconclusive => "?",
    }
}

pub(super) fn figure(study: &Study, verdicts: &[VerdictRecord]) -> Figure<Row> {
    let paths = paths(study);
    let lines = lines(study, verdicts);
    let mut rows = Vec::with_capacity(verdicts.len());
    for (line, number) in lines.iter().zip(1u32..) {
        for item in &line.items {
            let cells = paths.iter().zip(&line.verdicts);
            rows.extend(cells.filter_map(|(path, verdict)| {
                let unit = Unit { item: *item, arm: path.arm, recipient: path.recipient };
                verdict.map(|verdict| Row { unit, verdict, line: number })
            }));
        }
    }
    Figure::new(rows, &chart(study, &paths, &lines))
}

fn chart(study: &Study, paths: &[Path], lines: &[Line]) -> Chart {
    const TITLE: &str = "Verdicts by item, arm and recipient";
    if lines.is_empty() || paths.is_empty() {
        return super::nothing(NAME, TITLE, "No item was tested");
    }
    let mut labels = Vec::new();
    let mut marks = Vec::new();
    let mut drawn: Vec<Verdict> = Vec::new();
    for line in lines {
        let single = |item: &ItemIx| text::excerpt(&study.item(*item).message).line();
        let shown: Vec<String> = if line.items.len() >= FEWEST_TOGETHER && !line.is_finding() {
            vec![format!("{}: {}", category(&line.category), words::counted(line.items.len() as u64, "item"))]
        } else {
            line.items.iter().map(single).collect()
        };
        for label in shown.into_iter().take(MOST_LINES.saturating_sub(labels.len())) {
            for (column, verdict) in line.verdicts.iter().enumerate() {
                let Some(verdict) = *verdict else { continue };
                let (ground, ink) = colours::of_verdict(verdict);
                marks.push(Mark::Cell { column, row: labels.len(), ground, ink, text: letter(verdict) });
                if !drawn.contains(&verdict) {
                    drawn.push(verdict);
                }
            }
            labels.push(label);
        }
    }
    drawn.sort_unstable();
    let legend = drawn.into_iter().map(|verdict| {
        let (ground, ink) = colours::of_verdict(verdict);
        (Swatch::Cell(ground, ink, letter(verdict)), verdict.to_string())
    });
    let column = |(number, path): (u32, &Path)| format!("{number}: {} {}", path.arm_line(study), path.recipient_line(study));
    let columns = (1..).zip(paths).map(column).collect::<Vec<_>>().join("; ");
    let short: Vec<String> = if paths.len() <= 3 {
        paths.iter().map(|path| format!("{} {}", path.arm_line(study), path.recipient_line(study))).collect()
    } else {
        (1..=paths.len()).map(|number| number.to_string()).collect()
    };
    let items: usize = lines.iter().map(|line| line.items.len()).sum();
    let panel = Panel {
        title: Vec::new(),
        x: Axis::new(&columns, Scale::Bands(short)),
        height: labels.len() as f64 * 20.0,
        y: Axis::new("", Scale::Bands(labels)),
        marks,
    };
    Chart {
        name: NAME,
        title: TITLE.to_owned(),
        description: format!(
            "A cell for each of {items} items and each of the columns {columns}; figures/{NAME}.csv has all cells."
        ),
        legend: legend.collect(),
        columns: 1,
        panels: vec![panel],
    }
}

/// A category as a heading.
pub(crate) fn category(category: &str) -> String {
    if category.is_empty() { "without a category".to_owned() } else { text::name(category).line() }
}
