//! What changed from run to run, as the Markdown that a CI service shows beside a job.

use std::collections::BTreeMap;

use lacuna_inference::comparison::{ChangeRecord, Snapshot};
use lacuna_model::{ChangeKind, ChangeReason, Verdict};

use crate::markdown::{Align, Cell, Table, foreign};
use crate::text;
use crate::words::{counted, number};

/// The changes between `runs`, the oldest first, in at most `budget` bytes. Which records are told as changes `is_change` says;
/// `unfinished` are the runs that did not come to their end.
#[must_use]
pub fn of_comparison(
    runs: &[Snapshot],
    records: &[ChangeRecord],
    is_change: impl Fn(&ChangeRecord) -> bool,
    unfinished: &[String],
    budget: usize,
) -> String {
    let changed: Vec<&ChangeRecord> = records.iter().filter(|it| is_change(it)).collect();
    let names: Vec<String> = runs.iter().map(|run| foreign(text::name(run.run.as_str()))).collect();
    let mut summary = format!("### Changes\n\nFrom run to run: {}.\n\n", names.join(" → "));
    if !unfinished.is_empty() {
        let names: Vec<String> = unfinished.iter().map(|run| foreign(text::name(run))).collect();
        summary += "**Not at its end**: ";
        summary += &names.join(", ");
        summary += ".\n\n";
    }
    let sentence = match changed.len() as u64 {
        0 => format!("Nothing is known to have changed{}.\n\n", left_open(records)),
        count => format!(
            "**{}** of {}, an item on an arm for a recipient{}.\n\n",
            counted(count, "change"),
            counted(records.len() as u64, "case"),
            left_open(records)
        ),
    };
    summary += &sentence;
    if summary.len() > budget {
        return String::new();
    }
    // What follows begins a paragraph of its own.
    let room = budget.saturating_sub(summary.len() + 1);
    let table = if changed.is_empty() { String::new() } else { table(runs, &changed).within(room, "changes.csv") };
    if !table.is_empty() {
        summary += &table;
        summary.push('\n');
    }
    summary
}

/// Of how many nothing is said, and why.
fn left_open(records: &[ChangeRecord]) -> String {
    let mut reasons: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for record in records.iter().filter(|it| matches!(it.change, ChangeKind::NotComparable | ChangeKind::Undetermined)) {
        *reasons.entry((record.change.as_str(), record.reason.map_or("", ChangeReason::as_str))).or_default() += 1;
    }
    let told = |((kind, reason), count): (&(&str, &str), &u64)| {
        let why = if reason.is_empty() { String::new() } else { format!(" ({})", reason.replace('_', " ")) };
        format!("; {} {}{why}", counted(*count, "case"), kind.replace('_', " "))
    };
    reasons.iter().map(told).collect()
}

/// The smallest rate at which the unit, or its item, is claimed to have changed.
fn q_value(record: &ChangeRecord) -> Option<f64> {
    [record.q_value, record.item_q_value].into_iter().flatten().reduce(f64::min)
}

fn table(runs: &[Snapshot], changed: &[&ChangeRecord]) -> Table {
    let mut header: Vec<(&str, Align)> =
        ["change", "item", "text", "category", "arm", "recipient", "was", "is"].map(|name| (name, Align::Left)).into();
    header.push(("q", Align::Right));
    let several = runs.len() > 2;
    if several {
        header.push(("in run", Align::Left));
    }
    let mut table = Table::new(&header);
    for record in changed {
        let newer = runs.get(record.new);
        let facts = newer.and_then(|run| run.items.get(&record.unit.item));
        let verdict = |verdict: Option<Verdict>| Cell::words(verdict.map_or("", Verdict::as_str));
        let change = match record.change {
            // Certain of the item only.
            ChangeKind::Undetermined => record.apparent().unwrap_or(record.change),
            certain => certain,
        };
        let mut cells = vec![
            Cell::words(&change.as_str().replace('_', " ")),
            Cell::name(record.unit.item.as_str()),
            Cell::excerpt(facts.map_or("", |it| &it.message)),
            Cell::name(facts.map_or("", |it| &it.category)),
            Cell::name(record.unit.path.arm.as_str()),
            Cell::name(record.unit.path.recipient.as_str()),
            verdict(record.old_verdict),
            verdict(record.new_verdict),
            Cell::words(&q_value(record).map(number).unwrap_or_default()),
        ];
        if several {
            cells.push(Cell::name(newer.map_or("", |run| run.run.as_str())));
        }
        table.row(cells);
    }
    table
}
