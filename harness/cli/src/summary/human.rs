//! The summary as tables for people.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use console::{Style, style};
use lacuna_model::{ArmIx, ItemIx, Verdict};

use super::Summary;
use super::files::files;
use super::texts::texts;
use crate::table::table;
use crate::visible::{shortened, visible};

/// Rows of findings that are shown; `verdicts.csv` has all.
const MOST_FINDINGS: usize = 40;
/// Narrower tables leave the category out.
const WIDTH_WITH_CATEGORY: u16 = 100;

/// The text, at most `width` columns wide where a table can be made so narrow.
pub fn text(summary: &Summary, width: u16) -> String {
    let mut text = headline(summary);
    // Of what was made to tell mechanisms apart, verdicts on single files say little.
    if summary.study.mechanism.is_none() && summary.study.exposure.is_none() {
        text += "\nVerdicts, by arm and recipient\n";
        text += &matrix(summary, width);
        text += &findings(summary, width);
    }
    text += &texts(&summary.texts, &summary.study, width);
    text += &files(&summary.claims, &summary.study, width);
    text += &registration(summary);
    let (candidates, controls) = (summary.candidates_sent, summary.controls_sent);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{} messages: {candidates} of candidates, {controls} controls", candidates + controls);
    let _ = writeln!(text, "{}", visible(&summary.folder().display().to_string()));
    text
}

/// The lock that the run was checked against, and where it departs from it.
fn registration(summary: &Summary) -> String {
    let Some(registration) = &summary.registration else { return String::new() };
    let lock = visible(&registration.lock);
    if registration.deviations.is_empty() && registration.reason.is_none() {
        return format!("\nAs it was locked in {lock}\n");
    }
    let reason = registration.reason.as_ref().map(|it| format!(": {}", visible(it))).unwrap_or_default();
    let mut text = format!("\nDeviates from {lock}{reason}\n");
    for deviation in &registration.deviations {
        let (subject, detail) = (visible(&deviation.subject), visible(&deviation.detail));
        let _ = writeln!(text, "  {}, {subject}: {detail}", deviation.kind.in_words());
    }
    text
}

fn headline(summary: &Summary) -> String {
    let name = style(visible(&summary.study.name)).bold();
    let reason = summary.stop_reason.map(|reason| format!(" ({})", reason.replace('_', " "))).unwrap_or_default();
    let end = match summary.end {
        None => style("not at its end".to_owned()),
        Some("done") => style("done".to_owned()).green(),
        Some("safety") => style(format!("stopped by a safety rule{reason}")).yellow(),
        Some(end) => style(format!("{end}{reason}")).yellow(),
    };
    let took = summary.took.map(|took| format!(" in {took:.1} s")).unwrap_or_default();
    let question =
        if summary.study.question.is_empty() { String::new() } else { format!("{}\n", visible(&summary.study.question)) };
    format!("{name} {}: {end}{took}\n{question}", summary.run_id)
}

/// Each arm has a line of its own above its recipients. Verdicts that occur nowhere have no column.
fn matrix(summary: &Summary, width: u16) -> String {
    let study = &summary.study;
    let occurs = |place: usize| summary.matrix.iter().any(|line| line.counts[place] > 0);
    let columns: Vec<usize> = (0..Verdict::ALL.len()).filter(|place| occurs(*place)).collect();
    let mut table = table(width);
    let mut header = vec!["arm, recipient".to_owned()];
    header.extend(columns.iter().map(|place| Verdict::ALL[*place].to_string()));
    header.push("control\nloss".to_owned());
    let numbers = 1..header.len();
    table.set_header(header);
    let mut before: Option<ArmIx> = None;
    for line in &summary.matrix {
        if before != Some(line.arm) {
            table.add_row([study.arm(line.arm).id.as_str()]);
        }
        before = Some(line.arm);
        let account = study.account(line.recipient);
        let mut row = vec![format!("  {} ({})", account.id, account.registered_in)];
        row.extend(columns.iter().map(|place| match line.counts[*place] {
            0 => "·".to_owned(),
            count => count.to_string(),
        }));
        row.push(line.control_loss.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0)));
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    for number in numbers {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// A row of the list: recipients for whom the same is found of the same item on the same arm stand together.
struct Row {
    verdict: Verdict,
    item: ItemIx,
    arm: ArmIx,
    recipients: Vec<String>,
}

fn findings(summary: &Summary, width: u16) -> String {
    let study = &summary.study;
    if summary.findings.is_empty() {
        let inconclusive = Verdict::ALL.iter().position(|verdict| *verdict == Verdict::Inconclusive);
        let unknown = summary.matrix.iter().map(|line| inconclusive.map_or(0, |place| line.counts[place])).sum();
        return no_findings(unknown, summary.matrix.iter().flat_map(|line| line.counts).sum());
    }
    let mut rows: Vec<Row> = Vec::new();
    for finding in &summary.findings {
        let recipient = study.account(finding.recipient).id.to_string();
        // Findings of one item follow each other.
        let same = rows.iter_mut().rev().take_while(|row| row.item == finding.item);
        match same.into_iter().find(|row| row.arm == finding.arm && row.verdict == finding.verdict) {
            Some(row) => row.recipients.push(recipient),
            None => {
                rows.push(Row { verdict: finding.verdict, item: finding.item, arm: finding.arm, recipients: vec![recipient] });
            }
        }
    }
    let mut table = table(width);
    let with_category = width >= WIDTH_WITH_CATEGORY;
    let cells = |verdict: &str, text: String, category: String, arm: &str, recipients: String| {
        let mut cells = vec![verdict.to_owned(), text];
        cells.extend(with_category.then_some(category));
        cells.extend([arm.to_owned(), recipients]);
        cells
    };
    table.set_header(cells("verdict", "text".to_owned(), "category".to_owned(), "arm", "recipients".to_owned()));
    let mut before: Option<ItemIx> = None;
    for row in rows.iter().take(MOST_FINDINGS) {
        let item = study.item(row.item);
        let (text, category) = if before == Some(row.item) {
            (String::new(), String::new())
        } else {
            (shortened(&item.message, usize::from(width / 4)), shortened(&item.category, 20))
        };
        before = Some(row.item);
        table.add_row(cells(row.verdict.as_str(), text, category, study.arm(row.arm).id.as_str(), row.recipients.join(", ")));
    }
    let mut text = format!("\nFindings\n{}\n", coloured(&table.trim_fmt()));
    if let Some(more @ 1..) = rows.len().checked_sub(MOST_FINDINGS) {
        let _ = writeln!(text, "and {more} more: verdicts.csv has all");
    }
    text
}

/// That nothing was found says little where little could be concluded: in `unknown` of `all` verdicts nothing was.
fn no_findings(unknown: u64, all: u64) -> String {
    match unknown {
        0 if all > 0 => "\nNo findings: no item is kept from anybody as far as this run can tell\n".to_owned(),
        _ if unknown == all => "\nNo findings, and no conclusion about any item: `reason` in verdicts.csv says why\n".to_owned(),
        _ => format!("\nNo findings, but no conclusion in {unknown} of {all} cases: `reason` in verdicts.csv says why\n"),
    }
}

/// Colours the verdict at the beginning of each line. The table itself knows nothing of colours, so its widths are right.
fn coloured(table: &str) -> String {
    let lines = table.lines().map(|line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        match Verdict::ALL.iter().find(|verdict| verdict.as_str() == word) {
            Some(verdict) => line.replacen(word, &colour(*verdict).apply_to(word).to_string(), 1),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn colour(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Dropped => Style::new().red(),
        Verdict::Refused | Verdict::Altered | Verdict::Retracted => Style::new().magenta(),
        Verdict::Delayed | Verdict::Inconsistent => Style::new().yellow(),
        Verdict::Delivered | Verdict::Inconclusive => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_all_clear() {
        assert!(no_findings(0, 68).contains("no item is kept"));
        assert!(no_findings(1, 68).contains("no conclusion in 1 of 68"));
        for all in [0, 68] {
            assert!(no_findings(all, all).contains("no conclusion about any item"));
        }
    }
}
