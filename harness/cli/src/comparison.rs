//! What `lacuna compare` tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use lacuna_inference::comparison::{ChangeRecord, Lifetime};
use lacuna_model::{ChangeKind, ChangeReason, Verdict};
use lacuna_records::comparison::Comparison;
use lacuna_records::projection::number;
use serde_json::{Value, json};

use crate::arguments::OutputFormat;
use crate::exit::Failure;
use crate::output::{print, print_json};
use crate::table::{align_numbers, table, width};
use crate::visible::{shortened, visible};

/// Changes that are shown; `changes.csv` has all.
const MOST_CHANGES: usize = 40;
/// Half-lives that are shown.
const MOST_LIFETIMES: usize = 20;
/// The longest text that is shown whole.
const TEXT_WIDTH: usize = 40;

/// A comparison, and where it was written.
pub struct Told<'a> {
    pub comparison: &'a Comparison,
    pub folder: &'a Path,
    /// Runs that did not come to their end.
    pub unfinished: &'a [String],
}

/// The same change of one item on one arm, for several recipients.
struct Row<'a> {
    record: &'a ChangeRecord,
    kind: ChangeKind,
    recipients: Vec<String>,
    /// The smallest rate at which something of it is claimed.
    q_value: f64,
}

impl Told<'_> {
    /// Tells it on stdout.
    pub fn print(&self, output: OutputFormat) -> Result<(), Failure> {
        match output {
            OutputFormat::Human => print(&self.text(width())),
            OutputFormat::Json => print_json(&self.json()),
        }
    }

    /// Items that changed in the newest run they are in, somewhere.
    fn items(&self) -> usize {
        self.comparison.claimed().map(|it| (it.new, &it.unit.item)).collect::<BTreeSet<_>>().len()
    }

    fn count(&self, kind: ChangeKind) -> usize {
        self.comparison.changes.iter().filter(|it| it.change == kind).count()
    }

    fn reasons(&self, kind: ChangeKind) -> BTreeMap<&'static str, usize> {
        let mut reasons = BTreeMap::new();
        for reason in self.comparison.changes.iter().filter(|it| it.change == kind).filter_map(|it| it.reason) {
            *reasons.entry(ChangeReason::as_str(reason)).or_default() += 1;
        }
        reasons
    }

    fn text(&self, width: u16) -> String {
        let runs = &self.comparison.runs;
        let names: Vec<String> = runs.iter().map(|run| visible(run.run.as_str())).collect();
        let mut text = format!("{}\n", names.join(" → "));
        for run in self.unfinished {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}: did not come to its end", visible(run));
        }
        text += &self.changes(width);
        let _ = writeln!(
            text,
            "\n{} changed. By themselves, of {} items × arms × recipients, at a false discovery rate of {}:",
            counted(self.items()),
            self.comparison.changes.len(),
            number(self.comparison.false_discovery_rate),
        );
        for kind in ChangeKind::ALL {
            let count = self.count(*kind);
            if count == 0 {
                continue;
            }
            let reasons: Vec<String> = self.reasons(*kind).iter().map(|(why, count)| format!("{count} {}", words(why))).collect();
            let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
            let _ = writeln!(text, "  {count:>6} {}{reasons}", words(kind.as_str()));
        }
        text += &self.lifetimes(width);
        let _ = writeln!(text, "{}", visible(&self.folder.display().to_string()));
        text
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for record in self.comparison.claimed() {
            let Some(kind) = record.apparent() else { continue };
            let same = |row: &&mut Row<'_>| {
                let other = row.record;
                other.unit.item == record.unit.item
                    && other.unit.path.arm == record.unit.path.arm
                    && (other.old, other.new) == (record.old, record.new)
                    && (other.old_verdict, other.new_verdict) == (record.old_verdict, record.new_verdict)
            };
            let recipient = visible(record.unit.path.recipient.as_str());
            let q_value = record.q_value.unwrap_or(1.0).min(record.item_q_value.unwrap_or(1.0));
            match rows.iter_mut().rev().take(64).find(same) {
                Some(row) => {
                    row.recipients.push(recipient);
                    row.q_value = row.q_value.min(q_value);
                }
                None => rows.push(Row { record, kind, recipients: vec![recipient], q_value }),
            }
        }
        rows
    }

    fn changes(&self, width: u16) -> String {
        let rows = self.rows();
        if rows.is_empty() {
            return "\nNothing is known to have changed\n".to_owned();
        }
        let several = self.comparison.runs.len() > 2;
        let mut table = table(width);
        let mut header = vec!["change", "text", "arm", "recipients", "was", "is", "q"];
        if several {
            header.push("in run");
        }
        table.set_header(header);
        for row in rows.iter().take(MOST_CHANGES) {
            let record = row.record;
            let item = self.comparison.runs[record.new].items.get(&record.unit.item);
            let text = item.map_or_else(String::new, |item| item.message.to_string());
            let text = if text.is_empty() { record.unit.item.as_str() } else { &text };
            let verdict = |verdict: Option<Verdict>| verdict.map_or("", Verdict::as_str).to_owned();
            let mut cells = vec![
                words(row.kind.as_str()),
                shortened(&visible(text), TEXT_WIDTH),
                visible(record.unit.path.arm.as_str()),
                row.recipients.join(", "),
                verdict(record.old_verdict),
                verdict(record.new_verdict),
                number(row.q_value),
            ];
            if several {
                cells.push(visible(self.comparison.runs[record.new].run.as_str()));
            }
            table.add_row(cells);
        }
        let mut text = format!("\nChanges\n{}\n", table.trim_fmt());
        if rows.len() > MOST_CHANGES {
            let _ = writeln!(text, "and {} more: changes.csv has all", rows.len() - MOST_CHANGES);
        }
        text
    }

    fn lifetimes(&self, width: u16) -> String {
        let shown: Vec<&Lifetime> =
            self.comparison.lifetimes.iter().filter(|it| it.category.is_none() && it.ended_by == ChangeKind::Unblocked).collect();
        if shown.is_empty() {
            return String::new();
        }
        let mut table = table(width);
        table.set_header(["blocked, for", "intervals", "ended", "half-life, days", "95 %, from", "to"]);
        let days = |days: Option<f64>, none: &str| {
            days.map_or_else(|| none.to_owned(), |days| if days < 0.05 { "< 0.1".to_owned() } else { format!("{days:.1}") })
        };
        for lifetime in shown.iter().take(MOST_LIFETIMES) {
            table.add_row([
                format!("{}, {}", visible(lifetime.path.arm.as_str()), visible(lifetime.path.recipient.as_str())),
                lifetime.intervals.to_string(),
                lifetime.ended.to_string(),
                days(lifetime.half_life_days, "–"),
                days(lifetime.half_life_days_low, "0"),
                days(lifetime.half_life_days_high, "∞"),
            ]);
        }
        align_numbers(&mut table);
        let mut text = format!("\nHow long items stay blocked\n{}\n", table.trim_fmt());
        if shown.len() > MOST_LIFETIMES {
            let _ = writeln!(text, "and {} more: lifetimes.csv has all", shown.len() - MOST_LIFETIMES);
        }
        text
    }

    fn json(&self) -> Value {
        let runs = &self.comparison.runs;
        let changes = self.comparison.claimed().map(|record| {
            json!({
                "item_id": record.unit.item.as_str(),
                "arm_id": record.unit.path.arm.as_str(),
                "recipient_account": record.unit.path.recipient.as_str(),
                "old_run_id": runs[record.old].run.as_str(),
                "new_run_id": runs[record.new].run.as_str(),
                "old_verdict": record.old_verdict.map(Verdict::as_str),
                "new_verdict": record.new_verdict.map(Verdict::as_str),
                "change": record.change.as_str(),
                "apparent": record.apparent().map(ChangeKind::as_str),
                "item_q_value": record.item_q_value,
                "e_value": record.e_value,
                "q_value": record.q_value,
            })
        });
        let counts: serde_json::Map<String, Value> =
            ChangeKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), self.count(*kind).into())).collect();
        json!({
            "runs": runs.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(),
            "unfinished": self.unfinished,
            "false_discovery_rate": self.comparison.false_discovery_rate,
            "items_changed": self.items(),
            "counts": counts,
            "not_comparable": self.reasons(ChangeKind::NotComparable),
            "undetermined": self.reasons(ChangeKind::Undetermined),
            "changes": changes.collect::<Vec<_>>(),
            "folder": self.folder.display().to_string(),
        })
    }
}

/// A word of a vocabulary, for people.
fn words(word: &str) -> String {
    word.replace('_', " ")
}

fn counted(items: usize) -> String {
    if items == 1 { "1 item".to_owned() } else { format!("{items} items") }
}
