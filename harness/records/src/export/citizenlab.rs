//! A table in the columns of Citizen Lab's list of `WeChat` keywords (`tiktok-report-data/wechat keywords-04-21-2020.csv` in
//! `citizenlab/chat-censorship`): a row for each text, arm and recipient, and one for each certified rule, whose components are
//! joined with `+` as in those lists.

use std::collections::BTreeMap;
use std::io::Write;

use lacuna_model::VenueKind;

use super::source::{Row, Source};
use super::{ExportError, Exported};

const COLUMNS: [&str; 9] =
    ["kw_id", "keyword", "translation", "detected_on", "url", "test_regime", "retest_count", "is_curr_blocked", "is_group_chat"];

/// What joins the components of a combination.
const JOINER: &str = "+";

pub(super) fn write(source: &Source, out: &mut impl Write) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let failed = |error: csv::Error| ExportError::io(&source.run)(error.into());
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    table.write_record(COLUMNS).map_err(failed)?;
    let mut without_text = 0;
    let mut first_sent = BTreeMap::new();
    for row in source.table("verdicts").map(|table| source.rows(table)).transpose()?.into_iter().flatten() {
        let row = row?;
        let id = row.cell("item_id");
        first_sent.insert(place_of(&row), row.cell("first_sent_at").to_owned());
        let Some(text) = source.item(id).map(|item| &*item.message).filter(|text| !text.is_empty()) else {
            without_text += 1;
            continue;
        };
        let tests: u64 = row.cell("probes").parse().unwrap_or_default();
        let retests = if tests == 0 { String::new() } else { (tests - 1).to_string() };
        let blocked = is_blocked(row.cell("verdict"));
        write_row(&mut table, source, &row, [id, text, row.cell("first_sent_at"), &retests, blocked]).map_err(failed)?;
        exported.count += 1;
    }
    let rules = rules(source)?;
    for (row, components) in &rules {
        let joined = components.join(JOINER);
        let sent = first_sent.get(&place_of(row)).map_or("", String::as_str);
        write_row(&mut table, source, row, [row.cell("rule_id"), &joined, sent, "", "1"]).map_err(failed)?;
        exported.count += 1;
    }
    table.flush().map_err(ExportError::io(&source.run))?;
    if without_text > 0 {
        exported.notes.push(format!("{without_text} verdicts are about files without a text and have no row"));
    }
    Ok(exported)
}

fn write_row(
    table: &mut csv::Writer<impl Write>,
    source: &Source,
    row: &Row<'_>,
    [id, keyword, detected, retests, blocked]: [&str; 5],
) -> Result<(), csv::Error> {
    let arm = row.cell("arm_id");
    let regime = format!("{arm} > {}", row.cell("recipient_account"));
    let group = if source.venue(arm) == Some(VenueKind::Group) { "1" } else { "0" };
    table.write_record([id, keyword, "", detected, "", &regime, retests, blocked, group])
}

/// The item, arm and recipient that a row is about.
fn place_of(row: &Row<'_>) -> [String; 3] {
    ["item_id", "arm_id", "recipient_account"].map(|column| row.cell(column).to_owned())
}

/// Their lists know two answers; whatever else a verdict says has none.
fn is_blocked(verdict: &str) -> &'static str {
    match verdict {
        "dropped" | "refused" | "altered" | "retracted" => "1",
        "delivered" | "delayed" => "0",
        _ => "",
    }
}

/// The certified rules: for each arm and recipient one row of `rules.csv` that is of the rule, and its required components.
fn rules(source: &Source) -> Result<Vec<(Row<'_>, Vec<String>)>, ExportError> {
    let mut rules: Vec<(Row<'_>, Vec<String>)> = Vec::new();
    let mut seen = BTreeMap::new();
    for row in source.table("rules").map(|table| source.rows(table)).transpose()?.into_iter().flatten() {
        let row = row?;
        if row.cell("certified") != "true" || row.cell("component_role") != "required" {
            continue;
        }
        let of = ["rule_id", "arm_id", "recipient_account"].map(|column| row.cell(column).to_owned());
        // The same rule found in another text is the same row of a list.
        let text = [row.cell("item_id").to_owned(), row.cell("combination_id").to_owned()];
        let (place, first) = seen.entry(of).or_insert_with(|| (rules.len(), text.clone()));
        if *first != text {
            continue;
        }
        let component = row.cell("component").to_owned();
        match rules.get_mut(*place) {
            Some((_, components)) => components.push(component),
            None => rules.push((row, vec![component])),
        }
    }
    Ok(rules)
}
