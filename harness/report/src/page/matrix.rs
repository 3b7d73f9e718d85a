//! The matrix of items by arms and recipients as a table: verdicts are words, their colour is a help and no more.

use lacuna_inference::combinations::CombinationRecord;
use lacuna_model::{ItemIx, Role, Study, Verdict};
use maud::{Markup, html};

use super::{Content, figure};
use crate::figures::verdicts::{self, Line, NAME};
use crate::path::{Path, paths};
use crate::text::{excerpt, name};
use crate::words::{self, count, counted};

/// Rows that stand in the page: more than anybody reads, fewer than a browser minds.
const MOST_ROWS: usize = 2_500;
/// Findings of one pattern that have a row each.
const MOST_ALIKE: usize = 300;
/// Items that are named where many share a row.
const MOST_NAMED: usize = 300;

pub(super) fn section(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let paths = paths(study);
    let lines = verdicts::lines(study, &content.conclusion.verdicts);
    let mut left = MOST_ROWS;
    let mut bodies: Vec<(Role, &str, Vec<Markup>)> = Vec::new();
    for line in &lines {
        if bodies.last().is_none_or(|(role, category, _)| *role != line.role || *category != line.category) {
            bodies.push((line.role, &line.category, Vec::new()));
        }
        if let Some((.., rows)) = bodies.last_mut() {
            rows.extend(rows_of(study, line, &mut left));
        }
    }
    let drawn: Vec<Verdict> =
        Verdict::ALL.iter().copied().filter(|it| lines.iter().any(|line| line.verdicts.contains(&Some(*it)))).collect();
    html! {
        @if lines.is_empty() {
            p { "No item was tested." }
        } @else {
            dl.legend { @for verdict in &drawn { div { dt { (chip(*verdict)) } dd { (words::meaning(*verdict)) } } } }
            div.scroll.tall tabindex="0" role="region" aria-label="Verdicts by item, arm and recipient" {
                table.matrix {
                    colgroup { col.items; @for _ in &paths { col.path-of; } }
                    (head(study, &paths))
                    @for (role, category, rows) in &bodies {
                        tbody {
                            tr.category { th colspan=(paths.len() + 1) scope="rowgroup" { (heading(*role, category)) } }
                            @for row in rows { (row) }
                        }
                    }
                }
            }
            @if left == 0 { p.note { "Not all rows are here: verdicts.csv has them." } }
            p.note {
                "Items with the same verdicts everywhere share a row where nothing was found. "
                (figure::files(NAME)) ", " a href="verdicts.csv" { "verdicts.csv" } "."
            }
        }
    }
}

fn head(study: &Study, paths: &[Path]) -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { "item" }
                @for path in paths {
                    @let account = study.account(path.recipient);
                    th scope="col" {
                        span.arm { (name(study.arm(path.arm).id.as_str())) } " → "
                        span.who { (name(account.id.as_str())) " (" (account.registered_in) ")" }
                    }
                }
            }
        }
    }
}

fn heading(role: Role, category: &str) -> Markup {
    html! {
        @if role == Role::Canary { "canaries: " }
        @if category.is_empty() { "without a category" } @else { (name(category)) }
    }
}

fn rows_of(study: &Study, line: &Line, left: &mut usize) -> Vec<Markup> {
    let together = line.items.len() > if line.is_finding() { MOST_ALIKE } else { 2 };
    let cells = || html! { @for verdict in &line.verdicts { (cell(*verdict)) } };
    let mut rows = Vec::new();
    if together {
        if *left > 0 {
            *left -= 1;
            rows.push(html! { tr { th scope="row" { (folded(study, &line.items)) } (cells()) } });
        }
        return rows;
    }
    for item in &line.items {
        if *left == 0 {
            break;
        }
        *left -= 1;
        rows.push(html! { tr { th scope="row" { (named(study, *item)) } (cells()) } });
    }
    rows
}

fn named(study: &Study, item: ItemIx) -> Markup {
    let it = study.item(item);
    html! { (excerpt(&it.message)) " " small { (name(it.id.as_str())) } }
}

fn folded(study: &Study, items: &[ItemIx]) -> Markup {
    html! {
        details {
            summary { (counted(items.len() as u64, "item")) }
            ul { @for item in items.iter().take(MOST_NAMED) { li { (named(study, *item)) } } }
            @if items.len() > MOST_NAMED { p { "and " (count((items.len() - MOST_NAMED) as u64)) " more" } }
        }
    }
}

fn cell(verdict: Option<Verdict>) -> Markup {
    html! { @match verdict { Some(verdict) => { td class=(verdict) { (verdict) } }, None => { td {} } } }
}

/// A verdict as it stands in the matrix.
pub(super) fn chip(verdict: Verdict) -> Markup {
    html! { span.chip.(verdict) { (verdict) } }
}

/// What is dropped together, and passes apart.
pub(super) fn combinations(content: Content<'_>) -> Option<Markup> {
    const MOST: usize = 200;
    let study = content.evidence.study();
    let all = &content.conclusion.combinations;
    let row = |record: &CombinationRecord| {
        let account = study.account(record.recipient);
        html! {
            tr {
                th scope="row" {
                    @for (place, item) in record.items.iter().enumerate() { @if place > 0 { " + " } (excerpt(&study.item(*item).message)) }
                }
                td { (name(study.arm(record.arm).id.as_str())) " → " (name(account.id.as_str())) " (" (account.registered_in) ")" }
                td.number { (count(record.dropped.into())) " of " (count(record.probes.into())) }
                td.number { (words::number(record.e_value)) }
            }
        }
    };
    (!all.is_empty()).then(|| {
        html! {
            p { "Dropped when sent in one message, although each part passes." }
            div.scroll tabindex="0" role="region" aria-label="Combinations" {
                table {
                    thead {
                        tr { th scope="col" { "items" } th scope="col" { "path" } th.number scope="col" { "dropped" } th.number scope="col" { "e-value" } }
                    }
                    tbody { @for record in all.iter().take(MOST) { (row(record)) } }
                }
            }
            @if all.len() > MOST { p.note { "and " (count((all.len() - MOST) as u64)) " more: combinations.csv has all." } }
        }
    })
}
